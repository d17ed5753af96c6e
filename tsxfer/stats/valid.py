"""Whether scratch has learned anything: a baseline that failed makes no comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.stats import began
from tsxfer.stats.cells import Cell

FAILED = "scratch does not beat the best trivial prediction by the margin: no valid baseline"


def above_chance(rows: Sequence[Result]) -> float | None:
    """Mean distance of the rows' scores to the best trivial prediction; positive is better.

    None where no row knows that answer.
    """
    metric = rows[0].metric
    known = [row for row in rows if metric in row.chance]
    if not known:
        return None
    sign = metrics.get(metric).sign
    return float(np.mean([sign * (row.scores[metric] - row.chance[metric]) for row in known]))


def beats_chance(rows: Sequence[Result], margin: float) -> bool:
    """Whether rows beat the best trivial prediction by the margin, on average.

    Rows that carry no such answer (of an early version, or imported) count as valid.
    """
    above = above_chance(rows)
    return above is None or (above > 0 and above >= margin)


def at_chance(row: Result) -> bool:
    """Whether a row is no better than the best trivial prediction; False where unknown."""
    chance = row.chance.get(row.metric)
    sign = metrics.get(row.metric).sign
    return chance is not None and sign * (row.scores[row.metric] - chance) <= 0


def alarms(cell: Cell) -> tuple[str, ...]:
    """Repeats in which an arm is no better than an trivial prediction, by arm."""
    found = []
    for arm, name in enumerate(cell.arms):
        rows = [(pair[arm], pair[arm].trial.repeat) for pair in cell.pairs]
        bad = [str(repeat) for row, repeat in rows if at_chance(row)]
        if bad and not (cell.against and cell.against.baseline == "trivial" and arm == 0):
            found.append(f"{name} at chance in repeat {', '.join(bad)} of {len(rows)}")
        found += began.alarms([row for row, _ in rows], name)
    return tuple(found)
