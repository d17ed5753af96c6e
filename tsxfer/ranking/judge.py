"""How often rankings have been right: weighted Kendall tau, regret and hits over finished cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsxfer.keys import stream
from tsxfer.ranking.rankers import Ranker, known
from tsxfer.stats.tests import expanded_tail

DRAWS = 5000
FEWEST_SOURCES = 3  # for an order
FEWEST_TARGETS = 6  # for an interval: the very range of five covers a median with less than 95 %
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One target, model and size after training, with the scores that were there before.

    Attributes:
        target: Versioned name; intervals draw whole targets.
        gains: Mean gain of each source over scratch, in margins of the target's card.
        scores: By ranker, one for each source in the same order; None where not defined.
    """

    target: str
    gains: tuple[float, ...]
    scores: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over targets (of the means of their cells).

    Attributes:
        value: The mean.
        low: Lower end of its 95 % bootstrap interval over targets; None below six targets.
        high: Upper end.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Pick:
    """Result of picking one source in each cell; tied firsts count their average.

    Attributes:
        hit: Share of cells in which it had the largest mean gain.
        gain: Its gain over scratch, in margins; below 0 where no source would have been better.
        regret: Gain of the best source minus its gain, in margins.
    """

    hit: Mean
    gain: Mean
    regret: Mean


@dataclass(frozen=True, slots=True)
class Judged:
    """How well a ranker has done.

    Attributes:
        ranker: Its name.
        cells: Targets, models and sizes for which it scored every source.
        targets: Among them.
        first: Of picking the source that it puts first.
        blind: Of picking any source, in the same cells.
        saved: Regret of the blind pick minus that of the ranker, by cell.
        best_trivial: The trivial ranker with the least regret in these cells.
        over_trivial: Its regret minus that of the ranker, by cell.
        tau: Weighted Kendall tau (Vigna 2015) of scores and gains, of cells with three sources or
            more; a ranker that ties all sources gets 0. None where there is no such cell.
    """

    ranker: str
    cells: int
    targets: int
    first: Pick
    blind: Pick
    saved: Mean
    best_trivial: str
    over_trivial: Mean
    tau: Mean | None


def judge(outcomes: Sequence[Outcome]) -> list[Judged]:
    """Every ranker over the cells with two sources or more, all of which it scored."""
    found = []
    for ranker in known():
        usable = [o for o in outcomes if len(o.gains) > 1 and None not in o.scores[ranker.name]]
        if usable:
            found.append(_judged(ranker, usable))
    return found


def _judged(ranker: Ranker, outcomes: Sequence[Outcome]) -> Judged:
    targets = [o.target for o in outcomes]
    gains = [np.array(o.gains) for o in outcomes]
    scores = _oriented(ranker, outcomes)
    ties = [np.zeros_like(gain) for gain in gains]
    own, blind = _regrets(gains, scores), _regrets(gains, ties)
    trivial = {r.name: _regrets(gains, _oriented(r, outcomes)) for r in known() if r.trivial}
    best = min(trivial, key=lambda name: over_targets(trivial[name], targets).value)
    ordered = [i for i, gain in enumerate(gains) if len(gain) >= FEWEST_SOURCES]
    taus = [tau(gains[i], scores[i]) for i in ordered]
    return Judged(
        ranker=ranker.name,
        cells=len(outcomes),
        targets=len(set(targets)),
        first=_pick(gains, scores, targets),
        blind=_pick(gains, ties, targets),
        saved=over_targets(blind - own, targets),
        best_trivial=best,
        over_trivial=over_targets(trivial[best] - own, targets),
        tau=over_targets(taus, [targets[i] for i in ordered]) if ordered else None,
    )


def _oriented(ranker: Ranker, outcomes: Sequence[Outcome]) -> list[Array]:
    """Scores of each cell, larger is better."""
    sign = 1.0 if ranker.higher_is_better else -1.0
    return [sign * np.array(o.scores[ranker.name], float) for o in outcomes]


def _regrets(gains: Sequence[Array], scores: Sequence[Array]) -> Array:
    return np.array([regret(g, s) for g, s in zip(gains, scores, strict=True)])


def _pick(gains: Sequence[Array], scores: Sequence[Array], targets: Sequence[str]) -> Pick:
    firsts = [gain[s == s.max()] for gain, s in zip(gains, scores, strict=True)]
    return Pick(
        over_targets(
            [float(np.mean(f == g.max())) for f, g in zip(firsts, gains, strict=True)], targets
        ),
        over_targets([float(f.mean()) for f in firsts], targets),
        over_targets(_regrets(gains, scores), targets),
    )


def regret(gains: Array, scores: Array) -> float:
    """Largest gain minus the gain of the highest score; tied highest scores averaged."""
    return float(gains.max() - gains[scores == scores.max()].mean())


def tau(gains: Array, scores: Array) -> float:
    """Weighted Kendall tau in [-1, 1], larger weights to the best sources; 0 where all tie."""
    from scipy.stats import weightedtau

    if np.ptp(gains) == 0 or np.ptp(scores) == 0:
        return 0.0
    return float(weightedtau(gains, scores).statistic)


def over_targets(values: Sequence[float] | Array, targets: Sequence[str]) -> Mean:
    """Mean over targets of their mean, with a bootstrap that draws whole targets.

    So few targets make plain percentiles too narrow; their levels are widened until those of a mean
    would match Student's interval (expanded percentiles, Hesterberg 2015).
    """
    by: dict[str, list[float]] = {}
    for value, target in zip(values, targets, strict=True):
        by.setdefault(target, []).append(value)
    means = np.array([np.mean(group) for group in by.values()])
    if len(means) < FEWEST_TARGETS:
        return Mean(float(means.mean()), None, None)
    n = len(means)
    tail = expanded_tail(n)
    drawn = stream("ranking", n).integers(n, size=(DRAWS, n))
    low, high = np.quantile(means[drawn].mean(axis=1), (tail, 1 - tail))
    return Mean(float(means.mean()), float(low), float(high))
