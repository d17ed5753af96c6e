"""How long trials will take, from rows that this workspace already has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean

from tsxfer.core.results import Result
from tsxfer.core.sizes import SOME_CLASSES, label_budget
from tsxfer.core.specs import NO_BACKBONE, PROFILES, Trial
from tsxfer.data import catalogue, prepare
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long is left.

    Attributes:
        hours: Of one worker; None where nothing like some trial has run.
        basis: What it rests on, or what is missing.
    """

    hours: float | None
    basis: str


def estimate(todo: Sequence[Trial], own: Iterable[Result], workspace: Workspace) -> Estimate:
    """Hours from rows of this study, else from those of all studies of the workspace."""
    rows = [row for row in own if _timed(row)]
    if not {_kind(t) for t in todo} <= {_kind(row.trial) for row in rows}:
        known = {row.key: row for row in rows}
        for name in workspace.studies():
            known |= Store.of(workspace, name).rows()
        rows = [row for row in known.values() if _timed(row)]
    rates = _Rates.of(rows, cache(lambda name: _extent(name, workspace)))
    unknown = {_method(t) for t in todo} - set(rates.model)
    if unknown:
        return Estimate(None, f"no row of {', '.join(sorted(unknown))} in this workspace yet")
    like = sum(_kind(t) not in rates.kind for t in todo)
    basis = f"{len(rows):,} rows" + (
        f"; {like:,} trials are like none of them: scaled by window, labels and full epochs"
        * bool(like)
    )
    return Estimate(round(sum(rates.seconds(t) for t in todo) / 3600, 2), basis)


@dataclass(frozen=True, slots=True)
class _Rates:
    """Mean seconds by kind of trial, and per learned value by model."""

    kind: dict[tuple[object, ...], float]
    model: dict[str, float]
    extent: Callable[[str], tuple[int, int, int]]

    @classmethod
    def of(cls, rows: Iterable[Result], extent: Callable[[str], tuple[int, int, int]]) -> _Rates:
        kinds: dict[tuple[object, ...], list[float]] = defaultdict(list)
        models: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            seconds = float(row.cost["seconds"])
            kinds[_kind(row.trial)].append(seconds)
            values = float(row.cost["samples"]) * extent(row.trial.dataset)[1]
            models[_method(row.trial)].append(seconds / values)
        return cls(
            {kind: fmean(found) for kind, found in kinds.items()},
            {model: fmean(found) for model, found in models.items()},
            extent,
        )

    def seconds(self, trial: Trial) -> float:
        """Of one trial; one like no other is taken to use all of its epochs."""
        known = self.kind.get(_kind(trial))
        if known is not None:
            return known
        count, values, classes = self.extent(trial.dataset)
        size = "all" if trial.part == "rest" else trial.size
        profile = PROFILES[trial.profile]
        held = profile.shares[2]  # for the test
        learned = 1 - profile.validation_share
        labels = label_budget(size, int(count * (1 - held)), classes) * learned
        epochs = trial.recipe.epochs if _method(trial) == trial.model else 1
        return self.model[_method(trial)] * epochs * labels * values


def _timed(row: Result) -> bool:
    return row.status == "done" and bool(row.cost.get("seconds")) and bool(row.cost.get("samples"))


def _kind(trial: Trial) -> tuple[object, ...]:
    learn = trial.reuse.strategy.learn if trial.reuse else None
    return (
        trial.dataset,
        trial.pool,
        trial.model,
        trial.size,
        trial.recipe,
        trial.part,
        trial.baseline,
        learn,
    )


def _method(trial: Trial) -> str:
    """The backbone, or a baseline that has none and passes over its windows once."""
    return trial.baseline or "" if trial.model == NO_BACKBONE else trial.model


def _extent(name: str, workspace: Workspace) -> tuple[int, int, int]:
    """Instances of a data set, numbers in one window, and classes."""
    dataset = catalogue.find(name, workspace)
    card, lies = dataset.card, prepare.load(dataset, workspace.data(name))
    count, classes = (lies.count, len(lies.classes)) if lies else (card.count, SOME_CLASSES)
    return count, len(card.channels) * card.length, classes
