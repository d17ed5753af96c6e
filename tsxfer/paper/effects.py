"""Effects of source on target with the package's own statistics: log ratios, paired by repeat.

The study pools 28 relative gains as if independent. Here the models of a repeat are averaged
first, so that the repeat, which shares one draw of the training instances, is the unit of
inference; gains are logarithms of the ratio of scores, which cannot explode on one side only.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.results import Result
from tsxfer.paper.grid import Baseline, Grid, score, sign
from tsxfer.paper.select import Chosen, Rule, Trusted, choose
from tsxfer.stats import tests as tests
from tsxfer.stats.compare import FEWEST, Comparison, compare
from tsxfer.stats.families import benjamini_hochberg

LEVEL = 0.05
Values: TypeAlias = NDArray[np.float64]
Sign: TypeAlias = Literal["better", "worse", "undecided"]


@dataclass(frozen=True, slots=True)
class Tested:
    """A mean of paired log ratios against 0.

    Attributes:
        mean: Mean over repeats; positive means better.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p: Two-sided moderated t, Benjamini-Hochberg over the family.
    """

    mean: float
    low: float
    high: float
    p: float

    @property
    def sign(self) -> Sign:
        """Better or worse where the corrected p is below `LEVEL`."""
        if self.p >= LEVEL:
            return "undecided"
        return "better" if self.mean > 0 else "worse"

    @property
    def ratio(self) -> float:
        """How many times as good as scratch: of errors scratch over transfer, of F1 the inverse."""
        return math.exp(self.mean)


@dataclass(frozen=True, slots=True)
class Effect:
    """One source on one target at one size.

    Attributes:
        source: Versioned name.
        target: Versioned name.
        size: Label budget.
        gains: Log ratio of each model, an array over repeats.
        test: Of their mean over models.
    """

    source: str
    target: str
    size: str
    gains: dict[str, Values]
    test: Tested

    @property
    def mean(self) -> Values:
        """Mean over models in each repeat."""
        return over_models(self.gains)


@dataclass(frozen=True, slots=True)
class View:
    """The rows under one rule for the multiplier, after the gates.

    Attributes:
        name: Of the rule.
        effects: Pairs of source and target with a valid baseline in one model or more.
        comparisons: The package's own verdict of every cell with a valid baseline.
        speeds: Sign of the saving of samples of every such cell with curves, corrected.
        left_out: Cells without a valid baseline, by target.
        of: All cells, by target.
    """

    name: str
    effects: tuple[Effect, ...]
    comparisons: tuple[Comparison, ...]
    speeds: tuple[tuple[Comparison, Sign], ...]
    left_out: Counter[str]
    of: Counter[str]


def view(
    grid: Grid,
    rule: Rule,
    *,
    drop: Collection[int] = (),
    trusted: Trusted | None = None,
    invalid: Collection[Baseline] = (),
) -> View:
    """Apply a rule and compare what has a valid baseline."""
    chosen = choose(grid, rule, drop=drop, trusted=trusted)
    kept = [one for one in chosen if one.place.baseline not in invalid]
    left_out = Counter(one.place.target for one in chosen if one.place.baseline in invalid)
    comparisons = compare([one.cell for one in kept])
    return View(
        f"multiplier {rule}",
        tuple(effects(kept)),
        tuple(comparisons),
        tuple(_speeds(comparisons)),
        left_out,
        Counter(one.place.target for one in chosen),
    )


def effects(chosen: Iterable[Chosen]) -> list[Effect]:
    """Pairs of source and target, tested over the whole list as one family."""
    gains: dict[tuple[str, str, str], dict[str, Values]] = {}
    for one in chosen:
        key = (one.place.source, one.place.target, one.place.size)
        gains.setdefault(key, {})[one.place.model] = log_gains(one.cell.pairs)
    found = infer([over_models(by_model) for by_model in gains.values()])
    return [
        Effect(*key, by_model, test)
        for (key, by_model), test in zip(gains.items(), found, strict=True)
    ]


def over_models(gains: dict[str, Values]) -> Values:
    """Mean over models in each repeat; repeats that a model lacks at the end are left out."""
    shortest = min(map(len, gains.values()))
    mean: Values = np.mean([values[:shortest] for values in gains.values()], axis=0)
    return mean


def log_gains(pairs: Sequence[tuple[Result, Result]]) -> Values:
    """Log of the ratio of scores in each pair; positive means that the second is better."""
    return np.array([sign(s) * (_log(t) - _log(s)) for s, t in pairs])


def _log(row: Result) -> float:
    return math.log(max(score(row), 1e-12))  # a perfect or an empty score has no logarithm


def infer(families: Sequence[Values]) -> list[Tested]:
    """Moderated t tests with Benjamini-Hochberg; fewer than `FEWEST` repeats decide nothing."""
    usable = [i for i, values in enumerate(families) if len(values) >= FEWEST]
    spreads = tests.moderated_spreads([families[i] for i in usable])
    found = [Tested(float(np.mean(values)), -math.inf, math.inf, 1.0) for values in families]
    p = [tests.t_test(families[i], s) for i, s in zip(usable, spreads, strict=True)]
    corrected = benjamini_hochberg(p)
    for i, spread, value in zip(usable, spreads, corrected, strict=True):
        low, high = tests.interval(families[i], spread)
        found[i] = Tested(found[i].mean, low, high, 1.0 if value is None else value)
    return found


def _speeds(comparisons: Sequence[Comparison]) -> list[tuple[Comparison, Sign]]:
    """Cells with curves and the sign of the samples saved, corrected over all of them."""
    timed = [(c, c.convergence) for c in comparisons if c.convergence]
    corrected = benjamini_hochberg([speed.p for _, speed in timed])
    return [(c, _sign(speed.saved, p)) for (c, speed), p in zip(timed, corrected, strict=True)]


def _sign(value: float, p: float | None) -> Sign:
    if p is None or p >= LEVEL:
        return "undecided"
    return "better" if value > 0 else "worse"
