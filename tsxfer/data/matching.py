"""Whether a source's own head can answer for a target: each of its classes has one there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tsxfer.core.specs import Trial
from tsxfer.core.strategy import Strategy
from tsxfer.data import task
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError, SpecError, nearest
from tsxfer.store.workspace import Workspace

SHOWN = 12  # names of classes in a message


Places = tuple[tuple[int, ...], ...]
"""Of each class of a target, the places of those of the source that stand for it."""


def refuse(workspace: Workspace, trials: Iterable[Trial]) -> None:
    """Refuse zero-shot answers where the classes of source and target differ, before training.

    Data sets that do not lie here yet are not looked into.

    Raises:
        DataError: With the classes of both.
    """
    asked = {
        (t.reuse.source.dataset, t.dataset, t.reuse.strategy, t.reuse.source.recipe.loss)
        for t in trials
        if t.reuse and t.zero_shot
    }
    for source, target, how, loss in sorted(asked, key=lambda one: (*one[:2], one[2].words)):
        if workspace.has(source) and workspace.has(target):
            held, asked_of = (task.prepared(workspace, name) for name in (source, target))
            refuse_sums(places(held, asked_of, renamed(how, source, target)), loss)


def renamed(how: Strategy, source: str, target: str) -> Mapping[str, str]:
    """Which class of a source stands for which of a target, see `Strategy.classes`.

    Of the control ``in_domain``, whose source is the target itself, each stands for itself.
    """
    return {} if source == target else how.classes


def refuse_sums(found: Places, loss: str) -> None:
    """Refuse to add answers that are no probabilities.

    Args:
        found: Places of the source's classes.
        loss: By which the source has learned (`tsxfer.core.specs.Recipe.loss`).

    Raises:
        SpecError: If several classes stand for one, and it learned by squared error.
    """
    if loss == "squared" and max(map(len, found)) > 1:
        raise SpecError(
            "zero_shot: several classes of a source that learned by squared error stand for one, "
            "and its answers are no probabilities that could be added",
            mend='let each stand for one, or leave loss = "squared" out of [pretraining]',
        )


def places(source: Prepared, target: Prepared, classes: Mapping[str, str]) -> Places:
    """Where the answers for each class of the target stand among the source's.

    Args:
        source: What the head has learned.
        target: What it is to answer for.
        classes: See `tsxfer.core.strategy.Strategy.classes`; names that it leaves out stand for
            themselves.

    Raises:
        DataError: If one of the two has numbers for labels, a class is unknown, a class of the
            target has none that stands for it, or one of the source stands for none.
    """
    for one in (source, target):
        if one.card.task != "classification":
            raise DataError(
                f"zero_shot from {source.card.id} on {target.card.id}: labels of {one.card.id} "
                "are numbers, which a head gives on the scale of its own training labels",
                mend="leave zero_shot out of --strategy; probe needs few labels",
            )
    _refuse_unknown(source, classes, "SOURCE")
    _refuse_unknown(target, [name for name in classes.values() if name], "TARGET")
    stands = {name: classes.get(name, name) for name in source.classes}
    if {name for name in stands.values() if name} != set(target.classes):
        raise DataError(
            f"zero_shot: a head that learned {_listed(source)} cannot answer for {_listed(target)}"
            + _missing(stands, target),
            mend="name the classes alike in both files (names are compared letter by letter), say "
            "--classes SOURCE=TARGET,... for those that differ (SOURCE= leaves one out), or "
            "leave zero_shot out of --strategy",
        )
    return tuple(
        tuple(place for place, name in enumerate(source.classes) if stands[name] == wanted)
        for wanted in target.classes
    )


def _refuse_unknown(data: Prepared, names: Iterable[str], side: str) -> None:
    for name in names:
        if name not in data.classes:
            raise DataError(
                f"--classes SOURCE=TARGET: {side} {name!r} is no class of {_listed(data)}",
                mend=nearest(name, data.classes),
            )


def _missing(stands: Mapping[str, str], target: Prepared) -> str:
    """Which classes have no counterpart, where some have."""
    none = [name for name in target.classes if name not in stands.values()]
    idle = [name for name, ours in stands.items() if ours and ours not in target.classes]
    if len(none) == len(target.classes):
        return ""
    said = [f"none stands for {', '.join(none)}"] * bool(none)
    said += [f"{', '.join(idle)} of the source stands for none"] * bool(idle)
    return f": {'; '.join(said)}"


def _listed(data: Prepared) -> str:
    more = len(data.classes) - SHOWN
    end = f" and {more} more" if more > 0 else ""
    return f"{data.card.id} ({', '.join(data.classes[:SHOWN])}{end})"
