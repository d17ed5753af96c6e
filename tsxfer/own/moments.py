"""Tables whose rows are moments of a recording, though their columns are numbered as samples are.

``emg1`` to ``emg8`` are eight sensors, not eight samples of one: read as windows, each moment would
be one, and neighbours would be on both sides of a split.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.description import Description

SENSORS = re.compile(
    r"^(s?emg|eeg|ecg|meg|acc|accel|gyro?|mag|imu|ch|chan|channel|sensor|electrode|lead|probe|v|f|"
    r"force|fsr|pressure|temp|signal|fp|af|fc|cp|c|p|o|t|e)$",
    re.IGNORECASE,
)
FIRST = re.compile(r"\D0*1$")  # a name that counts from 1
MOST, MANY = 64, 50  # sensors, and rows from which on they are questioned
LOOKED_AT = 2000  # rows
LASTS = 20  # rows that a label lasts, on the average
LAGS = ((2, 1.5), (4, 2.5))  # rows apart, and how much more they differ than neighbours


def refuse_moments(
    x: NDArray[np.float64],
    channels: dict[str, list[str]],
    labels: NDArray[Any] | None,
    described: Description,
    path: Path,
) -> None:
    """Refuse rows that go on from one to the next, or columns that are called as sensors are.

    Args:
        x: ``(n, channel, time)`` as the columns are numbered.
        channels: Columns of each channel.
        labels: ``(n,)`` as found.
        described: ``axes`` says that rows are windows.
        path: For messages.

    Raises:
        DataError: Then, unless flags say what rows are.
    """
    if described.axes or described.unlabelled or len(x) < MANY or x.shape[2] > LOOKED_AT:
        return
    windows = all(columns[0].endswith("_0") for columns in channels.values())  # as documented
    if labels is None or not (
        (_sensors(channels) and _last(labels)) or (not windows and goes_on(x))
    ):
        return
    names = [name for members in channels.values() for name in members]
    raise DataError(
        f"{len(x):,} rows of {names[0]} to {names[-1]}: is this a recording, one moment a row, of "
        f"{len(names)} sensors?",
        where=str(path),
        mend="if it is, cut it: --window 100 (or 1s, with --rate); if each row is a window, "
        "--axes channel,time",
    )


def _sensors(channels: dict[str, list[str]]) -> bool:
    """Whether columns are numbered from 1 behind the name of a sensor."""
    members = list(channels.values())
    return sum(map(len, members)) <= MOST and all(
        SENSORS.match(name.strip("_.- ")) and FIRST.search(columns[0])
        for name, columns in channels.items()
    )


def _last(labels: NDArray[Any]) -> bool:
    """Whether labels stay the same for many rows."""
    changes = int((labels[1:] != labels[:-1]).sum())
    return 0 < changes * LASTS <= len(labels)


def goes_on(x: NDArray[Any]) -> bool:
    """Whether a row is like the one before, less so the one before that, and unlike along itself.

    Windows of one source are alike too, but however far apart; windows that overlap by all but one
    sample change from row to row as they do along each row.
    """
    rows = np.asarray(x[:LOOKED_AT], np.float64).reshape(min(len(x), LOOKED_AT), -1)
    near, along = _usual(rows[1:] - rows[:-1]), _usual(np.diff(rows, axis=1))
    if not 0 < 4 * near < along:
        return False
    return all(_usual(rows[lag:] - rows[:-lag]) > more * near for lag, more in LAGS)


def _usual(steps: NDArray[np.float64]) -> float:
    """The usual size of steps; jumps from one source to the next count little, gaps do not."""
    sizes = (steps**2).mean(axis=1)
    sizes = sizes[np.isfinite(sizes)]
    return float(np.median(sizes)) if len(sizes) else np.nan
