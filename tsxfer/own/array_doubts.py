"""Arrays that may mean something else than they seem to: axes, recordings, rates beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.description import Description
from tsxfer.own.moments import goes_on

SHORT, MANY = 8, 50  # samples of a window, and windows, from which on so short ones are questioned
MOST_HZ = 1e9
RATES = re.compile(
    r"^(fs|f_s|sf|hz|rate|sfreq|s?rate_?hz|srate|sampling_?(rate|frequency|freq)(_hz)?"
    r"|sample_?rate(_hz)?|samplerate)$",
    re.IGNORECASE,
)


def rate_of(
    arrays: dict[str, NDArray[Any]], described: Description
) -> tuple[float, tuple[str, ...]]:
    """Samples a second, where one number of the file is called so."""
    numbers = {n: a for n, a in arrays.items() if a.size == 1 and a.dtype.kind in "iuf"}
    called = {n: a.item() for n, a in numbers.items() if RATES.match(n.rpartition(".")[2])}
    known = {name: float(rate) for name, rate in called.items() if 0 < rate < MOST_HZ}
    if len(set(known.values())) != 1:
        return 0.0, ()
    name, rate = next(iter(known.items()))
    said = f"{name} of the file is {rate:g}: taken as its samples a second (--rate settles it)"
    return rate, () if described.rate else (said,)


def question(x: NDArray[Any], name: str, described: Description, path: Path) -> None:
    """Windows of a few samples, or that go on from one to the next, look like a recording.

    Raises:
        DataError: Then.
    """
    if described.axes or described.unlabelled or len(x) < MANY:
        return
    if x.shape[1] < SHORT or goes_on(x):
        raise DataError(
            f"{len(x):,} windows of {x.shape[1]} samples: is {name} a recording, one moment a row?",
            where=str(path),
            mend="if it is, save it and its labels as two files, np.save('x.npy', x) and "
            "np.save('x_labels.npy', y), and cut it: tsxfer prepare x.npy --label x_labels.npy "
            "--window 100; if windows are that short, --axes channel,time",
        )


def square(x: NDArray[Any], name: str, count: int, described: Description, path: Path) -> list[str]:
    """What is to be said where two axes could count windows.

    Raises:
        DataError: If each column of a square array is smoother than its rows: columns are series.
    """
    if not count or described.axes or x.shape[:2] != (count, count):
        return []
    said = f"the first two axes of {name} {x.shape} are both as long as the labels"
    turn = f"swap them in the file: np.swapaxes({name}, 0, 1)"
    down, along = (float(np.nanmean(np.diff(x.astype(np.float64), axis=a) ** 2)) for a in (0, 1))
    if x.ndim == 2 and down * 4 < along:
        raise DataError(
            f"{said}, and it changes less down its columns than along its rows: are the windows "
            "its columns?",
            where=str(path),
            mend=f"if they are, {turn}; if each row is a window, --axes channel,time",
        )
    return [f"{said}: the first counts windows (--axes channel,time settles it); if not, {turn}"]


def smoother(x: NDArray[Any], name: str, described: Description) -> list[str]:
    """Where neighbours along the axis of channels are more alike than along that of time."""
    if described.axes or min(x.shape[1:]) < 8:
        return []
    some = np.asarray(x[:: max(1, len(x) // 64)], np.float64)
    some = some - np.nanmean(some, axis=(1, 2), keepdims=True)
    steps = [float(np.nanmean(np.diff(some, axis=axis) ** 2)) for axis in (1, 2)]
    if not steps[0] * 4 < steps[1]:
        return []
    return [
        f"{name} {x.shape} is read as {x.shape[1]} channels of {x.shape[2]} samples, though it "
        "changes less from channel to channel than from sample to sample: if time comes first, say "
        "--axes time,channel"
    ]
