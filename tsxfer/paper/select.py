"""Rules that choose the multiplier of each fine-tuning; each yields cells to compare.

``best`` is the study's: the best of the grid on the run's own test score (section 4).
``leave-one-out`` takes the multiplier with the best mean score over the other repeats, so a run's
own test score has no hand in its choice (section 6.2). A number fixes it; 1 is plain fine-tuning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from tsxfer.core.cautions import Caution
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.errors import SpecError
from tsxfer.paper.grid import Grid, Place, good, shared
from tsxfer.stats.cells import Cell

Rule: TypeAlias = Literal["best", "leave-one-out"] | float
Options: TypeAlias = dict[int, dict[float, Result]]
Trusted: TypeAlias = Mapping[str, Collection[float]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A place with the fine-tuning that a rule chose in each repeat.

    Attributes:
        place: Model, source, target and size.
        cell: Its pairs, for `tsxfer.stats.compare.compare`; the trial's multiplier is the fixed
            one, or 1 where it was chosen for each repeat.
    """

    place: Place
    cell: Cell


def parse(text: str) -> Rule:
    """``best``, ``leave-one-out`` or a multiplier above 0.

    Raises:
        SpecError: For anything else.
    """
    named: dict[str, Rule] = {"best": "best", "leave-one-out": "leave-one-out"}
    if text in named:
        return named[text]
    try:
        multiplier = float(text)
    except ValueError:
        multiplier = 0.0
    if not 0 < multiplier < float("inf"):
        raise SpecError(
            f"multiplier {text!r} is no rule",
            mend="write best, leave-one-out or a number, e.g. 1.0",
        )
    return multiplier


def choose(
    grid: Grid, rule: Rule, *, drop: Collection[int] = (), trusted: Trusted | None = None
) -> list[Chosen]:
    """Choose one fine-tuning for each place and repeat.

    Args:
        grid: All rows.
        rule: See above.
        drop: Repeats to leave out, in either arm and in choosing.
        trusted: Multipliers that may be chosen, by model; a model that is not named may use all.

    Raises:
        SpecError: If a repeat to drop does not occur, or nothing is left.
    """
    unknown = sorted(set(drop) - set(grid.repeats))
    if unknown:
        raise SpecError(
            f"there is no repeat {unknown[0]} to drop", mend=f"repeats are {grid.repeats}"
        )
    found = []
    for place, runs in grid.tuned.items():
        allowed = trusted.get(place.model) if trusted else None
        options = {r: _allowed(runs[r], allowed) for r in sorted(runs) if r not in drop}
        found.append(Chosen(place, _cell(grid, place, options, rule)))
    if not any(chosen.cell.pairs for chosen in found):
        raise SpecError(f"no pair is left with multiplier {rule}", mend="drop fewer, or use best")
    return [chosen for chosen in found if chosen.cell.pairs]


def marked(cell: Cell) -> Cell:
    """The cell, warned that each fine-tuning was chosen on the score that it is judged by."""
    return replace(
        cell,
        pairs=tuple(
            (s, replace(t, labels=(*t.labels, Caution.CHOSEN_ON_TEST))) for s, t in cell.pairs
        ),
    )


def _allowed(
    options: dict[float, Result], allowed: Collection[float] | None
) -> dict[float, Result]:
    return {m: row for m, row in options.items() if allowed is None or m in allowed}


def _cell(grid: Grid, place: Place, options: Options, rule: Rule) -> Cell:
    if rule == "best":
        picked = {r: max(o.values(), key=good) for r, o in options.items() if o}
    elif rule == "leave-one-out":
        picked = _leave_one_out(options)
    else:
        picked = {r: o[rule] for r, o in options.items() if rule in o}
    scratch = grid.scratch[place.baseline]
    gaps = tuple(
        f"repeat {r} of {place.source} → {place.target}, {place.model}: no fine-tuning to choose"
        for r in options
        if r not in picked
    )
    trial = _treatment(next(iter(grid.tuned[place].values())), rule)
    return Cell(trial, tuple((scratch[r], row) for r, row in picked.items()), gaps)


def _leave_one_out(options: Options) -> dict[int, Result]:
    """The multiplier that is best on the mean of the other repeats; needs two repeats."""
    repeats = list(options)
    grid = shared(list(options.values()))
    if len(repeats) < 2 or not grid:
        return {}
    scores = np.array([[good(options[r][m]) for m in grid] for r in repeats])
    others = (scores.sum(axis=0) - scores) / (len(repeats) - 1)
    return {r: options[r][grid[int(np.argmax(others[i]))]] for i, r in enumerate(repeats)}


def _treatment(options: dict[float, Result], rule: Rule) -> Trial:
    trial = next(iter(options.values())).trial
    assert trial.reuse is not None  # noqa: S101  a grid holds fine-tunings only
    multiplier = rule if isinstance(rule, float) else 1.0
    source = replace(trial.reuse.source, repeat=0)
    return replace(
        trial, repeat=0, reuse=replace(trial.reuse, source=source, rate_multiplier=multiplier)
    )
