"""How much faster transfer converges: samples seen until a threshold that scratch alone sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.stats.cells import Cell
from tsxfer.stats.tests import interval, plain_spread, t_test

Array: TypeAlias = NDArray[np.float64]
Pairs: TypeAlias = list[tuple[Result, Result]]
CLOSED = 0.9  # share of scratch's own way from its first to its best score; the primary threshold
SWEEP = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean paired difference with its 95 % interval (None with one pair) and two-sided p."""

    mean: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class Survival:
    """Kaplan–Meier curve of one arm: share of runs still below the threshold.

    Attributes:
        samples: Where the curve steps, from 0.
        share: Share below the threshold from there on.
        reached: Share of runs that reached it at all.
    """

    samples: tuple[float, ...]
    share: tuple[float, ...]
    reached: float


@dataclass(frozen=True, slots=True)
class Convergence:
    """Restricted time to the threshold, in training samples seen; positive favours transfer.

    Attributes:
        threshold: Validation score to reach, in the metric's unit.
        scratch: Mean restricted time of the scratch arm.
        transfer: Mean restricted time of the transfer arm.
        saved: Mean paired difference of the restricted times.
        low: Lower end of its 95 % interval, None with one pair.
        high: Upper end.
        p: Two-sided p of a paired t test.
        reached: Share of runs that reached it, scratch and transfer.
        survival: Kaplan–Meier curves, scratch and transfer.
        area: Difference of the mean validation score over the scratch run's samples (area under
            the learning curve over its width), oriented, in the metric's unit.
        jump_start: Oriented difference of the validation score before the first step.
        first_epoch: The same after one pass over the training instances.
        sweep: ``(share of scratch's way, samples saved, low, high)`` over thresholds; only the
            primary one is a test, the others show how the result depends on it.
        running: Expected running time of either arm: samples of all runs, those that failed with
            their whole budget, over the runs that reached it (Hansen et al. 2010): what it takes to
            get there once, starting again after each failure. None where no run did.
    """

    threshold: float
    scratch: float
    transfer: float
    saved: float
    low: float | None
    high: float | None
    p: float | None
    reached: tuple[float, float]
    survival: tuple[Survival, Survival]
    area: Difference
    jump_start: Difference
    first_epoch: Difference
    sweep: tuple[tuple[float, float, float | None, float | None], ...]
    running: tuple[float | None, float | None] = (None, None)


def convergence(cell: Cell) -> Convergence | None:
    """Compare the validation curves of a cell; None where there is no curve.

    The threshold closes 90 % of the way from the scratch arm's median score at step 0 to its
    median best score; transfer curves have no part in it. A run that never reaches it counts with
    its whole budget and is not dropped (restricted mean time; dropping such runs reverses
    conclusions). A score at the grid of evaluations stands for the time since the one before.
    """
    pairs = [p for p in cell.pairs if p[0].curve and p[1].curve]
    if not pairs:
        return None
    sign = metrics.get(pairs[0][0].metric).sign
    level = _threshold(pairs, sign, CLOSED)
    times = _times(pairs, sign, level)
    saved = _difference(times[:, 0] - times[:, 1])
    means = times.mean(axis=0)
    curves = tuple(kaplan_meier(*_events(pairs, arm, sign, level)) for arm in (0, 1))
    starts = np.array([[sign * row.curve["score"][0] for row in pair] for pair in pairs])
    firsts = np.array([[sign * _after_one_pass(row) for row in pair] for pair in pairs])
    areas = np.array([[sign * _mean_score(row, p[0]) for row in p] for p in pairs])
    return Convergence(
        threshold=sign * level,
        scratch=float(means[0]),
        transfer=float(means[1]),
        saved=saved.mean,
        low=saved.low,
        high=saved.high,
        p=saved.p,
        reached=(curves[0].reached, curves[1].reached),
        survival=(curves[0], curves[1]),
        area=_difference(areas[:, 1] - areas[:, 0]),
        jump_start=_difference(starts[:, 1] - starts[:, 0]),
        first_epoch=_difference(firsts[:, 1] - firsts[:, 0]),
        sweep=_sweep(pairs, sign),
        running=(
            running_time(times[:, 0], curves[0].reached),
            running_time(times[:, 1], curves[1].reached),
        ),
    )


def running_time(times: Array, reached: float) -> float | None:
    """Samples of all runs over those that reached the threshold; None where none did."""
    return float(times.mean()) / reached if reached else None


def _threshold(pairs: Pairs, sign: float, closed: float) -> float:
    start = float(np.median([sign * s.curve["score"][0] for s, _ in pairs]))
    best = float(np.median([max(sign * v for v in s.curve["score"]) for s, _ in pairs]))
    return start + closed * (best - start)


def _times(pairs: Pairs, sign: float, level: float) -> Array:
    return np.array([[_time(row, sign, level) for row in pair] for pair in pairs])


def _time(row: Result, sign: float, level: float) -> float:
    first, budget = _first(row, sign, level), _budget(row)
    return budget if first is None else min(first, budget)


def _budget(row: Result) -> float:
    return float(row.ledger["steps"] * row.ledger["batch"])


def _first(row: Result, sign: float, level: float) -> float | None:
    """First evaluation at the threshold that holds at the next one too, if there is one."""
    good = [sign * value >= level for value in row.curve["score"]]
    for i, samples in enumerate(row.curve["samples"]):
        if good[i] and good[min(i + 1, len(good) - 1)]:
            return samples
    return None


def _events(pairs: Pairs, arm: int, sign: float, level: float) -> tuple[Array, NDArray[np.bool_]]:
    firsts = [_first(pair[arm], sign, level) for pair in pairs]
    ends = [_budget(pair[arm]) for pair in pairs]
    times = np.array([end if f is None else f for f, end in zip(firsts, ends, strict=True)])
    return times, np.array([f is not None for f in firsts])


def kaplan_meier(times: Array, reached: NDArray[np.bool_]) -> Survival:
    """Kaplan and Meier 1958: times ``(n,)`` of the event, or of leaving without it."""
    samples, share, left = [0.0], [1.0], 1.0
    for moment in np.unique(times[reached]):
        at_risk = int((times >= moment).sum())
        left *= 1 - int(((times == moment) & reached).sum()) / at_risk
        if moment == 0.0:
            share[0] = left
        else:
            samples.append(float(moment))
            share.append(left)
    return Survival(tuple(samples), tuple(share), float(reached.mean()))


def _difference(d: Array) -> Difference:
    if len(d) < 2:
        return Difference(float(d.mean()), None, None, None)
    spread = plain_spread(d)
    return Difference(float(d.mean()), *interval(d, spread), t_test(d, spread))


def _after_one_pass(row: Result) -> float:
    """Score at the evaluation nearest to one pass over the training instances."""
    gaps = np.abs(np.array(row.curve["samples"]) - row.sizes["train"])
    return row.curve["score"][int(gaps.argmin())]


def _mean_score(row: Result, scratch: Result) -> float:
    """Area under the curve over the samples that the scratch run saw, per sample.

    A run that stopped earlier keeps its last score.
    """
    end = scratch.curve["samples"][-1]
    if end == 0:
        return row.curve["score"][0]
    grid = np.linspace(0, end, 257)
    return float(
        np.trapezoid(np.interp(grid, row.curve["samples"], row.curve["score"]), grid) / end
    )


def _sweep(
    pairs: Pairs, sign: float
) -> tuple[tuple[float, float, float | None, float | None], ...]:
    found = []
    for closed in SWEEP:
        times = _times(pairs, sign, _threshold(pairs, sign, closed))
        d = _difference(times[:, 0] - times[:, 1])
        found.append((closed, d.mean, d.low, d.high))
    return tuple(found)
