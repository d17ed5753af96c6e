"""One look at all samples before they are stored: gaps, levels, flat windows; in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.own.content import Content

BLOCK = 1 << 22  # numbers read at a time: 32 MB as float64


@dataclass(frozen=True, slots=True)
class Survey:
    """Facts of every window, ``(n,)`` or ``(n, channel)``.

    Attributes:
        gaps: Samples that are missing (NaN), of those that are the window's own.
        infinite: Whether a sample is infinite.
        low: Smallest sample of each channel; NaN where none is there.
        high: Largest.
    """

    gaps: NDArray[np.int64]
    infinite: NDArray[np.bool_]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def flat(self) -> NDArray[np.bool_]:
        """``(n,)`` whether every sample of every channel is the same."""
        return np.asarray((self.low == self.high).all(axis=1))


def survey(content: Content) -> Survey:
    """Look at every sample once."""
    count, channels = content.x.shape[:2]
    found = Survey(
        np.zeros(count, np.int64),
        np.zeros(count, np.bool_),
        np.full((count, channels), np.nan),
        np.full((count, channels), np.nan),
    )
    for rows in blocks(content.x):
        x = own_samples(content, rows)
        nan = np.isnan(x)
        found.gaps[rows] = nan.sum(axis=(1, 2)) - _not_its_own(content, rows)
        found.infinite[rows] = np.isinf(x).any(axis=(1, 2))
        found.low[rows] = np.where(nan, np.inf, x).min(axis=2)
        found.high[rows] = np.where(nan, -np.inf, x).max(axis=2)
        let_go(content.x)
    return found


def blocks(x: NDArray[Any]) -> Iterator[slice]:
    """Slices of windows that memory holds easily."""
    step = max(1, BLOCK // max(1, x.shape[1] * x.shape[2]))
    return (slice(at, min(at + step, len(x))) for at in range(0, len(x), step))


def own_samples(content: Content, rows: slice) -> NDArray[np.float64]:
    """Windows as float64 ``(rows, channel, time)``; NaN behind the end of shorter ones."""
    x = np.array(content.x[rows], np.float64)
    if content.absent is not None:
        x[np.isclose(x, content.absent, rtol=1e-6, atol=0)] = np.nan
    if content.lengths is not None:
        behind = np.arange(x.shape[2]) >= content.lengths[rows, None]
        x[np.broadcast_to(behind[:, None], x.shape)] = np.nan
    return x


def let_go(x: NDArray[Any]) -> None:
    """Tell the system that pages of a file that were read are not needed: they count as memory."""
    file = getattr(x, "_mmap", None)
    if file is not None and hasattr(file, "madvise"):
        import mmap

        file.madvise(mmap.MADV_DONTNEED)


def _not_its_own(content: Content, rows: slice) -> NDArray[np.int64]:
    """Samples behind the end of each window, which are no gaps."""
    if content.lengths is None:
        return np.zeros(rows.stop - rows.start, np.int64)
    _, channels, length = content.x.shape
    return np.asarray((length - content.lengths[rows]) * channels, np.int64)


def own_lengths(x: NDArray[Any]) -> NDArray[np.int64] | None:
    """Samples of each window; rows whose last cells are empty in every channel are shorter."""
    found = np.full(len(x), x.shape[2])
    for rows in blocks(x):
        there = ~np.isnan(x[rows])
        if not there.all():
            ends = np.where(there.any(axis=2), x.shape[2] - there[:, :, ::-1].argmax(axis=2), 0)
            alike = (ends == ends[:, :1]).all(axis=1)
            found[rows] = np.where(alike & (ends[:, 0] > 0), ends[:, 0], x.shape[2])
        let_go(x)
    return None if bool((found == x.shape[2]).all()) else found
