"""Recordings in arrays of numpy, with labels in a file beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tsxfer.data.arrays import read_array
from tsxfer.errors import DataError, SpecError
from tsxfer.own.description import Description
from tsxfer.own.runs import Runs
from tsxfer.own.signals import Signal


def array_signal(path: Path, name: str, described: Description) -> Signal:
    """A recording ``(time, channel)`` or ``(channel, time)`` in a ``.npy`` file, left on disk.

    Raises:
        DataError: If it is no array of numbers with one or two axes.
    """
    array = read_array(path, mend="save it with np.save, without Python objects", mapped="r")
    if array.ndim not in (1, 2) or array.dtype.kind not in "iufb" or not array.size:
        raise DataError(
            f"{array.dtype} {array.shape} is no recording (time, channel)",
            where=str(path),
            mend="give one array of numbers a file",
        )
    if array.ndim == 2 and array.shape[0] == array.shape[1] and not described.axes:
        raise DataError(
            f"{array.shape} has no longer axis: which is time?",
            where=str(path),
            mend="say --axes time,channel or --axes channel,time",
        )
    table = array[:, None] if array.ndim == 1 else array
    flip = described.axes == "channel,time" or (
        not described.axes and table.shape[0] < table.shape[1]
    )
    table = table.T if flip else table
    notes = (
        ()
        if described.axes or array.ndim == 1
        else ("the longer axis is taken as time (--axes settles it)",)
    )
    channels = tuple(f"c{number}" for number in range(table.shape[1]))
    return Signal(
        name=name,
        channels=channels,
        rate=0.0,
        length=len(table),
        dtype=table.dtype,
        read=lambda start, stop: np.asarray(table[start:stop]).T,
        notes=notes,
    )


def array_labels(path: Path, made: Signal, ignore: tuple[str, ...]) -> Signal:
    """The signal with one label a sample, from a ``.npy`` file of labels; some are left out.

    Raises:
        DataError: If it does not hold one label a sample.
    """
    labels = read_array(path, mend="save it with np.save, without Python objects")
    if labels.shape not in ((made.length,), (made.length, 1)) or labels.dtype.kind not in "iufbSU":
        raise DataError(
            f"labels of {labels.dtype} {labels.shape}, the recording has {made.length} samples",
            where=str(path),
            mend="give one label a sample",
        )
    flat = labels.reshape(-1)
    flat = np.char.decode(flat, "utf-8", "replace") if flat.dtype.kind == "S" else flat
    runs = Runs(made.name)
    said = flat.astype(object)
    said[np.isin(flat.astype(np.str_), ignore or ("",))] = None
    runs.add(said, np.full(len(flat), None), np.zeros(len(flat), np.bool_))
    return replace(made, spans=runs.spans())


def label_file(path: Path, pattern: str, fields: dict[str, str]) -> Path:
    """The file of labels beside a recording: ``--label '{group}_{n}_ann.npy'`` with its fields.

    Raises:
        SpecError: If it names a field that the file's own name does not have, or is not there.
    """
    try:
        beside = path.parent / pattern.format_map(fields)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        raise SpecError(
            f"--label {pattern} names {error}, which --pattern does not", mend="use its fields"
        ) from None
    if beside.parent != path.parent or not beside.is_file():
        raise SpecError(f"no file of labels {beside}", mend="correct --label")
    return beside
