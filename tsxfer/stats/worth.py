"""How many labels is the pretraining worth? The scratch budget that matches transfer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.keys import stream
from tsxfer.stats.compare import Comparison

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Worth:
    """Labels that a scratch model needs to match transfer at one budget.

    Attributes:
        source: Source data set.
        target: Target data set.
        model: Backbone.
        size: Budget of the transfer arm, in labels.
        labels: Scratch budget with the same mean score; at the ends of the grid, that end.
        low: Lower end of the 95 % interval.
        high: Upper end.
        capped: Share of the bootstrap draws in which the match lies outside of the grid.
        grid: Smallest and largest scratch budget measured.
    """

    source: str
    target: str
    model: str
    size: int
    labels: float
    low: float
    high: float
    capped: float
    grid: tuple[int, int]


def labels_worth(comparisons: Sequence[Comparison], sizes: dict[str, int]) -> list[Worth]:
    """One statement for each comparison whose target has scratch runs at two sizes or more.

    Scratch scores are joined by straight lines over the logarithm of the budget, made monotone
    (more labels never count as worse); repeats are drawn again, the same ones in all arms.

    Args:
        comparisons: Of one report.
        sizes: Labels used, by comparison key.
    """
    groups: dict[tuple[object, ...], list[Comparison]] = {}
    for c in comparisons:
        reuse = c.trial.reuse
        rule = (reuse.rate_multiplier, reuse.strategy) if reuse else ()
        groups.setdefault((c.source, c.trial.dataset, c.trial.model, *rule), []).append(c)
    found = []
    for group in groups.values():
        ordered = sorted(group, key=lambda c: sizes[c.trial.key])
        labels = [sizes[c.trial.key] for c in ordered]
        if len(set(labels)) > 1:
            found += [_worth(ordered, labels, c) for c in ordered]
    return [worth for worth in found if worth is not None]


def _worth(ordered: Sequence[Comparison], labels: list[int], c: Comparison) -> Worth | None:
    shared = sorted(set.intersection(*(set(o.repeats) for o in ordered)))
    if len(shared) < 2:
        return None
    sign = metrics.get(c.metric).sign
    scratch = np.array([_at(o.scratch, o.repeats, shared) for o in ordered]) * sign
    transfer = np.array(_at(c.transfer, c.repeats, shared)) * sign
    grid = np.log(labels)
    draw = stream("labels worth", len(shared)).integers(len(shared), size=(DRAWS, len(shared)))
    curves, goals = scratch[:, draw].mean(axis=2), transfer[draw].mean(axis=1)
    drawn = np.array([_match(grid, curves[:, i], goals[i]) for i in range(DRAWS)])
    low, high = np.exp(np.quantile(drawn, (0.025, 0.975)))
    capped = float(np.mean((drawn <= grid[0]) | (drawn >= grid[-1])))
    labels_now = float(np.exp(_match(grid, scratch.mean(axis=1), float(transfer.mean()))))
    size = labels[list(ordered).index(c)]
    return Worth(
        source=c.source,
        target=c.trial.dataset,
        model=c.trial.model,
        size=size,
        labels=labels_now,
        low=float(low),
        high=float(high),
        capped=capped,
        grid=(labels[0], labels[-1]),
    )


def _at(scores: Sequence[float], repeats: Sequence[int], wanted: Sequence[int]) -> list[float]:
    by = dict(zip(repeats, scores, strict=True))
    return [by[r] for r in wanted]


def _match(grid: NDArray[np.float64], scratch: NDArray[np.float64], goal: float) -> float:
    """Log budget at which the monotone scratch curve meets the goal, within the grid."""
    rising = np.maximum.accumulate(scratch)
    if goal <= rising[0]:
        return float(grid[0])
    if goal >= rising[-1]:
        return float(grid[-1])
    i = int(np.searchsorted(rising, goal))
    share = (goal - rising[i - 1]) / (rising[i] - rising[i - 1])
    return float(grid[i - 1] + share * (grid[i] - grid[i - 1]))
