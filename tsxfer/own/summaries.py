"""Rows below a table that sum it up: the mean of all windows is no window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError

LAST = 8  # rows that may be a summary: count, mean, std, min, quartiles, max
FEWEST, MOST = 10, 1 << 24  # windows above it, and numbers that are looked through
NEAR = 0.02  # share of what the mean varies by, within which a row is that mean, rounded


def refuse_summary(x: NDArray[np.float64], path: Path) -> None:
    """Refuse a row near the end that is the mean of all rows above it.

    Args:
        x: ``(n, column)`` samples.
        path: For messages.

    Raises:
        DataError: If there is one.
    """
    if len(x) < FEWEST + 1 or x.shape[1] < 4 or x.size > MOST or not np.isfinite(x).all():
        return
    spread, total = float(np.median(x.std(axis=0))), x.sum(axis=0)
    for row in range(len(x) - 1, max(FEWEST, len(x) - LAST) - 1, -1):
        total = total - x[row]
        apart = float(np.abs(x[row] - total / row).max())
        if apart < NEAR * min(spread, float(np.ptp(x[row]))):
            raise DataError(
                f"row {row + 1} is the mean of all rows above it: a row of a summary, no window",
                where=str(path),
                mend=f"remove the rows from {row + 1} on that sum the others up",
            )
