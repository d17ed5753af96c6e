"""Grids of multipliers that are not smooth: one stands alone in most columns (section 6.4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from tsxfer.paper.grid import Grid, good, shared

ALONE = 0.8  # share of grids in which a multiplier leaves both neighbours on one side
SHARP = 2 / 3  # of the largest step in the rest of the grid
FEWEST_MULTIPLIERS = 5
FEWEST_GRIDS = 10  # sources times repeats of a column; fewer agree by chance near an optimum
Values: TypeAlias = NDArray[np.float64]
Column: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rough:
    """A multiplier that stands alone on its grid: neighbours cannot differ like this.

    Attributes:
        model: Which model.
        multiplier: The one that stands alone.
        columns: Target and size of the columns in which it does.
        of: Columns looked at.
        share: Median share of grids, over those columns, in which it leaves both neighbours on
            the same side.
        better: Whether it is better than its neighbours (so they are broken) in most columns.
        trusted: Multipliers that may be used.
    """

    model: str
    multiplier: float
    columns: tuple[Column, ...]
    of: int
    share: float
    better: bool
    trusted: tuple[float, ...]


def rough_grids(grid: Grid, at_chance: Collection[int] = ()) -> list[Rough]:
    """Models in which the same multiplier stands alone in most columns (section 6.4)."""
    found = []
    for model in grid.models:
        alone: dict[float, list[tuple[Column, float]]] = {}
        columns = [c for c in grid.columns if any(p.model == model for p in grid.tuned)]
        for column in columns:
            for multiplier, share in _alone(*_curves(grid, model, column, at_chance)):
                alone.setdefault(multiplier, []).append((column, share))
        if alone:
            multiplier, where = max(alone.items(), key=lambda item: len(item[1]))
            if 2 * len(where) > len(columns):
                found.append(_rough(grid, model, multiplier, where, len(columns)))
    return found


def _rough(
    grid: Grid, model: str, multiplier: float, where: Sequence[tuple[Column, float]], of: int
) -> Rough:
    better = sum(share > 0 for _, share in where) * 2 > len(where)
    options = [o for p, runs in grid.tuned.items() if p.model == model for o in runs.values()]
    every = sorted(set().union(*options))
    trusted = (multiplier,) if better else tuple(m for m in every if m != multiplier)
    share = float(np.median([abs(share) for _, share in where]))
    return Rough(
        model=model,
        multiplier=multiplier,
        columns=tuple(c for c, _ in where),
        of=of,
        share=share,
        better=better,
        trusted=trusted,
    )


def _curves(
    grid: Grid, model: str, column: Column, at_chance: Collection[int]
) -> tuple[list[float], Values]:
    """Multipliers and an array (source and repeat, multiplier) of scores, larger is better."""
    options = [
        o
        for place, runs in grid.tuned.items()
        if place.model == model and (place.target, place.size) == column
        for repeat, o in runs.items()
        if repeat not in at_chance
    ]
    multipliers = shared(options)
    return multipliers, np.array([[good(o[m]) for m in multipliers] for o in options])


def _alone(multipliers: list[float], scores: Values) -> list[tuple[float, float]]:
    """Multipliers off their neighbours: share of grids, negative where they are worse.

    Three things must hold: `ALONE` of the grids agree; that many would not by chance (under
    noise the middle of three is an extreme on a given side once in three; Bonferroni over the
    column); and the jump is `SHARP`, which a smooth optimum is not.
    """
    if len(multipliers) < FEWEST_MULTIPLIERS or len(scores) < FEWEST_GRIDS:
        return []
    found = []
    tests, grids = 2 * (len(multipliers) - 2), len(scores)
    for j in range(1, len(multipliers) - 1):
        middle, sides = scores[:, j], scores[:, [j - 1, j + 1]]
        above = int(np.sum(middle > sides.max(axis=1)))
        below = int(np.sum(middle < sides.min(axis=1)))
        most = max(above, below)
        rare = float(bdtrc(most - 1, grids, 1 / 3)) * tests < 0.05
        if rare and most >= ALONE * grids and _is_sharp(multipliers, scores.mean(axis=0), j):
            found.append((multipliers[j], most / grids if above > below else -most / grids))
    return found


def _is_sharp(multipliers: Sequence[float], means: Values, j: int) -> bool:
    """Distance from the line between the neighbours against the largest step without it."""
    x = np.log(multipliers)
    weight = (x[j] - x[j - 1]) / (x[j + 1] - x[j - 1])
    jump = means[j] - (1 - weight) * means[j - 1] - weight * means[j + 1]
    return bool(abs(jump) >= SHARP * np.abs(np.diff(np.delete(means, j))).max())
