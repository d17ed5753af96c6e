"""How another file like the one that a model was fitted on becomes windows."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.building import from_plain
from tsxfer.data.prepare import Prepared, resampled
from tsxfer.errors import DataError, TsxferError
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.known_labels import known
from tsxfer.own.labels import plain
from tsxfer.own.readers import read
from tsxfer.own.shaping import shape_like, whole
from tsxfer.own.signals import NEAR
from tsxfer.own.survey import blocks, let_go

GENERIC = re.compile(r"^(c\d+|x|sound)$")  # names of channels that a file does not name
READ = "read.json"  # beside the arrays of an own data set
FLAG = re.compile(r"--[a-z]+")
TAKEN = {"--label", "--rate", "--scale"}  # by `predict`, of what is said of a file


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model's card keeps of the file that it was fitted on.

    Attributes:
        described: As of that file, with its columns; labels are not looked for.
        channels: Names, in order.
        length: Samples of a window at the file's rate.
        file_rate_hz: Rate of the file.
        rate_hz: Rate that the model sees.
        taken_off: Level that was taken off each channel; () for none.
        stated_hz: Rate that the file itself stated; 0 where it did not.
    """

    described: Description
    channels: tuple[str, ...]
    length: int
    file_rate_hz: float = 1.0
    rate_hz: float = 1.0
    taken_off: tuple[float, ...] = ()
    stated_hz: float = 0.0


def reading_of(made: Prepared) -> Reading:
    """How a prepared own file was read; of another data set, what its card says."""
    kept = made.folder / READ
    if kept.exists():
        return reading(json.loads(kept.read_text(encoding="utf-8")), str(kept))
    card = made.card
    blind = Description(unlabelled=True)
    return Reading(blind, card.channels, card.length, card.rate_hz, card.rate_hz)


def reading(facts: object, where: str) -> Reading:
    """The inverse of ``asdict``.

    Raises:
        SpecError: If these facts are none.
    """
    return from_plain(Reading, facts, where=where)


def at_rate(like: Reading, rate: float) -> Reading:
    """The same where the user says at which rate the samples of the other file come.

    Args:
        like: How the file that the model was fitted on was read.
        rate: Samples a second; 0 where nothing was said.

    Raises:
        SpecError: If it is negative or no number.
    """
    if not rate:
        return like
    return replace(like, described=replace(like.described, rate=rate), stated_hz=0.0)


def as_text(found: Reading) -> str:
    """As a file keeps it."""
    return json.dumps(asdict(found), indent=1)


def another(content: Content, described: Description) -> Description:
    """What reads the windows of another such file, whose labels are not known."""
    return replace(
        described,
        label="",
        group="",
        test="",
        columns=content.columns,
        windows_axis=content.windows_axis,
        unlabelled=True,
    )


def labelled_like(
    path: Path, like: Reading, label: str
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[Any], NDArray[np.bool_]]:
    """As `windows_like`, with the label of each window as found, to score predictions against.

    Last is whether each label is known: windows without one are predicted, not scored.

    Args:
        path: The file.
        like: How the file that the model was fitted on was read.
        label: Column, array or variable of labels.

    Raises:
        TsxferError: As `windows_like`, and where there are no labels of that name.
    """
    found: list[NDArray[Any]] = []
    described = replace(like.described, label=label)
    x, kept = _windows_like(path, replace(like, described=described), found)
    if not found:
        raise DataError(
            f"no labels {label!r} to score against", where=str(path), mend="leave --label out"
        )
    y = plain(found[0])[kept]
    return x, kept, y, _scored(y, like.described, label, kept, path)


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


def windows_like(path: Path, like: Reading) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Windows of a file as a fitted model takes them, levels not yet taken off.

    Args:
        path: The file; labels are not needed.
        like: How the file that the model was fitted on was read.

    Returns:
        ``(n, channel, time)``, and the place of each in the file, from 0; ``--missing drop`` leaves
        windows out.

    Raises:
        TsxferError: If it cannot be read, or its channels or lengths are not those.
    """
    return _windows_like(path, like, [])


def _windows_like(
    path: Path, like: Reading, labels: list[NDArray[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        _advice_for_predict(),
    ):
        content = read(path, like.described, Path(scratch))
        if content.y is not None and like.described.label:
            labels.append(content.y)
        refuse_rate(content.rate, like, str(path))
        order = _order(content, like, path)
        shape = shape_like(content, like.described, like.length, path.name)
        parts = []
        for rows in blocks(content.x):
            parts.append(whole(content, shape, rows)[:, order])
            let_go(content.x)
        kept = np.flatnonzero(shape.kept)
    x = np.concatenate(parts) if parts else np.empty((0, len(order), like.length))
    if not np.isclose(like.file_rate_hz, like.rate_hz):
        return _at_rate(x, like), kept
    return x, kept


@contextmanager
def _advice_for_predict() -> Iterator[None]:
    """Refusals of readers name flags of `fit`; `predict` reads as that did, and takes three."""
    try:
        yield
    except TsxferError as error:
        if set(FLAG.findall(error.mend)) - TAKEN and "fit with" not in error.mend:
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


def refuse_rate(stated: float, like: Reading, where: str) -> None:
    """Another rate would stretch the windows in time.

    Args:
        stated: Samples a second that the other file states; 0 where it does not.
        like: How the file that the model was fitted on was read.
        where: For the message.

    Raises:
        DataError: If the file, or the user, states another rate than that of the fit.
    """
    given, wanted = like.described.rate or stated, like.file_rate_hz
    if like.stated_hz:  # --rate overruled that file, and overrules one that states the same
        given, wanted = stated, like.stated_hz
    on_the_way = like.described.resample and stated == like.described.resample
    known = given and wanted != 1.0 and not on_the_way
    if known and not np.isclose(given, wanted, rtol=NEAR):
        raise DataError(
            f"samples come at {given:g} Hz, the model was fitted on {wanted:g} Hz",
            where=where,
            mend=f"resample the file to {wanted:g} Hz first"
            + ("" if like.described.window else f", or say --rate {wanted:g} if that is its rate"),
        )


def _at_rate(x: NDArray[np.float64], like: Reading) -> NDArray[np.float64]:
    off = np.array(like.taken_off or (0.0,) * x.shape[1])[:, None]
    made: Any = resampled((x - off).astype(np.float32), like.file_rate_hz, like.rate_hz)
    return np.asarray(made.astype(np.float64) + off)
