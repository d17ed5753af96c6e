"""Gestures of the hand in the muscles of the forearm (UCI data set 481)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data import RemoteFile, Series, Whole, dataset
from tsxfer.data.reading import find_files, refuse_empty
from tsxfer.data.tables import numbers, read_table
from tsxfer.data.windows import single_label_starts
from tsxfer.errors import DataError

RATE_HZ, LENGTH, STEP = 100.0, 50, 25
HOLD_MS = 50.0  # the longest that a row stands for the time after it; rows come every 1 to 36 ms
APART_S = 100_000.0  # keeps the clocks of the files apart
LONGEST_MS = 86_400_000.0  # a series lasts a minute; a clock that is wrong would fill the memory
CHANNELS = tuple(f"channel{number}" for number in range(1, 9))
COLUMNS = ("time", *CHANNELS, "class")
NAMES = ("unmarked", "rest", "fist", "flexion", "extension", "radial", "ulnar", "palm")


@dataset(
    version=1,
    domain="medicine",
    task="classification",
    label="gesture",
    rate_hz=RATE_HZ,
    channels=CHANNELS,
    length=LENGTH,
    group="subject",
    metric="macro_f1",
    extra_metrics=("weighted_f1", "accuracy"),
    margin=0.02,
    whole=Whole(groups=36),
    files=(
        RemoteFile(
            "https://archive.ics.uci.edu/ml/machine-learning-databases/00481/"
            "EMG_data_for_gestures-master.zip"
        ),
    ),
    manual="download 'EMG data for gestures' (data set 481) from archive.ics.uci.edu",
    licence="CC-BY-4.0 (not verified; see archive.ics.uci.edu, data set 481)",
    cite="S. Lobov et al., Sensors 2018, 18(4), 1122, doi:10.3390/s18041122",
)
def uci_emg(folder: Path) -> Iterator[Series]:
    """Six or seven gestures recognised from 0.5 s of forearm EMG (UCI, 36 subjects).

    Format: ``<subject>/<series>_raw_data_<time>_<date>.txt``, tab-separated, LF or CRLF, with the
    columns ``time`` (ms, steps of 1 and gaps), ``channel1`` to ``channel8`` and ``class``.

    True rate: rows come about 965 times a second, yet nine of ten repeat the row before, since
    the armband delivers new values about 104 times a second. So each file is put on a grid of
    100 Hz: every 10 ms, the last row that had arrived. Where none arrived for 50 ms, the grid is
    unmarked. Calling this data 1 kHz would feed models ten copies of everything.

    Classes: 1 rest, 2 fist, 3 flexion, 4 extension, 5 radial, 6 ulnar, 7 (extended) palm, which
    not all subjects did. Class 0 (in the set's README "unmarked data"; two thirds of all rows)
    is dropped. Windows of 0.5 s start every 0.25 s and carry one single label.

    Groups: the subject. Times are seconds within the file, on clocks that never meet.

    Split: none is published.
    """
    paths = find_files(folder, "*_raw_data_*.txt")
    return refuse_empty((_windows(path, index) for index, path in enumerate(paths)), folder)


def _windows(path: Path, index: int) -> Series:
    rows = _rows(path)
    held, codes = _on_grid(rows[:, 0], rows[:, -1].astype(np.intp))
    starts = single_label_starts(codes, LENGTH, STEP)
    starts = starts[codes[starts] != 0]
    x = rows[held, 1:-1][starts[:, None] + np.arange(LENGTH)].transpose(0, 2, 1)
    time = index * APART_S + starts / RATE_HZ
    return Series(
        x=x.astype(np.float32),
        y=np.array(NAMES, np.str_)[codes[starts]],
        group=np.full(len(starts), path.parent.name),
        uid=np.array([f"{path.parent.name}/{path.stem}#{start}" for start in starts], np.str_),
        rate_hz=RATE_HZ,
        time_start=time,
        time_end=time + LENGTH / RATE_HZ,
    )


def _on_grid(
    time_ms: NDArray[np.float64], codes: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For every 10 ms: the last row that had arrived, and its class (0 where it is too old)."""
    ticks = np.arange(time_ms[0], time_ms[-1] + 1, 1000 / RATE_HZ)
    held = np.searchsorted(time_ms, ticks, side="right") - 1
    return held, np.where(ticks - time_ms[held] > HOLD_MS, 0, codes[held])


def _rows(path: Path) -> NDArray[np.float64]:
    """The table as numbers, each of which has been looked at."""
    table = _table(path)
    rows: NDArray[np.float64] = table.to_numpy(np.float64)
    backwards = np.zeros(len(rows), np.bool_)
    backwards[1:] = np.diff(rows[:, 0]) <= 0
    late = rows[:, 0] - rows[0, 0] > LONGEST_MS
    faults = (
        (~np.isfinite(rows).all(axis=1), "holds a cell that is empty or no number"),
        (backwards, "is not later than the line before"),
        (late, "is more than a day later than the first"),
        (~np.isin(rows[:, -1], range(len(NAMES))), "has a class that is not 0 to 7"),
    )
    for bad, what in faults:
        if bad.any():
            first = int(np.argmax(bad))
            raise DataError(
                f"a line {what}: {' '.join(f'{value:g}' for value in rows[first])}",
                where=f"{path}, line {first + 2}",
                mend="repair or remove that line",
            )
    return rows


def _table(path: Path) -> Any:
    table = read_table(path, sep="\t", skip_blank_lines=False)
    if tuple(table.columns) != COLUMNS or table.empty:
        raise DataError(
            f"{len(table)} rows of the columns {', '.join(table.columns)}; expected "
            f"{', '.join(COLUMNS)}",
            where=str(path),
            mend="unpack the archive again",
        )
    return numbers(table, path)
