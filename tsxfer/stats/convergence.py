"""How much faster transfer converges: samples seen until a threshold that scratch alone sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsxfer import metrics
from tsxfer.specs import Result
from tsxfer.stats.cells import interval, plain_spread, t_test
from tsxfer.stats.pairs import Cell

CLOSED = 0.9  # share of scratch's own way from its first to its best score


@dataclass(frozen=True, slots=True)
class Convergence:
    """Restricted time to the threshold, in training samples seen.

    Attributes:
        threshold: Validation score to reach, in the metric's unit.
        scratch: Mean restricted time of the scratch arm.
        transfer: Mean restricted time of the transfer arm.
        saved: Mean paired difference; positive means that transfer is faster.
        low: Lower end of its 95 % interval, None with one pair.
        high: Upper end.
        p: Two-sided p of a paired t test.
        reached: Share of runs that reached it, scratch and transfer.
    """

    threshold: float
    scratch: float
    transfer: float
    saved: float
    low: float | None
    high: float | None
    p: float | None
    reached: tuple[float, float]


def convergence(cell: Cell) -> Convergence | None:
    """Compare the validation curves of a cell; None where there is no curve.

    The threshold closes 90 % of the way from the scratch arm's median score at step 0 to its
    median best score. A run that never reaches it counts with its whole budget and is not dropped
    (restricted mean time; see practice: dropping such runs reverses conclusions).
    """
    pairs = [p for p in cell.pairs if p[0].curve and p[1].curve]
    if not pairs:
        return None
    sign = 1.0 if metrics.get(pairs[0][0].metric).higher_is_better else -1.0
    starts = np.median([sign * s.curve["score"][0] for s, _ in pairs])
    bests = np.median([max(sign * v for v in s.curve["score"]) for s, _ in pairs])
    threshold = float(starts + CLOSED * (bests - starts))
    times = np.array([[_time(row, sign, threshold) for row in pair] for pair in pairs])
    reached = np.array([[_first(row, sign, threshold) is not None for row in p] for p in pairs])
    saved = times[:, 0] - times[:, 1]
    low, high, p = None, None, None
    if len(saved) > 1:
        spread = plain_spread(saved)
        low, high = interval(saved, spread)
        p = t_test(saved, spread)
    means, shares = times.mean(axis=0), reached.mean(axis=0)
    return Convergence(
        sign * threshold, float(means[0]), float(means[1]), float(saved.mean()), low, high, p,
        (float(shares[0]), float(shares[1])),
    )  # fmt: skip


def _time(row: Result, sign: float, threshold: float) -> float:
    first = _first(row, sign, threshold)
    budget = float(row.ledger["steps"] * row.ledger["batch"])
    return budget if first is None else min(first, budget)


def _first(row: Result, sign: float, threshold: float) -> float | None:
    """First evaluation at the threshold that holds at the next one too, if there is one."""
    good = [sign * value >= threshold for value in row.curve["score"]]
    for i, samples in enumerate(row.curve["samples"]):
        if good[i] and good[min(i + 1, len(good) - 1)]:
            return samples
    return None
