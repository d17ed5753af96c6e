"""Rows by place: which scratch run and which fine-tunings over multipliers belong together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.errors import ComparisonError
from tsxfer.stats.cells import EQUAL

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What scratch runs of a cell share."""

    model: str
    target: str
    size: str


@dataclass(frozen=True, slots=True)
class Place:
    """What the fine-tunings of a cell share, over repeats and multipliers."""

    model: str
    source: str
    target: str
    size: str

    @property
    def baseline(self) -> Baseline:
        """Its scratch runs."""
        return Baseline(self.model, self.target, self.size)


@dataclass(frozen=True, slots=True)
class Grid:
    """All rows of a study with a grid of multipliers.

    Attributes:
        scratch: Row by repeat of each baseline.
        tuned: Row by repeat and multiplier of each place.
    """

    scratch: dict[Baseline, dict[int, Result]]
    tuned: dict[Place, dict[int, dict[float, Result]]]

    @property
    def repeats(self) -> list[int]:
        """Repeats that occur."""
        return sorted({repeat for runs in self.tuned.values() for repeat in runs})

    @property
    def models(self) -> list[str]:
        """Models in order of appearance."""
        return list(dict.fromkeys(place.model for place in self.tuned))

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Target and size of each column of a table."""
        return list(dict.fromkeys((place.target, place.size) for place in self.tuned))

    @property
    def sources(self) -> list[str]:
        """Sources, in the order of the targets where they are targets too."""
        return ordered_sources(self.tuned)


def ordered_sources(places: Iterable[Place]) -> list[str]:
    """Sources in the order of the targets, others behind."""
    found = list(places)
    targets = list(dict.fromkeys(place.target for place in found))
    sources = dict.fromkeys(place.source for place in found)
    return [t for t in targets if t in sources] + [s for s in sources if s not in targets]


def build(rows: Iterable[Result]) -> Grid:
    """Sort finished rows into a grid; a fine-tuning without its scratch twin is left out.

    Raises:
        ComparisonError: If no pair is left, if two rows fill one place (other recipes or frozen
            layers in the same study), or if a pair was made on unequal terms.
    """
    done = {row.trial: row for row in rows if row.status == "done"}
    grid = Grid({}, {})
    for trial, row in done.items():
        twin = done.get(trial.twin()) if trial.reuse else None
        if trial.reuse and twin and not trial.control:
            _refuse_unequal(twin, row)
            _add(grid, twin, row, trial)
    if not grid.tuned:
        raise ComparisonError(
            "no fine-tuned row has its scratch twin", mend="name a study with finished rows"
        )
    return grid


def _add(grid: Grid, twin: Result, row: Result, trial: Trial) -> None:
    assert trial.reuse is not None  # noqa: S101  the caller has looked
    place = Place(trial.model, trial.reuse.source.dataset, trial.dataset, trial.size)
    at = grid.tuned.setdefault(place, {}).setdefault(trial.repeat, {})
    scratch = grid.scratch.setdefault(place.baseline, {}).setdefault(trial.repeat, twin)
    if trial.reuse.rate_multiplier in at or scratch is not twin:
        raise ComparisonError(
            f"two rows for {place.source} → {place.target}, {place.model}, {place.size}, "
            f"repeat {trial.repeat}",
            mend="give the rows of one study with one recipe",
        )
    at[trial.reuse.rate_multiplier] = row


def _refuse_unequal(scratch: Result, tuned: Result) -> None:
    unequal = [name for name in EQUAL if getattr(scratch, name) != getattr(tuned, name)]
    if unequal:
        raise ComparisonError(
            f"scratch {scratch.key} and transfer {tuned.key} differ in {', '.join(unequal)}",
            where=f"{scratch.trial.dataset}, repeat {scratch.trial.repeat}",
            mend="run the study again",
        )


def score(row: Result) -> float:
    """Primary test score."""
    return row.scores[row.metric]


def good(row: Result) -> float:
    """Primary test score, turned so that larger is better."""
    return sign(row) * score(row)


def sign(row: Result) -> float:
    """1 where larger is better, else -1."""
    return metrics.get(row.metric).sign


def shared(options: Sequence[dict[float, Result]]) -> list[float]:
    """Multipliers that every repeat has, ascending."""
    common = set(options[0]).intersection(*options[1:]) if options else set()
    return sorted(common)
