"""What a reader gives of a file, before it is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.own.description import Description

__all__ = ["Content", "Description"]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        x: ``(n, channel, time)`` in the file's own type (float64 rather than float32 where it is
            text), not yet checked for NaN: an array, or what is sliced like one along its first
            axis (``np.memmap`` in the reader's `scratch`), so that large files need no memory. NaN
            is a sample that is missing. Windows of unequal length are filled up at their end to the
            longest (with anything), and `lengths` says how much of each is theirs.
        y: ``(n,)`` labels as found: text or numbers; None where `Description.unlabelled` was said
            and there are none.
        group: ``(n,)`` group names as found (text, numbers, or objects of which None is missing),
            or None where the file names none.
        channels: Names.
        label: Name of the label in the file.
        group_name: Name of the group in the file, "" without one.
        task: What the file itself declares: ``classification``, ``regression`` or "".
        rate: Samples a second that the file itself states, in Hz; 0 where it does not.
        part: ``(n,)`` ``train`` or ``test``, the official split of the data; None where there is
            none.
        notes: What was guessed or changed while reading, each with the flag that settles it.
        lengths: ``(n,)`` samples of each window that are its own, where windows are unequal; None
            where all are whole. ``--lengths`` then pads or crops, for every reader in one place.
        rows: ``(n,)`` what messages call each window, e.g. ``row 5`` or ``s01.wav at 2.0 s``; None
            counts rows.
        columns: Columns that held the samples, in order of `x`; () where the file has none. They
            are kept in a fitted model's card and come back in `Description.columns`.
        start: ``(n,)`` seconds at which each window starts, where windows must be split in time;
            None elsewhere.
        end: ``(n,)`` seconds at which what a window *and its label* have seen ends.
        label_like_input: The label has the unit of the input and follows its level (prices).
        windows_axis: Axis of the array in the file that counted windows, from 0.
        absent: The number that ``--nan`` says, which stands for samples that are missing.
    """

    x: NDArray[Any]
    y: NDArray[Any] | None
    group: NDArray[Any] | None
    channels: tuple[str, ...]
    label: str
    group_name: str
    task: str = ""
    rate: float = 0.0
    part: NDArray[np.str_] | None = None
    notes: tuple[str, ...] = ()
    lengths: NDArray[np.int64] | None = None
    rows: NDArray[np.str_] | None = None
    columns: tuple[str, ...] = ()
    start: NDArray[np.float64] | None = None
    end: NDArray[np.float64] | None = None
    label_like_input: bool = False
    absent: float | None = None
    windows_axis: int = 0
