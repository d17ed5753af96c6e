"""How many labels is the pretraining worth? The scratch budget that matches transfer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.keys import stream
from tsxfer.stats.compare import Comparison
from tsxfer.stats.several import Wider, outset

Values = NDArray[np.float64]
DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Worth:
    """Labels that a scratch model needs to match transfer at one budget.

    Attributes:
        source: Source data set.
        target: Target data set.
        model: Backbone.
        size: Budget of the transfer arm, in labels; 0 of a zero-shot answer.
        labels: Scratch budget with the same mean score; at the ends of the grid, that end.
        low: Lower end of the 95 % interval on these test instances.
        high: Upper end.
        capped: Share of the bootstrap draws in which the match lies outside of the grid.
        grid: Smallest and largest scratch budget measured.
        whom: What it can speak of.
        new_low: Lower end of the 95 % interval for new groups; None where nothing can be said.
        new_high: Upper end.
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
    whom: Wider
    new_low: float | None = None
    new_high: float | None = None


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
    drawn = _matched(grid, curves, goals)
    low, high = np.exp(np.quantile(drawn, (0.025, 0.975)))
    whom = outset([*ordered, c])
    new_low = new_high = None
    if whom.scope == "new groups" and not whom.why:
        moved, goal = _other_groups(ordered, c)
        wider = _matched(grid, curves + moved, goals + goal)
        new_low, new_high = map(float, np.exp(np.quantile(wider, (0.025, 0.975))))
    capped = float(np.mean((drawn <= grid[0]) | (drawn >= grid[-1])))
    labels_now = float(np.exp(_match(grid, scratch.mean(axis=1), float(transfer.mean()))))
    size = 0 if c.trial.zero_shot else labels[list(ordered).index(c)]
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
        whom=whom,
        new_low=None if new_low is None else min(new_low, float(low)),
        new_high=None if new_high is None else max(new_high, float(high)),
    )


def _matched(grid: Values, curves: Values, goals: Values) -> Values:
    return np.array([_match(grid, curves[:, i], goals[i]) for i in range(len(goals))])


def _other_groups(ordered: Sequence[Comparison], c: Comparison) -> tuple[Values, Values]:
    """How far other test groups would move scratch ``(size, draw)`` and transfer ``(draw)``.

    Each block of groups moves all of them together by what leaving it out does, times a normal
    number: the covariance of the jackknife, in a multivariate t. Other pretrainings move transfer.
    """
    left = [o.test.left[:, 0].mean(axis=0) for o in ordered if o.test]
    left += [c.test.left[:, 1].mean(axis=0)] if c.test else []
    away = metrics.get(c.metric).sign * (np.array(left) - np.mean(left, axis=1, keepdims=True))
    blocks = away.shape[1]
    draw = stream("labels worth", "groups", blocks)
    spread = np.sqrt((blocks - 1) / blocks * (1 + c.beyond.ratio))
    moved = spread * away @ draw.normal(size=(blocks, DRAWS)) * _heavy(draw, blocks - 1.0)
    apart = (c.beyond.parts or {}).get("pretrainings")
    if apart:
        moved[-1] += np.sqrt(apart.variance) * draw.normal(size=DRAWS) * _heavy(draw, apart.df)
    return moved[:-1], moved[-1]


def _heavy(draw: np.random.Generator, df: float) -> Values:
    """Factors that make normal numbers Student's."""
    return np.sqrt(df / draw.chisquare(df, DRAWS))


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
