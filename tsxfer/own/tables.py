"""A table with one window a row: csv and its dialects, and parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.dialect import EMPTY, number
from tsxfer.own.lists import lists_of
from tsxfer.own.moments import refuse_moments
from tsxfer.own.official import parts_of, with_parts
from tsxfer.own.order import FEWEST, MANY, Arranged, arranged
from tsxfer.own.roles import Roles, refuse_strangers, roles_of, words_of
from tsxfer.own.streams import ReadAgain, Table, open_table
from tsxfer.own.summaries import refuse_summary
from tsxfer.own.survey import own_lengths

TEXTS = (".csv", ".tsv", ".txt", ".dat")
ENDINGS = (*TEXTS, *(f"{ending}.gz" for ending in TEXTS), ".parquet", ".pq")
SMALL = 1 << 26  # bytes of samples that memory holds


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows, labels and groups of a table with one window a row.

    Raises:
        DataError: If it cannot be read, or a column is not there, or is nothing that is known.
    """
    table = open_table(path, described)
    roles, notes = roles_of(table, described, path)
    if table.nested and any(table.kind(name) in ("list", "struct") for name in roles.samples):
        named = [name for name in (roles.label, roles.group) if name]
        made = lists_of(table, roles.samples, named, described, path)
        return _parted(made, table, roles, path) if roles.part else made
    _refuse_useless(described, path)
    refuse_strangers(table, roles, described, path)
    order = arranged(roles.samples, described.axes, path)
    columns = [name for members in order.channels.values() for name in members]
    try:
        x, words = _filled(table, columns, words_of(roles), scratch)
    except ReadAgain:
        x, words = _filled(table, columns, words_of(roles), scratch)
    refuse_summary(x, path)
    x = x.reshape(len(x), len(order.channels), -1)
    _question(x, described, path)
    labels = words[roles.label] if roles.label else None
    refuse_moments(x, order.channels, labels, described, path)
    lengths = (
        None if described.missing != "refuse" and described.lengths == "refuse" else own_lengths(x)
    )
    content = _content(x, words, roles, order, (*table.notes, *notes), lengths, table.decimal)
    if not roles.part:
        return content
    part, note = parts_of(words[roles.part], roles.part, str(path))
    return with_parts(content, part, note, str(path))


def _parted(made: Content, table: Table, roles: Roles, path: Path) -> Content:
    """Series with the official split that a column tells."""
    cells = [batch.column(0).to_pylist() for batch in table.batches([], [roles.part])]
    values = np.array([cell for batch in cells for cell in batch], object)
    part, note = parts_of(values, roles.part, str(path))
    return with_parts(made, part, note, str(path))


def _refuse_useless(described: Description, path: Path) -> None:
    """A flag that a table with a column a sample cannot heed."""
    if described.x:
        raise DataError(
            f"--x {described.x}, but this table has a column a sample and no column of series",
            where=str(path),
            mend="leave --x out; --ignore leaves out columns that are no samples",
        )


def _content(
    x: NDArray[np.float64],
    words: dict[str, NDArray[Any]],
    roles: Roles,
    order: Arranged,
    notes: tuple[str, ...],
    lengths: NDArray[np.int64] | None,
    decimal: str,
) -> Content:
    return Content(
        x=x,
        y=as_numbers(words[roles.label], decimal) if roles.label else None,
        group=words[roles.group] if roles.group else None,
        channels=tuple(order.channels),
        label=roles.label,
        group_name=roles.group,
        rate=order.rate,
        notes=(*notes, *order.notes),
        lengths=lengths,
        columns=tuple(name for members in order.channels.values() for name in members),
    )


def _question(x: NDArray[np.float64], described: Description, path: Path) -> None:
    count, channels, length = x.shape
    if length < FEWEST and count >= MANY and not described.axes and not described.unlabelled:
        raise DataError(
            f"{count:,} windows of {channels} x {length}: is this a recording, one moment a row?",
            where=str(path),
            mend="cut it: --window 1s --step 0.5s (with --rate); or --axes channel,time if windows "
            "are that short",
        )


def _filled(
    table: Table, columns: list[str], words: list[str], scratch: Path
) -> tuple[NDArray[np.float64], dict[str, NDArray[Any]]]:
    """Samples ``(n, column)``, in memory or on disk, and the columns of words."""
    import pyarrow as pa

    found: dict[str, list[Any]] = {name: [] for name in words}
    place = scratch / "x.f64"
    with place.open("wb") as raw:
        for batch in table.batches(columns, words):
            numbers = pa.RecordBatch.from_arrays(
                batch.columns[: len(columns)], list(map(str, range(len(columns))))
            )
            raw.write(numbers.to_tensor(null_to_nan=True, row_major=True).to_numpy().data)
            for name, column in zip(words, batch.columns[len(columns) :], strict=True):
                found[name].append(words_from(column))
        size = raw.tell()
    if size == 0:
        raise DataError(
            f"0 row(s) and {len(table.names)} column(s): no window",
            where="below the header",
            mend="one window a row, columns separated by commas, names of columns in the first row",
        )
    whole = {name: np.concatenate(parts) for name, parts in found.items()}
    shape = (-1, len(columns))
    if size <= SMALL:
        return np.fromfile(place, np.float64).reshape(shape), whole
    return np.memmap(place, np.float64, "r").reshape(shape), whole


def words_from(column: Any) -> NDArray[Any]:
    """A column of labels or groups as objects, None where a cell is empty."""
    cells = column.to_pylist()
    found = np.empty(len(cells), object)
    found[:] = [cell if not isinstance(cell, (list, dict)) else repr(cell) for cell in cells]
    return found


def as_numbers(words: NDArray[Any], decimal: str = ".") -> NDArray[Any]:
    """Words that are all numbers as numbers; ``01``, ``1_2`` and text stay words.

    Cells that are empty are missing; of numbers with decimals those that say ``NA`` or alike too.
    """
    cells = ["" if word is None else word for word in words.tolist()]
    if not all(isinstance(cell, str) for cell in cells):
        return words
    if any(len(cell) > 1 and cell[0] == "0" and cell.isdigit() for cell in cells):
        return np.array(cells, object)
    found = [number(cell, decimal) for cell in cells]
    odd = {cell.strip().lower() for cell, value in zip(cells, found, strict=True) if value is None}
    numbers = np.array([np.nan if value is None else value for value in found])
    broken = bool((numbers[np.isfinite(numbers)] % 1 != 0).any())
    if np.isnan(numbers).all() or odd - (EMPTY if broken else {""}):
        return np.array(cells, object)
    return numbers
