"""A file that was read, found good: its windows, labels and groups, and the card they imply."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.cautions import Caution
from tsxfer.data.card import Card
from tsxfer.data.series import Series
from tsxfer.errors import DataError, SpecError, nearest
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.gains import said_of_gains
from tsxfer.own.labels import Labelled, settled
from tsxfer.own.oddities import of_samples, refuse_index
from tsxfer.own.official import refuse_shared
from tsxfer.own.reading import Reading, another
from tsxfer.own.shaping import Shape, rows_of, shape_of
from tsxfer.own.storing import series


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was read and found good.

    Attributes:
        name: Of the file, for messages.
        content: What was read.
        shape: What becomes of its windows.
        labelled: Its labels and groups.
        card: What they imply.
    """

    name: str
    content: Content
    shape: Shape
    labelled: Labelled
    card: Card

    @property
    def notes(self) -> tuple[str, ...]:
        """All that was guessed or changed, in words."""
        kept, group = self.shape.kept, self.labelled.group
        names = rows_of(self.content, self.name)[kept]
        known = None if self.content.group is None else group[kept]
        gains = said_of_gains(self.shape.size[kept], known, names, self.content.channels)
        odd = of_samples(self.content)
        return (*self.content.notes, *self.shape.notes, *self.labelled.notes, *gains, *odd)

    def blocks(self) -> Iterator[Series]:
        """The windows in blocks."""
        y, group = self.labelled.y, self.labelled.group
        if self.card.task == "regression":
            y = y.astype(np.float32)
        rate = self.card.file_rate_hz or self.card.rate_hz
        return series(self.content, self.shape, y, group, rate, self.name)

    def reading(self, described: Description) -> Reading:
        """How another such file is read."""
        card, content = self.card, self.content
        return Reading(
            another(content, described),
            content.channels,
            self.shape.length,
            card.file_rate_hz or card.rate_hz,
            card.rate_hz,
            self.shape.taken_off,
            content.rate,
        )


def check(name: str, content: Content, described: Description) -> Checked:
    """Windows with labels and groups, and the card that they imply.

    Raises:
        DataError: For gaps, one class, duplicates, or labels that do not suit the task.
    """
    if len(content.x) == 0 or content.x.shape[2] == 0:
        raise DataError(
            f"{name} holds no window", where=name, mend="write at least a few windows to it"
        )
    refuse_index(content, name)
    rows = rows_of(content, name)
    labelled = settled(content, described, rows)
    shape = shape_of(content, described, name, labelled.kept)
    if content.part is not None and content.group is not None:
        test, kept = content.part == "test", labelled.kept
        refuse_shared(labelled.group[~test & kept], labelled.group[test & kept], name)
    y = labelled.y[shape.kept]
    if labelled.task == "classification":
        _refuse_few_classes(y, name)
    else:
        _refuse_one_number(y, content.label, name)
    card = _card(y, content, described, labelled.task, name, shape.length)
    return Checked(name, content, shape, labelled, card)


def _refuse_few_classes(y: NDArray[Any], name: str) -> None:
    names, counts = np.unique(y, return_counts=True)
    if len(names) < 2:
        raise DataError(
            f"one class only: {names[0]}",
            where=name,
            mend="add windows of another class, or name another column with --label",
        )
    rare = [f"{n} ({c})" for n, c in zip(names, counts, strict=True) if c < 3]
    if rare:
        raise DataError(
            f"classes with fewer than 3 windows: {', '.join(rare[:8])}",
            where=name,
            mend="add windows, remove the class, or say --task regression if labels are numbers"
            + ("; if another column is the label, name it" if len(rare) * 2 > len(names) else ""),
        )


def _refuse_one_number(y: NDArray[Any], label: str, name: str) -> None:
    if np.ptp(y) == 0:
        raise DataError(
            f"every label is {y[0]:g} ({label}): there is nothing to learn",
            where=name,
            mend="add windows of other labels, or name another column with --label",
        )


def _card(
    y: NDArray[Any],
    content: Content,
    described: Description,
    task: Literal["classification", "regression"],
    name: str,
    length: int,
) -> Card:
    known = metrics.names(task)
    metric = described.metric or known[0]
    if metric not in known:
        raise SpecError(f"metric {metric} is not for {task}", mend=nearest(metric, known))
    if described.resample and not (described.rate or content.rate):
        raise SpecError(
            f"--resample {described.resample:g}, but the rate of {name} is not known",
            mend="say it with --rate",
        )
    given = described.rate or content.rate or 1.0
    rate = described.resample or given
    return Card(
        name="own",
        version=0,
        title=f"own file {name}",
        domain=described.domain,
        task=task,
        label=content.label,
        unit="" if task == "classification" else described.unit or "unit of the label",
        rate_hz=rate,
        file_rate_hz=None if rate == given else given,
        channels=content.channels,
        length=math.ceil(length * rate / given),
        group=content.group_name or "window",
        metric=metric,
        extra_metrics=tuple(n for n in known if n != metric),
        margin=described.margin or _margin(y, metric),
        licence=described.licence,
        cite=described.cite,
        split=_rule(content),
        label_like_input=content.label_like_input,
        warnings=_warnings(content),
    )


def _rule(content: Content) -> Literal["grouped", "time", "official"]:
    if content.part is not None:
        return "official"
    return "grouped" if content.start is None else "time"


def _warnings(content: Content) -> tuple[str, ...]:
    """Labels of every row that is made from the data."""
    official = (Caution.OFFICIAL,) if content.part is not None else ()
    return (*official, *(() if content.group is not None else (Caution.UNGROUPED,)))


def _margin(y: NDArray[Any], metric: str) -> float:
    """Two points of a share; a twentieth of the labels' sd of an error, to two digits."""
    if metrics.get(metric).span[1] == 1:
        return 0.02
    return float(f"{float(np.std(y.astype(np.float64))) / 20:.2g}")
