"""Whether a source's own head can answer for a target: they must name the same classes."""

from __future__ import annotations

from collections.abc import Iterable

from tsxfer.core.specs import Trial
from tsxfer.data import task
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError
from tsxfer.store.workspace import Workspace

SHOWN = 12  # names of classes in a message


def refuse(workspace: Workspace, trials: Iterable[Trial]) -> None:
    """Refuse zero-shot answers where the classes of source and target differ, before training.

    Data sets that do not lie here yet are not looked into.

    Raises:
        DataError: With the classes of both.
    """
    pairs = {(t.reuse.source.dataset, t.dataset) for t in trials if t.reuse and t.zero_shot}
    for pair in sorted(pairs):
        if all(workspace.has(name) for name in pair):
            places(*(task.prepared(workspace, name) for name in pair))


def places(source: Prepared, target: Prepared) -> list[int]:
    """Of each class of the target its place among the source's, by its exact name.

    Raises:
        DataError: If one of the two has numbers for labels, or the names are not the same.
    """
    for one in (source, target):
        if one.card.task != "classification":
            raise DataError(
                f"zero_shot from {source.card.id} on {target.card.id}: labels of {one.card.id} "
                "are numbers, which a head gives on the scale of its own training labels",
                mend="leave zero_shot out of --strategy; probe needs few labels",
            )
    if set(source.classes) != set(target.classes):
        raise DataError(
            f"zero_shot: a head that learned {_listed(source)} cannot answer for {_listed(target)}",
            mend="name the classes alike in both files (names are compared letter by letter), or "
            "leave zero_shot out of --strategy",
        )
    return [source.classes.index(name) for name in target.classes]


def _listed(data: Prepared) -> str:
    more = len(data.classes) - SHOWN
    end = f" and {more} more" if more > 0 else ""
    return f"{data.card.id} ({', '.join(data.classes[:SHOWN])}{end})"
