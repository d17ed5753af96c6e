"""Ways of transfer against each other: strategies, objectives and combined sources."""

from __future__ import annotations

from collections.abc import Iterable

from tsxfer.core.specs import Trial
from tsxfer.stats.cells import Pairs, treatment


def joined(trials: Iterable[Trial]) -> dict[tuple[str, str], Pairs]:
    """Each way with the study's first way of the same source, target, model and size.

    A combined source meets the first of its data sets alone. Controls are no ways.

    Returns:
        ``(first way, way)`` of each repeat, by the keys of both without their repeat.
    """
    first: dict[object, Trial] = {}
    found: dict[tuple[str, str], Pairs] = {}
    for trial in (t for t in trials if t.reuse and not t.control):
        reference = first.setdefault(_terms(trial), trial)
        if reference is not trial:
            key = (treatment(reference).key, treatment(trial).key)
            found.setdefault(key, []).append((reference, trial))
    return found


def _terms(trial: Trial) -> object:
    return trial.dataset, trial.model, trial.size, trial.repeat, trial.profile, _oldest(trial)


def _oldest(trial: Trial) -> str:
    """The data set that a source began with."""
    while trial.origins:
        trial = trial.origins[0]
    return trial.dataset
