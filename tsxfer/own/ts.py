"""Series in the ``.ts`` format of the UEA archive (Löning et al. 2019, sktime's documentation).

Read here rather than by sktime, whose loader makes labels lower-case, so that two classes may
become one, and knows no timestamps beside numbers as labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.columns import numbered
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.stamps import refuse_uneven, usual_steps

LABELS, NUMBERS = "@classlabel", "@targetlabel"
MISSING = ("?", "nan", "")
STAMPED = re.compile(r"\(([^(),]*),([^()]*)\)")
PARTS = re.compile(r":(?![^(]*\))")  # colons that stand in no time stamp
MANY = 10**9  # numbers: a file that asks for more than memory is damaged
Window = list[NDArray[np.float64]]
Steps = list[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Head:
    """What the lines before ``@data`` say.

    Attributes:
        kind: ``class``, ``target`` or "" where there are no labels.
        classes: Names that are declared, as they are written.
        stamped: Samples are written as ``(time,value)``.
    """

    kind: str
    classes: tuple[str, ...]
    stamped: bool


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Series of a ``.ts`` file; the format itself says what is the label, and has no groups.

    Raises:
        DataError: If it is damaged, has no labels, or flags name columns that it cannot have.
    """
    del scratch
    head, lines = _parts(path)
    _refuse_columns(head, described, path)
    windows, labels, steps = [], [], Steps()
    for number, line in lines:
        cells = PARTS.split(line) if head.stamped else line.split(":")
        label = cells.pop().strip() if head.kind else ""
        labels.append("" if label == "?" else label)
        windows.append([_series(cell, head, path, number, steps) for cell in cells])
    if not described.rate:
        refuse_uneven(steps, path)
    x, lengths = _stacked(windows, path)
    task = {"class": "classification", "target": "regression", "": ""}[head.kind]
    silent = described.unlabelled and (not head.kind or described.label != head.kind)
    y = None if silent else _labels(labels, head, path)
    return Content(
        x=x,
        y=y,
        group=None,
        channels=numbered(x.shape[1]),
        label=head.kind,
        group_name="",
        task=task,
        notes=_undeclared(labels, head) if y is not None else (),
        lengths=lengths,
    )


def _parts(path: Path) -> tuple[Head, list[tuple[int, str]]]:
    """The head, and the lines of data with their numbers."""
    text = path.read_bytes().decode("utf-8-sig", "replace")
    facts: dict[str, list[str]] = {}
    lines, data = [], False
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith(("#", "%")):
            continue
        if data:
            lines.append((number, line))
        elif words[0].lower() == "@data":
            data = True
        elif words[0].startswith("@"):
            facts[words[0].lower()] = words[1:]
        else:
            raise _bad(path, number, f"{line[:60]!r} stands before @data")
    if not lines:
        raise DataError(
            f"{path.name} cannot be read: no line of data below @data",
            where=str(path),
            mend="is it a whole .ts file? write it again",
        )
    kind = "class" if _true(facts, LABELS) else "target" if _true(facts, NUMBERS) else ""
    return Head(kind, tuple(facts.get(LABELS, [])[1:]), _true(facts, "@timestamps")), lines


def _true(facts: dict[str, list[str]], name: str) -> bool:
    return [word.lower() for word in facts.get(name, [])[:1]] == ["true"]


def _refuse_columns(head: Head, described: Description, path: Path) -> None:
    if described.unlabelled:
        return
    if not head.kind:
        raise DataError(
            "the header declares no labels (@classLabel true ... or @targetLabel true)",
            where=str(path),
            mend="add labels to the file",
        )
    for flag, said in (("--label", described.label), ("--group", described.group)):
        if said and (flag, said) != ("--label", head.kind):
            raise DataError(
                f"{flag} {said}: a .ts file has one label, the last value of a line, and no groups",
                where=str(path),
                mend=f"leave {flag} out"
                + (
                    "; to keep groups apart, save windows, y and group as .npz"
                    if flag == "--group"
                    else ""
                ),
            )


def _series(cell: str, head: Head, path: Path, line: int, steps: Steps) -> NDArray[np.float64]:
    """The samples of a channel; the steps of its time stamps are added to `steps`."""
    if head.stamped:
        pairs = STAMPED.findall(cell)
        values = [value for _, value in pairs]
        steps.append(usual_steps([time.strip() for time, _ in pairs], path, line))
        if not values and cell.strip():
            raise _bad(path, line, f"{cell[:60]!r} is no (time,value)")
    else:
        values = cell.split(",")
    try:
        return np.array([np.nan if v.strip().lower() in MISSING else float(v) for v in values])
    except ValueError as error:
        raise _bad(path, line, str(error)) from None


def _stacked(
    windows: list[Window], path: Path
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
    channels = len(windows[0])
    for number, window in enumerate(windows, 1):
        if len(window) != channels or not window:
            raise DataError(
                f"{len(window)} channel(s), the first window has {channels}",
                where=f"{path}, window {number}",
                mend="give all windows the same channels, separated by colons",
            )
        if len({len(series) for series in window}) > 1:
            raise DataError(
                "channels of one window have unequal lengths",
                where=f"{path}, window {number}",
                mend="cut or pad them to one length",
            )
    lengths = np.array([len(window[0]) for window in windows])
    longest = int(lengths.max())
    if len(windows) * channels * longest > MANY:
        raise DataError(
            f"{len(windows)} windows of up to {longest} samples are more than memory holds",
            where=str(path),
            mend="cut the longest",
        )
    x = np.full((len(windows), channels, longest), np.nan)
    for row, window in enumerate(windows):
        for channel, series in enumerate(window):
            x[row, channel, : len(series)] = series
    return x, None if bool((lengths == longest).all()) else lengths


def _labels(labels: list[str], head: Head, path: Path) -> NDArray[np.str_] | NDArray[np.float64]:
    if head.kind == "class":
        return np.array(labels, np.str_)
    try:
        return np.array([np.nan if v.lower() in MISSING else float(v) for v in labels])
    except ValueError as error:
        raise DataError(
            f"a target is no number: {error}",
            where=str(path),
            mend="correct it, or declare @classLabel true with the names of the classes",
        ) from None


def _undeclared(labels: list[str], head: Head) -> tuple[str, ...]:
    """Classes that the header does not know."""
    extra = sorted(set(labels) - set(head.classes) - {""})
    if head.kind != "class" or not head.classes or not extra:
        return ()
    return (f"classes that @classLabel does not declare: {', '.join(extra[:6])}",)


def _bad(path: Path, line: int, what: str) -> DataError:
    return DataError(
        f"{path.name} cannot be read: {what[:200]}",
        where=f"{path}, line {line}",
        mend="is it a whole .ts file? write it again",
    )
