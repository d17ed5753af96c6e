"""From float64 to float32 without loss: large levels are taken off first, too large ones told.

float32 holds about 7 digits (IEEE 754, 24 bits). A signal of size 1 on a level of 1e9 would vanish.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError

LARGEST = float(np.finfo(np.float32).max)
LEVEL = 1000.0  # times the spread: from here on float32 keeps fewer than 4 digits of the signal
STEPS = 16.0  # of float32, that a signal must at least span


def levels(low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[float, ...]:
    """What to take off each channel before it becomes float32; () where nothing needs it.

    Levels are round numbers, so that what is left has the digits of the file.

    Args:
        low: ``(n, channel)`` smallest sample of each window.
        high: Largest.
    """
    bottom, top = low.min(axis=0), high.max(axis=0)
    found = [_level(float(a), float(b)) for a, b in zip(bottom, top, strict=True)]
    return tuple(found) if any(found) else ()


def _level(low: float, high: float) -> float:
    spread, centre = high - low, low / 2 + high / 2
    if not (0 < spread < math.inf) or abs(centre) <= LEVEL * spread:
        return 0.0
    step = 10.0 ** math.ceil(math.log10(spread))
    return round(centre / step) * step


def levels_of(x: NDArray[Any]) -> tuple[float, ...]:
    """As `levels`, of windows ``(n, channel, time)`` that lie in memory."""
    if not x.size or x.dtype == np.float32:
        return ()
    return levels(x.min(axis=2).astype(np.float64), x.max(axis=2).astype(np.float64))


def as_float32(x: NDArray[Any], taken_off: tuple[float, ...] = ()) -> NDArray[np.float32]:
    """Windows ``(n, channel, time)`` as float32, less what is taken off each channel.

    Raises:
        DataError: For a sample that is NaN, infinite, or larger than float32 holds; its value and
            window (from 1) are shown.
    """
    if taken_off:
        x = np.asarray(x, np.float64) - np.array(taken_off)[:, None]
    bad = ~np.isfinite(x) | (np.abs(x) > LARGEST)
    if bad.any():
        row, channel, time = (int(i) for i in np.argwhere(bad)[0])
        value = float(x[row, channel, time])
        what = "NaN or infinite" if not math.isfinite(value) else "more than float32 holds (3.4e38)"
        raise DataError(
            f"a sample is {value:g}, {what}; {int(bad.any(axis=(1, 2)).sum())} of {len(x)} windows "
            "have such samples",
            where=f"first in window {row + 1}, channel {channel + 1}, sample {time + 1}",
            mend="correct it; scale samples that are that large, e.g. to other units",
        )
    return np.ascontiguousarray(x, np.float32)


def lost(
    low: NDArray[np.float64], high: NDArray[np.float64], taken_off: tuple[float, ...]
) -> NDArray[np.bool_]:
    """``(n,)`` windows of which float32 would keep next to nothing beside their level."""
    off = np.array(taken_off or (0.0,) * low.shape[1])
    size = np.maximum(np.abs(low - off), np.abs(high - off))
    step = size * 2.0**-23
    thin = (high > low) & (high - low < STEPS * step)
    return np.asarray((thin | (high == low)).all(axis=1) & thin.any(axis=1))
