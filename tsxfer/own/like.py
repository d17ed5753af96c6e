"""Another file, read as the one that a model was fitted on: windows, places, labels, notes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.prepare import resampled
from tsxfer.errors import DataError, TsxferError
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.known_labels import known
from tsxfer.own.labels import plain
from tsxfer.own.readers import read
from tsxfer.own.reading import Reading, refuse_rate
from tsxfer.own.shaping import shape_like, whole
from tsxfer.own.survey import blocks, let_go

GENERIC = re.compile(r"^(c\d+|x|sound)$")  # names of channels that a file does not name
FLAG = re.compile(r"--[a-z]+")
RATE_SAID = re.compile(r"say --rate")
REFIT = re.compile(r"fit (again )?with ")
TAKEN = {"--label", "--rate", "--scale"}  # by `predict`, of what is said of a file


@dataclass(frozen=True, slots=True)
class Found:
    """Windows of another file, as a fitted model takes them.

    Attributes:
        x: ``(n, channel, time)``, levels not yet taken off.
        places: ``(n,)`` of each in the file, from 0; ``--missing drop`` leaves windows out.
        y: ``(n,)`` labels as found, to score predictions against; None where none were asked for.
        known: ``(n,)`` whether each label is known: windows without one are not scored.
        notes: What was guessed while reading, each with the flag that settles it.
    """

    x: NDArray[np.float64]
    places: NDArray[np.int64]
    y: NDArray[Any] | None
    known: NDArray[np.bool_]
    notes: tuple[str, ...]


def read_like(path: Path, like: Reading, label: str = "") -> Found:
    """Windows of a file, read as the one that a model was fitted on.

    Args:
        path: The file; labels are not needed.
        like: How the file that the model was fitted on was read.
        label: Column, array or variable of labels to score against; "" for none.

    Raises:
        TsxferError: If it cannot be read, its channels or lengths are not those, or there are no
            labels of that name.
    """
    like = replace(like, described=replace(like.described, label=label))
    content, x, places, notes = _windows_like(path, like)
    notes = _with_way(notes, like.described)
    if not label:
        return Found(x, places, None, np.ones(len(places), np.bool_), notes)
    if content.y is None:
        raise DataError(
            f"no labels {label!r} to score against", where=str(path), mend="leave --label out"
        )
    y = plain(content.y)[places]
    is_known = _scored(y, like.described, label, places, path)
    return Found(x, places, y, is_known, notes)


def _with_way(notes: tuple[str, ...], described: Description) -> tuple[str, ...]:
    """Notes with where the flags that they name are said: to `fit`, but for three."""
    rated = bool(described.rate)
    notes = tuple(note for note in notes if not (rated and RATE_SAID.search(note)))
    others = sorted({flag for note in notes for flag in FLAG.findall(note)} - TAKEN)
    if not others:
        return notes
    end = "is read as the one that the model was fitted on: to read both otherwise, fit again"
    return (*notes, f"{', '.join(others)}: flags of `tsxfer fit`; this file {end}")


def _scored(
    y: NDArray[Any], described: Description, label: str, places: NDArray[np.int64], path: Path
) -> NDArray[np.bool_]:
    """Which labels are known; ``predict`` takes no flags of a file, so other advice than `fit`'s.

    Raises:
        DataError: For a number that looks as if it stood for a label that is missing.
    """
    rows = np.array([f"{path.name} row {place + 1}" for place in places])
    try:
        return known(y, replace(described, missing="drop"), described.task, rows, label).kept
    except DataError as error:
        mend = "empty those cells of the file: their windows are then predicted and not scored"
        raise DataError(error.problem, where=error.where, mend=mend) from None


def _windows_like(
    path: Path, like: Reading
) -> tuple[Content, NDArray[np.float64], NDArray[np.int64], tuple[str, ...]]:
    """What was read, the windows at the model's rate, their places in the file, and notes."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        _advice_for_predict(),
    ):
        content = read(path, like.described, Path(scratch))
        refuse_rate(content.rate, like, str(path))
        order = _order(content, like, path)
        shape = shape_like(content, like.described, like.length, path.name)
        parts = []
        for rows in blocks(content.x):
            parts.append(whole(content, shape, rows)[:, order])
            let_go(content.x)
        kept = np.flatnonzero(shape.kept)
    x = np.concatenate(parts) if parts else np.empty((0, len(order), like.length))
    at_its_rate = np.isclose(like.file_rate_hz, like.rate_hz)
    notes = (*content.notes, *shape.notes)
    return content, x if at_its_rate else _at_rate(x, like), kept, notes


@contextmanager
def _advice_for_predict() -> Iterator[None]:
    """Refusals of readers name flags of `fit`; `predict` reads as that did, and takes three."""
    try:
        yield
    except TsxferError as error:
        if set(FLAG.findall(error.mend)) - TAKEN and not REFIT.search(error.mend):
            error.mend += f" (predict takes {', '.join(sorted(TAKEN))} alone: change the file, or "
            error.mend += "fit again with the other flags)"
        raise


def _order(content: Content, like: Reading, path: Path) -> list[int]:
    """Places of the model's channels among those of a file, by name; by place where it has none."""
    found = list(content.channels)
    missing = [name for name in like.channels if name not in found]
    if not missing:
        return [found.index(name) for name in like.channels]
    plain = all(GENERIC.match(name) for names in (found, like.channels) for name in names)
    if len(found) == len(like.channels) and not content.columns and plain:
        return list(range(len(found)))
    raise DataError(
        f"no channel {', '.join(missing[:6])}",
        where=f"{path} has the channels {', '.join(found[:8])}",
        mend="name the channels as in the file that the model was fitted on",
    )


def _at_rate(x: NDArray[np.float64], like: Reading) -> NDArray[np.float64]:
    off = np.array(like.taken_off or (0.0,) * x.shape[1])[:, None]
    made: Any = resampled((x - off).astype(np.float32), like.file_rate_hz, like.rate_hz)
    return np.asarray(made.astype(np.float64) + off)
