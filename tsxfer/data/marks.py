"""A few numbers for each channel of a window, by which the same window is found again.

They do not change with a factor or an offset, and hardly with a little noise: a channel is
standardised and projected on six fixed random directions. Nothing is rounded, so that no copy falls
to the other side of a rounding boundary; who is near is then compared sample by sample (`alike`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.arrays import read_array
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError
from tsxfer.keys import stream
from tsxfer.store.workspace import unique

VERSION = 1  # raise it with any change of the numbers
DIRECTIONS = 6
STILL = 1e-6  # a channel that moves less, relative to its level, is constant
NEAR = (
    2e-3  # distance of two marks up to which windows are compared; noise of 1e-5 moves them by 1e-5
)
SAME = (
    0.9999  # correlation from which two channels are one: noise of at most 1.4 % of its deviation
)
HELD = 1 << 22  # samples held at once
Marks = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows with their marks.

    Attributes:
        x: ``(n, channel, time)``, an array or a memory map.
        marks: ``(n, channel, direction)``; NaN where a channel is constant.
        rows: Which of them are meant.
    """

    x: NDArray[Any]
    marks: Marks
    rows: NDArray[np.int64]


def marks_of(data: Prepared, *, fresh: bool = False) -> Marks:
    """The marks of a prepared data set; made once and kept beside its arrays.

    Some 0.1 s for ten million samples.

    Args:
        data: The data set.
        fresh: Make them from the windows as they are there now, whatever is kept.
    """
    path = data.folder / f"marks{VERSION}-{data.fingerprint}.npy"
    if path.exists() and not fresh:
        with suppress(DataError):  # damaged marks are made again: they hold nothing of their own
            kept = read_array(path, mend=f"delete {path}; it is made again")
            if kept.shape == (data.count, len(data.card.channels), DIRECTIONS):
                return np.asarray(kept, np.float32)
    made = marks(data.array("x"))
    partial = path.with_name(f".{path.name}.{unique()}.partial")
    with suppress(OSError):  # a folder that cannot be written to costs time, not truth
        with partial.open("wb") as file:
            np.save(file, made, allow_pickle=False)
        partial.replace(path)
    return made


def marks(x: NDArray[Any]) -> Marks:
    """``(n, channel, direction)`` of windows ``(n, channel, time)``."""
    out = np.empty((*x.shape[:2], DIRECTIONS), np.float32)
    to = onto(x.shape[2])
    for part in parts_of(len(x), x.shape[1] * x.shape[2]):
        out[part] = standard(x[part]) @ to
    return out


def standard(x: NDArray[Any]) -> NDArray[np.float64]:
    """Channels without level and scale; NaN where they are constant."""
    windows = np.asarray(x, np.float64)
    level = windows.mean(axis=-1, keepdims=True)
    moved = windows - level
    spread = moved.std(axis=-1, keepdims=True)
    still = spread <= STILL * np.maximum(np.abs(level), np.finfo(np.float32).tiny)
    result: NDArray[np.float64] = moved / np.where(still, np.nan, spread)
    return result


@lru_cache(maxsize=8)
def onto(length: int) -> NDArray[np.float64]:
    """Random directions ``(time, direction)``, the same for every data set of this length."""
    draw = stream("marks", VERSION, length).normal(size=(length, DIRECTIONS))
    found: NDArray[np.float64] = draw / np.sqrt(length)
    return found


def parts_of(count: int, size: int) -> Iterator[slice]:
    """Slices of so many windows of a size that are held at once."""
    step = max(1, HELD // max(1, size))
    return (slice(at, at + step) for at in range(0, count, step))


def alike(seen: Windows, test: Windows) -> NDArray[np.int64]:
    """For each test window a seen one that is the same up to factor, offset and a little noise.

    All channels that say something must be found (as many as the seen windows have, where those
    have fewer); channels that are constant say nothing. Where a set has a channel that is the same
    in all windows, such as a ramp of time, the others decide. Windows of another length are others:
    what was cut, resampled or moved in time is for `tsxfer.data.moved`.

    Returns:
        ``(n,)`` row of a seen window, -1 where there is none.
    """
    rows, flat = _told(seen)
    asked, marks = _told(test)
    found = np.full(len(test.rows), -1, np.int64)
    if not len(flat) or not len(marks) or seen.x.shape[2] != test.x.shape[2]:
        return found
    near, which = nearest(flat, marks, NEAR)
    hits = np.flatnonzero(np.isfinite(near))
    same = _correlated(seen, rows[which[hits]], test, asked[hits])
    hits = hits[same]
    matched = np.bincount(asked[hits, 0], minlength=len(test.rows))
    needed = np.bincount(asked[:, 0], minlength=len(test.rows))
    whole = (needed > 0) & (matched >= np.minimum(needed, seen.x.shape[1]))
    found[asked[hits, 0]] = seen.rows[rows[which[hits], 0]]
    return np.where(whole, found, -1)


def nearest(
    flat: NDArray[np.floating], wanted: NDArray[np.floating], bound: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distance and place of the nearest mark, of one turned upside down too; infinite beyond."""
    from scipy.spatial import cKDTree

    tree = cKDTree(flat)
    near, which = tree.query(wanted, distance_upper_bound=bound)
    turned, place = tree.query(-wanted, distance_upper_bound=bound)
    closer = turned < near
    return np.where(closer, turned, near), np.where(closer, place, which)


def _told(windows: Windows) -> tuple[NDArray[np.int64], Marks]:
    """``(place in rows, channel)`` and mark of each channel that is not constant."""
    marks = windows.marks[windows.rows]
    told = np.argwhere(np.isfinite(marks).all(axis=2))
    return told, marks[told[:, 0], told[:, 1]]


def _correlated(
    seen: Windows, first: NDArray[np.int64], test: Windows, second: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether channels, each given as ``(place in rows, channel)``, correlate as copies do."""
    out = np.zeros(len(first), np.bool_)
    for part in parts_of(len(first), max(seen.x.shape[2], test.x.shape[2])):
        pairs = [
            standard(w.x[w.rows[p[part, 0]], p[part, 1]])
            for w, p in ((seen, first), (test, second))
        ]
        out[part] = np.abs((pairs[0] * pairs[1]).mean(axis=1)) >= SAME
    return out
