"""Tables whose cells are whole series: list columns of parquet, and Hugging Face's audio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.clocks import is_time
from tsxfer.own.columns import few
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.streams import Table

SERIES, RATE = "array", "sampling_rate"  # Hugging Face's names of the parts of a sound


def lists_of(
    table: Table, samples: list[str], words: list[str], described: Description, path: Path
) -> Content:
    """Windows of list columns: each is a channel, or all channels in one.

    Args:
        table: With such columns.
        samples: Columns that are no label or group.
        words: The label's column, then the group's, where there are some.
        described: ``x`` names the column, where there are others.
        path: For messages.

    Raises:
        DataError: If other columns are left, or cells are no series of numbers.
    """
    if described.x and described.x not in samples:
        raise DataError(
            f"no column {described.x!r} for --x",
            where=f"{path} has: {few(samples)}",
            mend="name one of them with --x, or leave --x out",
        )
    columns = [described.x] if described.x else samples
    odd = [name for name in columns if table.kind(name) not in ("list", "struct")]
    if odd:
        raise DataError(
            f"columns beside the series that are neither label nor group: {few(odd)}",
            where=str(path),
            mend=f"leave them out: --ignore {','.join(odd[:4])}; or --x names the column of "
            f"samples",
        )
    times = [name for name in columns if is_time(name)]
    if times and len(times) < len(columns) and not described.x:
        raise DataError(
            f"the column {times[0]} is called as times are, and would be a channel",
            where=str(path),
            mend=f"--ignore {times[0]} leaves it out (say --rate HZ); --x names one column of "
            "samples, if it is the signal",
        )
    cells: dict[str, list[Any]] = {name: [] for name in (*columns, *words)}
    for batch in table.batches([], [*columns, *words]):
        for name, column in zip((*columns, *words), batch.columns, strict=True):
            cells[name] += map(_cell, column) if name in columns else column.to_pylist()
    rates = {rate for name in columns for cell in cells[name] if (rate := _rate(cell))}
    if len(rates) > 1:
        raise DataError(
            f"sounds of different rates: {', '.join(f'{r:g}' for r in sorted(rates)[:5])} Hz",
            where=str(path),
            mend="resample them to one rate before you save them",
        )
    series = [
        [_series(cells[n][row], path, row) for n in columns]
        for row in range(len(cells[columns[0]]))
    ]
    x, lengths, channels = _stacked(series, columns, described, path)
    label, group = (*(_objects(cells[name]) for name in words), None, None)[:2]
    return Content(
        x=x,
        y=None if described.unlabelled else label,
        group=group,
        channels=channels,
        label=words[0] if words else "",
        group_name=words[1] if len(words) > 1 else "",
        rate=rates.pop() if rates else 0.0,
        lengths=lengths,
        columns=tuple(columns),
    )


def _objects(cells: list[Any]) -> NDArray[Any]:
    found = np.empty(len(cells), object)
    found[:] = [repr(cell) if isinstance(cell, (list, dict)) else cell for cell in cells]
    return found


def _cell(scalar: Any) -> Any:
    """A cell as an array, which takes a third of the memory of a list, or as Python's own."""
    values: Any = getattr(scalar, "values", None)
    try:
        return values.to_numpy(zero_copy_only=False).astype(np.float64)
    except (AttributeError, TypeError, ValueError, NotImplementedError):
        return scalar.as_py()


def _rate(cell: Any) -> float:
    found = cell.get(RATE) if isinstance(cell, dict) else None
    return float(found) if isinstance(found, (int, float)) else 0.0


def _series(cell: Any, path: Path, row: int) -> NDArray[np.float64]:
    """One cell as ``(channel, time)``."""
    values = cell.get(SERIES) if isinstance(cell, dict) else cell
    if isinstance(cell, dict) and values is None:
        raise DataError(
            f"a struct of {few(sorted(cell))} without {SERIES}",
            where=f"{path}, row {row + 1}",
            mend=f"decode the sounds first, so that each cell holds {SERIES} and {RATE}",
        )
    try:
        found = np.atleast_2d(np.array(values, np.float64))
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"a cell is no series of numbers: {error}",
            where=f"{path}, row {row + 1}",
            mend="give each cell a list of numbers, or one list a channel, all equally long",
        ) from None
    if found.ndim != 2 or found.size == 0:
        raise DataError("a cell without samples", where=f"{path}, row {row + 1}", mend="remove it")
    return found


def _stacked(
    series: list[list[NDArray[np.float64]]], columns: list[str], described: Description, path: Path
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None, tuple[str, ...]]:
    """Windows filled up to the longest, and how much of each is its own."""
    rows = []
    for number, cells in enumerate(series):
        if len({cell.shape[1] for cell in cells}) > 1:
            raise DataError(
                "channels of one window have unequal lengths",
                where=f"{path}, row {number + 1}",
                mend="give all channels of a window the same number of samples",
            )
        whole = np.concatenate(cells)
        rows.append(whole.T if described.axes == "time,channel" and len(columns) == 1 else whole)
    count = len(rows[0]) if rows else 0
    if len({len(row) for row in rows}) != 1:
        raise DataError(
            "windows of different numbers of channels: "
            f"{', '.join(sorted({str(len(r)) for r in rows})[:5])}",
            where=str(path),
            mend="--axes time,channel if each cell is a list of moments; else give all the same",
        )
    lengths = np.array([row.shape[1] for row in rows])
    x = np.full((len(rows), count, int(lengths.max())), np.nan)
    for row, window in enumerate(rows):
        x[row, :, : window.shape[1]] = window
    if count > int(lengths.max()) and not described.axes:
        raise DataError(
            f"cells of {count} lists would be {count} channels of {int(lengths.max())} samples",
            where=f"{path}, column {columns[0]}",
            mend="--axes time,channel if each inner list is a moment, --axes channel,time if not",
        )
    single = count == len(columns)
    channels = tuple(columns) if single else tuple(f"{columns[0]}{c}" for c in range(count))
    return x, None if bool((lengths == lengths[0]).all()) else lengths, channels
