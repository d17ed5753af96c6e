"""Checks that would have caught the faults of the study (section 6), from rows alone.

A repeat at chance, scratch baselines at chance, and a grid of multipliers that is not smooth.
Each finding carries the figures that made it. The thresholds lie far from what noise gives and
far from what the study's faults give; the tests hold both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.results import Result
from tsxfer.paper.grid import Baseline, Grid, good, shared, sign
from tsxfer.paper.rough import Column, Rough, Values, rough_grids

FEWEST_REPEATS = 5  # below, the range of the other repeats is too poor a ruler
FAR = 2.0  # ranges of the other repeats


@dataclass(frozen=True, slots=True)
class ChanceRepeat:
    """A repeat whose test scores are far worse than those of all others, in both arms.

    Attributes:
        repeat: Which.
        columns: Target and size of the columns in which it is.
        of: Columns looked at.
        worst: Share of runs (both arms, all columns) in which it is the worst repeat.
        gap: Median distance below the median of the others, in ranges of the others.
        rising: Share of its scratch regressions whose scored error rises while training goes
            well; None without curves of error.
        rising_elsewhere: The same in the other repeats.
    """

    repeat: int
    columns: tuple[Column, ...]
    of: int
    worst: float
    gap: float
    rising: float | None
    rising_elsewhere: float | None


@dataclass(frozen=True, slots=True)
class ChanceBaseline:
    """Scratch runs that are not better than a prediction that ignores the window.

    Attributes:
        baseline: Model, target and size.
        score: Mean of its repeats.
        chance: Score of the best such answer.
        measured: The level was read off a repeat at chance, as the rows carry none.
    """

    baseline: Baseline
    score: float
    chance: float
    measured: bool


@dataclass(frozen=True, slots=True)
class Gates:
    """All findings.

    Attributes:
        repeats: Repeats at chance.
        baselines: Scratch at chance.
        rough: Grids of multipliers that are not smooth.
        unequal: Baselines whose scratch runs minimised another loss than the fine-tunings.
    """

    repeats: tuple[ChanceRepeat, ...]
    baselines: tuple[ChanceBaseline, ...]
    rough: tuple[Rough, ...]
    unequal: tuple[Baseline, ...]

    @property
    def drop(self) -> tuple[int, ...]:
        """Repeats to leave out."""
        return tuple(found.repeat for found in self.repeats)

    @property
    def trusted(self) -> dict[str, tuple[float, ...]]:
        """Multipliers that may be used, for the models in which not all may."""
        return {found.model: found.trusted for found in self.rough}

    @property
    def invalid(self) -> frozenset[Baseline]:
        """Baselines that no claim may rest on: scratch at chance, or on another loss."""
        return frozenset((*(found.baseline for found in self.baselines), *self.unequal))


def check(grid: Grid) -> Gates:
    """Run all gates; those after the first leave out the repeats that it found."""
    repeats = tuple(chance_repeats(grid))
    bad = [found.repeat for found in repeats]
    return Gates(
        repeats,
        tuple(chance_baselines(grid, bad)),
        tuple(rough_grids(grid, bad)),
        tuple(unequal_losses(grid)),
    )


def unequal_losses(grid: Grid) -> list[Baseline]:
    """Baselines whose scratch runs minimised another loss than a fine-tuning (section 6.3).

    The loss is what the row says; for the published rows it is that of the published commands.
    """
    found: dict[Baseline, None] = {}
    for place, runs in grid.tuned.items():
        scratch = grid.scratch[place.baseline]
        if any(row.loss != scratch[r].loss for r, o in runs.items() for row in o.values()):
            found[place.baseline] = None
    return list(found)


def chance_repeats(grid: Grid) -> list[ChanceRepeat]:
    """Repeats that lie far below all others, in both arms of most columns (section 6.1).

    "Far" in an arm of a column: the worst repeat in most of its runs, and `FAR` ranges of the
    other repeats below their median in half of them or more. Too few repeats find nothing.
    """
    repeats = grid.repeats
    if len(repeats) < FEWEST_REPEATS:
        return []
    arms = {column: _arms(grid, column, repeats) for column in grid.columns}
    arms = {column: both for column, both in arms.items() if all(map(len, both))}
    found = []
    for i, repeat in enumerate(repeats):
        columns = [c for c, both in arms.items() if all(_is_far(arm, i) for arm in both)]
        if 2 * len(columns) > len(arms):
            found.append(_chance_repeat(grid, repeat, i, columns, arms))
    return found


def _arms(grid: Grid, column: Column, repeats: list[int]) -> tuple[Values, Values]:
    """Scratch and transfer: an array each of (runs that have all repeats, repeats)."""
    scratch = [
        [good(runs[r]) for r in repeats]
        for place, runs in grid.scratch.items()
        if (place.target, place.size) == column and set(repeats) <= set(runs)
    ]
    tuned = [
        [good(runs[r][m]) for r in repeats]
        for place, runs in grid.tuned.items()
        if (place.target, place.size) == column and set(repeats) <= set(runs)
        for m in shared([runs[r] for r in repeats])
    ]
    return np.array(scratch), np.array(tuned)


def _is_far(arm: Values, i: int) -> bool:
    return float(np.mean(_is_worst(arm, i))) > 0.5 and float(np.median(_gaps(arm, i))) >= FAR


def _is_worst(arm: Values, i: int) -> NDArray[np.bool_]:
    worst: NDArray[np.bool_] = arm[:, i] < np.delete(arm, i, axis=1).min(axis=1)
    return worst


def _gaps(arm: Values, i: int) -> Values:
    """Distance below the median of the other repeats, in their ranges; one value a run."""
    others = np.delete(arm, i, axis=1)
    gap, ruler = np.median(others, axis=1) - arm[:, i], np.ptp(others, axis=1)
    gaps: Values = np.divide(gap, ruler, out=np.where(gap > 0, np.inf, 0.0), where=ruler > 0)
    return gaps


def _chance_repeat(
    grid: Grid,
    repeat: int,
    i: int,
    columns: Sequence[Column],
    arms: dict[Column, tuple[Values, Values]],
) -> ChanceRepeat:
    runs = [arm for both in arms.values() for arm in both]
    here = [r for r in (_rises(row) for row in _scratch(grid, [repeat])) if r is not None]
    others = [r for r in grid.repeats if r != repeat]
    there = [r for r in (_rises(row) for row in _scratch(grid, others)) if r is not None]
    return ChanceRepeat(
        repeat=repeat,
        columns=tuple(columns),
        of=len(arms),
        worst=float(np.mean(np.concatenate([_is_worst(arm, i) for arm in runs]))),
        gap=float(np.median(np.concatenate([_gaps(arm, i) for arm in runs]))),
        rising=float(np.mean(here)) if here else None,
        rising_elsewhere=float(np.mean(there)) if there else None,
    )


def _scratch(grid: Grid, repeats: Collection[int]) -> Iterator[Result]:
    for runs in grid.scratch.values():
        yield from (row for repeat, row in runs.items() if repeat in repeats)


def _rises(row: Result) -> bool | None:
    """Whether the error on the scored curve rises up to the chosen checkpoint (Spearman).

    Only errors tell: F1 at chance hardly moves. None for those, and for curves of fewer than
    three points.
    """
    samples = np.array(row.curve.get("samples", []))
    until = (samples > 0) & (samples <= row.cost.get("best_samples", np.inf))
    if sign(row) > 0 or until.sum() < 3:
        return None
    ranks = np.argsort(np.argsort(np.array(row.curve["score"])[until]))
    return bool(np.cov(ranks, np.arange(len(ranks)))[0, 1] > 0)


def chance_baselines(grid: Grid, at_chance: Collection[int] = ()) -> list[ChanceBaseline]:
    """Scratch baselines whose mean is not two standard errors above chance (section 6.3).

    Where rows carry no chance level, the best score of any run in the repeats at chance stands in:
    predictions that are scored against other windows' labels are trivial predictions.
    """
    levels = _measured_chance(grid, at_chance)
    found = []
    for baseline, runs in grid.scratch.items():
        kept = [row for repeat, row in sorted(runs.items()) if repeat not in at_chance]
        level, measured = _level(kept, levels.get((baseline.target, baseline.size)))
        if kept and level is not None and _not_above(kept, level):
            mean = float(np.mean([row.scores[row.metric] for row in kept]))
            found.append(ChanceBaseline(baseline, mean, sign(kept[0]) * level, measured))
    return found


def _level(rows: Sequence[Result], measured: float | None) -> tuple[float | None, bool]:
    """Chance, turned so that larger is better, and whether it was measured."""
    known = [sign(row) * row.chance[row.metric] for row in rows if row.metric in row.chance]
    return (max(known), False) if known else (measured, True)


def _not_above(rows: Sequence[Result], level: float) -> bool:
    above = np.array([good(row) for row in rows]) - level
    noise = above.std(ddof=1) / np.sqrt(len(above)) if len(above) > 1 else 0.0
    return bool(above.mean() <= 2 * noise)


def _measured_chance(grid: Grid, at_chance: Collection[int]) -> dict[Column, float]:
    """Best score of each column in the repeats at chance, turned so that larger is better."""
    levels: dict[Column, float] = {}
    for place, runs in grid.tuned.items():
        column = (place.target, place.size)
        scratch = grid.scratch[place.baseline]
        rows = [row for r in at_chance for row in runs.get(r, {}).values()]
        rows += [scratch[r] for r in at_chance if r in scratch]
        if rows:
            levels[column] = max(levels.get(column, -np.inf), *map(good, rows))
    return levels
