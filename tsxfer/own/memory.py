"""Data that lies in memory, as a data set: arrays, panels of sktime, and tables of pandas.

They go the way of files: the same checks and refusals, and a name with the hash of their content,
so that the same arrays are the same data set tomorrow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.names import OWN, DatasetName
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError, SpecError, TsxferError, nearest
from tsxfer.keys import canonical
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.importing import brought, plain_name
from tsxfer.own.panels import column_of, is_table, windows_of
from tsxfer.own.readers import with_absent
from tsxfer.own.tables import read as read_table
from tsxfer.own.version import READING
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

NAME = "data"  # of arrays that nobody named
CUTS = ("header", "window", "step", "pattern", "intervals")  # of files alone
ROLES = ("label", "group", "ignore", "x", "test", *CUTS)


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
