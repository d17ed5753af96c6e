"""Time stamps of the samples of a series: whether they rise, and in steps of one length."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.dialect import number

UNEVEN = 1.5  # times the usual step: from there on a sample is missing, or the rate is another


def usual_steps(stamps: list[str], path: Path, line: int) -> tuple[float, float, float]:
    """The shortest, usual and longest step of a series, in its own unit; NaN where none is known.

    Raises:
        DataError: If stamps fall or stand twice: the order of the file is not that of time.
    """
    found = [number(stamp) for stamp in stamps]
    values = stamps if None in found else found
    if any(b <= a for a, b in pairwise(values)):  # type: ignore[operator]
        raise DataError(
            "time stamps do not rise",
            where=f"{path}, line {line}",
            mend="write the samples of each series in the order of time, each time once",
        )
    steps = np.diff(_moments(stamps, found))
    if not len(steps):
        return np.nan, np.nan, np.nan
    return float(steps.min()), float(np.median(steps)), float(steps.max())


def _moments(stamps: list[str], found: list[float | None]) -> NDArray[np.float64]:
    """As numbers; dates in seconds, nothing where they are neither."""
    if None not in found:
        return np.array(found, np.float64)
    try:
        dates = np.array(stamps, "datetime64[us]")
    except ValueError:
        return np.zeros(0)
    return np.asarray((dates - dates[0]).astype(np.float64) / 1e6)


def refuse_uneven(steps: list[tuple[float, float, float]], path: Path) -> None:
    """Samples that lie at unequal times are no evenly sampled windows.

    Args:
        steps: Of each series, see `usual_steps`.
        path: For messages.

    Raises:
        DataError: If steps differ within a series, or from one to another.
    """
    found = np.array(steps).reshape(-1, 3)
    found = found[np.isfinite(found).all(axis=1)]
    if not len(found):
        return
    usual = float(np.median(found[:, 1]))
    bad = (found[:, 2] > UNEVEN * usual) | (found[:, 0] * UNEVEN < usual)
    if bad.any():
        low, high = float(found[:, 0].min()), float(found[:, 2].max())
        raise DataError(
            f"time stamps step unevenly: by {low:g} to {high:g}, usually {usual:g}, in "
            f"{int(bad.sum())} of {len(bad)} series",
            where=str(path),
            mend="write samples at even times; or say the rate, --rate HZ, if they are to be taken "
            "as even",
        )
