"""Data that lies in memory, as a data set: arrays, panels of sktime, and tables of pandas.

They go the way of files: the same checks and refusals, and a name with the hash of their content,
so that the same arrays are the same data set tomorrow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.names import OWN, DatasetName
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError, SpecError, TsxferError, nearest
from tsxfer.keys import canonical
from tsxfer.own.arrays import oriented
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.importing import brought, plain_name
from tsxfer.own.readers import with_absent
from tsxfer.own.tables import read as read_table
from tsxfer.own.version import READING
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

NAME = "data"  # of arrays that nobody named
CUTS = ("header", "window", "step", "pattern", "intervals")  # of files alone
ROLES = ("label", "group", "ignore", "x", "test", *CUTS)


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


def bring_arrays(
    name: str, x: object, y: object, groups: object, described: Description, workspace: Workspace
) -> Prepared:
    """The data set of windows, labels and groups in memory.

    Args:
        name: What it is called; "" is `NAME`.
        x: ``(n, channel, time)`` or ``(n, time)`` numbers, in the unit of the sensor; a list of
            windows ``(channel, time)`` or ``(time,)``, which may be of unequal length; or a panel
            of sktime: rows by instance and time, or cells that are series.
        y: ``(n,)`` class names, or numbers in the unit of the label.
        groups: ``(n,)`` names of what must stay on one side of a split (subjects, machines); None
            where every window stands for itself.
        described: Rate, task, metric, margin and so on; its names of columns mean nothing here.
        workspace: Where the data set will lie.

    Raises:
        DataError: For shapes that do not fit, and for whatever is refused in a file.
    """
    _refuse_said(described, ROLES, "arrays")
    _refuse_other_order(x, y, groups)
    windows = windows_of(x, described)
    labels, names = column_of(y, "y"), None if groups is None else column_of(groups, "groups")
    for what, column in (("y", labels), ("groups", names)):
        if column is not None and len(column) != len(windows.x):
            raise DataError(
                f"{what} holds {len(column)} values, x holds {len(windows.x)} windows "
                f"(its shape is {windows.x.shape})",
                mend=f"give one value of {what} a window; the first axis of x counts windows",
            )
    content = Content(
        x=windows.x,
        y=labels,
        group=names,
        channels=windows.channels,
        label="y",
        group_name="" if names is None else "group",
        notes=windows.notes,
        lengths=windows.lengths,
    )
    parts = [windows.x, labels, *([] if names is None else [names])]
    version = _version(parts, [*windows.channels], described)
    called = DatasetName(plain_name(name or NAME), OWN, version)
    return brought(
        called, name or "x", lambda _: with_absent(content, described), described, workspace
    )


def bring_table(
    name: str, table: pd.DataFrame, described: Description, workspace: Workspace
) -> Prepared:
    """The data set of a table with one window a row, read as a parquet file of it would be.

    Raises:
        DataError: If a column is not there or no label is named, and whatever is refused in a file.
    """
    _refuse_said(described, CUTS, "a DataFrame")
    _refuse_unnamed(table, described)
    called = table.set_axis([str(column) for column in table.columns], axis=1)
    if called.columns.duplicated().any():
        twice = called.columns[called.columns.duplicated()][0]
        raise DataError(
            f"two columns of the DataFrame are called {twice!r}, one as text and one as number",
            mend="rename one of them",
        )
    columns = [called[column].to_numpy() for column in called]
    version = _version(columns, list(called.columns), described)
    named = DatasetName(plain_name(name or NAME), OWN, version)

    def read(scratch: Path) -> Content:
        file = scratch / "DataFrame.parquet"
        try:
            called.to_parquet(file, index=False)
        except Exception as error:  # pyarrow passes on whatever a cell may hold
            raise DataError(
                f"the DataFrame cannot be read as a table: {str(error).splitlines()[0]}",
                mend="give plain numbers and text, or (x, y, groups) as arrays",
            ) from None
        try:
            return with_absent(read_table(file, described, scratch), described)
        except TsxferError as error:
            error.where = error.where.replace(str(file), "the DataFrame")
            raise

    return brought(named, name or "DataFrame", read, described, workspace)


def _refuse_unnamed(table: pd.DataFrame, described: Description) -> None:
    if table.columns.duplicated().any():
        twice = table.columns[table.columns.duplicated()][0]
        raise DataError(f"the DataFrame has two columns {twice!r}", mend="rename one of them")
    names = [str(column) for column in table.columns]
    for flag in ("label", "group"):
        said = getattr(described, flag)
        if said and said not in names and not said.lstrip("-").isdigit() and "," not in said:
            raise DataError(
                f"the DataFrame has no column {said!r}", where=f"{flag}=", mend=nearest(said, names)
            )


def _refuse_said(described: Description, deaf: Sequence[str], what: str) -> None:
    """What would be passed over in silence."""
    blank = Description()
    said = [n for n in deaf if getattr(described, n) != getattr(blank, n)]
    if said:
        raise SpecError(
            f"{', '.join(f'--{name}' for name in said)} means nothing for {what}",
            mend="leave it out; a long recording is cut from a file, such as an .npy or .csv",
        )


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
    turned, notes = oriented(array, "x", len(array), described, Path("target"))
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


def _refuse_other_order(x: object, y: object, groups: object) -> None:
    """Indexes of pandas that hold the same names in another order: rows would be mismatched."""
    index: Any = getattr(x, "index", None) if is_table(x) else getattr(y, "index", None)
    if index is None or callable(index):
        return
    index = index.unique(level=0) if index.nlevels > 1 else index
    for what, column in (("y", y), ("groups", groups)):
        other: Any = getattr(column, "index", None)
        if other is None or callable(other) or len(other) != len(index) or index.equals(other):
            continue
        if set(index) == set(other):
            raise DataError(
                f"the index of {what} holds the names of the other index in another order",
                mend=f"order them alike: {what}.loc[x.index]; or give {what}.to_numpy() to pair "
                "rows as they stand",
            )


def _version(parts: Sequence[NDArray[Any]], names: list[str], described: Description) -> str:
    """Eight hexadecimal digits that change with any value, shape, type, name or word."""
    said = f"{READING} memory {canonical(described)} {json.dumps(names)}"
    digest = hashlib.sha256(said.encode())
    for part in parts:
        digest.update(f"{part.dtype.str} {part.shape}\n".encode())
        if part.dtype.kind == "O":
            digest.update(json.dumps(part.tolist(), default=_in_words).encode())
        else:
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()[:8]


def _in_words(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray) else str(value)
