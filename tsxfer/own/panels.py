"""Arrays, panels of sktime and columns in memory as plain windows, labels and groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.arrays import oriented
from tsxfer.own.description import Description


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows as arrays.

    Attributes:
        x: ``(n, channel, time)``; unequal windows are filled up with NaN.
        channels: Names.
        lengths: ``(n,)`` samples of each that are its own; None where all are whole.
        notes: What was guessed.
    """

    x: NDArray[Any]
    channels: tuple[str, ...]
    lengths: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()


def is_table(given: object) -> bool:
    """Whether something is a table of pandas, told without importing it."""
    return type(given).__module__.partition(".")[0] == "pandas" and hasattr(given, "columns")


def windows_of(x: object, described: Description) -> Windows:
    """Windows in memory as `bring_arrays` takes them.

    Raises:
        DataError: If they are none.
    """
    if is_table(x):
        return _panel(x)
    if isinstance(x, (list, tuple)):
        return _listed([np.asarray(window) for window in x])
    _refuse_masked(x, "x")
    array = np.asarray(x)
    if array.ndim == 0:
        raise DataError(
            f"x is {type(x).__name__}, not windows",
            mend="give numbers of shape (n, channel, time) or (n, time), or a list of windows",
        )
    if array.dtype.kind == "O":
        return _listed([np.asarray(window) for window in array])
    if array.ndim == 1:
        raise DataError(
            f"x of shape {array.shape} is one series, not windows",
            mend="give (n, channel, time) or (n, time); to cut a long recording, save it as a file "
            "and say window=",
        )
    turned, notes = oriented(array, "x", 0, len(array), described, Path("target"))
    return Windows(turned, tuple(f"c{n}" for n in range(turned.shape[1])), notes=notes)


def _panel(table: Any) -> Windows:
    """Windows of sktime's panels: rows by instance and time, or one row an instance of series."""
    channels = tuple(map(str, table.columns))
    if table.index.nlevels == 2:
        parts = table.groupby(level=0, sort=False)
        times = table.index.get_level_values(1).to_series(index=table.index)
        odd = next((i for i, t in times.groupby(level=0) if not t.is_monotonic_increasing), None)
        if odd is not None:
            raise DataError(
                f"the rows of instance {odd!r} of the panel are not in order of time",
                mend="sort each instance by time and leave the instances where they are: "
                "pd.concat([p.sort_index(level=-1) for _, p in x.groupby(level=0, sort=False)])",
            )
        return _listed([part.to_numpy().T for _, part in parts], channels)
    if len(table) and all(np.ndim(cell) == 1 for cell in table.iloc[0]):
        rows = table.itertuples(index=False)
        return _listed([np.stack([np.asarray(c) for c in row]) for row in rows], channels)
    return windows_of(table.to_numpy(), Description())


def _listed(windows: list[NDArray[Any]], channels: tuple[str, ...] = ()) -> Windows:
    """Windows one by one, filled up to the longest."""
    whole = [window[None] if window.ndim == 1 else window for window in windows]
    odd = next((i for i, w in enumerate(whole) if w.ndim != 2 or w.dtype.kind not in "iufb"), None)
    if odd is not None:
        raise DataError(
            f"window {odd} of x is {whole[odd].dtype} {whole[odd].shape}, not numbers "
            "(channel, time) or (time,)",
            mend="give numbers",
        )
    if len({len(window) for window in whole}) > 1:
        raise DataError(
            f"windows of {min(map(len, whole))} to {max(map(len, whole))} channels",
            mend="give all windows the same channels, as (channel, time)",
        )
    if not whole:
        raise DataError("x holds no window", mend="give at least a few windows")
    lengths = np.array([window.shape[1] for window in whole])
    if lengths.min() == lengths.max():
        x, own = np.stack(whole), None
    else:
        x, own = np.full((len(whole), len(whole[0]), lengths.max()), np.nan), lengths
        for row, window in enumerate(whole):
            x[row, :, : window.shape[1]] = window
    return Windows(x, channels or tuple(f"c{n}" for n in range(x.shape[1])), own)


def column_of(given: Any, what: str) -> NDArray[Any]:
    """``(n,)`` values of an array, list or column; a missing one is None or NaN.

    Raises:
        DataError: If they are not one value a window.
    """
    _refuse_masked(given, what)
    try:
        column = given.to_numpy() if hasattr(given, "to_numpy") else np.asarray(given)
    except ValueError as error:  # lists of unequal length
        raise DataError(
            f"{what} is not one value a window: {str(error).split('. ')[0]}",
            mend=f"give {what} of shape (n,): text or numbers",
        ) from None
    if column.ndim == 2 and 1 in column.shape:
        column = column.reshape(-1)
    if column.ndim != 1 or column.dtype.kind not in "iufbUSO":
        raise DataError(
            f"{what} is {column.dtype} of shape {column.shape}, not one value a window",
            mend=f"give {what} of shape (n,): text or numbers",
        )
    if column.dtype.kind == "S":
        return _decoded(column, what)
    if column.dtype.kind == "O":
        _refuse_objects(column, what)
    return column.astype(object) if column.dtype.kind == "b" else np.asarray(column)


def _decoded(column: NDArray[Any], what: str) -> NDArray[Any]:
    """Bytes as text; two that are none would become one name."""
    try:
        return np.char.decode(column, "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{what} holds the bytes {error.object!r}, which are no UTF-8",
            mend=f"give {what} as text",
        ) from None


def _refuse_objects(column: NDArray[Any], what: str) -> None:
    """Objects without words of their own (dates have some) are addresses, others tomorrow."""
    for at, value in enumerate(column):
        kind: Any = type(value)
        if kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__:
            raise DataError(
                f"value {at} of {what} is {type(value).__name__} ({value!r:.60}), "
                "neither text nor a number",
                mend=f"give {what} of shape (n,): text or numbers",
            )


def _refuse_masked(given: object, what: str) -> None:
    """NumPy drops a mask in silence, and what was masked would count as measured."""
    if isinstance(given, np.ma.MaskedArray) and np.ma.getmaskarray(given).any():
        count = int(np.ma.getmaskarray(given).sum())
        raise DataError(
            f"{what} is a masked array with {count} masked values",
            mend="give x.astype(float).filled(numpy.nan) and say --missing interpolate"
            if what == "x"
            else f"leave out those windows, and give {what}.data",
        )
