"""p values corrected for their family; None (no test possible) stays None and does not count."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Family = Sequence[float | None]


def benjamini_hochberg(p: Family) -> list[float | None]:
    """Adjusted p that control the false discovery rate (Benjamini and Hochberg 1995)."""
    return _apply(p, _step_up)


def holm(p: Family) -> list[float | None]:
    """Adjusted p that control the family-wise error (Holm 1979)."""
    return _apply(p, _step_down)


def _apply(
    p: Family, adjust: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> list[float | None]:
    known = [i for i, value in enumerate(p) if value is not None]
    out: list[float | None] = [None] * len(p)
    if known:
        values = np.array([p[i] for i in known], dtype=np.float64)
        for i, value in zip(known, adjust(values), strict=True):
            out[i] = float(value)
    return out


def _step_up(p: NDArray[np.float64]) -> NDArray[np.float64]:
    order, m = np.argsort(p), len(p)
    scaled = p[order] * m / np.arange(1, m + 1)
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return adjusted


def _step_down(p: NDArray[np.float64]) -> NDArray[np.float64]:
    order, m = np.argsort(p), len(p)
    scaled = p[order] * (m - np.arange(m))
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted
