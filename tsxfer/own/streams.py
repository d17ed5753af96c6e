"""Tables as streams of batches, so that memory holds a part of a large file: text and parquet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tsxfer.errors import DataError
from tsxfer.own.description import Description
from tsxfer.own.dialect import EMPTY, Dialect, dialect_of, latin, number
from tsxfer.own.faults import unreadable
from tsxfer.own.squeezed import Squeezed

BATCH, FIRST = 1 << 25, 1 << 20  # bytes of text that are read at a time, and to see what is there
PARQUET = (".parquet", ".pq")
WORDS = [  # cells that are empty, in all spellings, since pyarrow compares letter by letter
    blank + spelt
    for word in sorted(EMPTY)
    for blank in ("", " ")
    for spelt in dict.fromkeys((word, word.upper(), word.capitalize(), word.title()))
] + ["NaN", "-NaN", " NaN"]
GROUPED = re.compile(r"[+-]?\d{1,3}(?:([.,' ’])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")  # 1,234.5
BAD_CELL = re.compile(r"In CSV column #(\d+).*?invalid value '(.*)'", re.DOTALL)


class ReadAgain(Exception):  # noqa: N818  (no fault: what was read so far is to be forgotten)
    """A table must be read from its first row once more."""


class Table(Protocol):
    """A table whose names are known and whose cells are read when asked for.

    Attributes:
        names: Of the columns.
        notes: What was guessed of it.
        positions: Columns are known by position alone.
        nested: Cells may hold whole series.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...]
    positions: bool
    nested: bool

    @property
    def decimal(self) -> str:
        """Sign before decimals, where cells are text."""

    def batches(self, numbers: list[str], words: list[str]) -> Iterator[Any]:
        """Record batches of those columns, `numbers` as float64 first, then `words` as found."""

    def kind(self, name: str) -> str:
        """``number``, ``text``, ``list`` or ``struct``; of a text table from its first rows."""


def open_table(path: Path, described: Description) -> Table:
    """The table in a file.

    Raises:
        DataError: If it is none.
    """
    if path.name.lower().endswith(PARQUET):
        return Parquet.of(path)
    return Text.of(path, described)


@dataclass(slots=True)
class Text:
    """A csv or one of its dialects."""

    path: Path
    dialect: Dialect
    names: tuple[str, ...]
    positions: bool
    notes: tuple[str, ...]
    nested: bool = False
    first: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path, described: Description) -> Text:
        """Look at its beginning."""
        found = dialect_of(path, described)
        return cls(path, found, found.names, not found.header, found.notes)

    @property
    def decimal(self) -> str:
        """As the file is written."""
        return self.dialect.decimal

    def kind(self, name: str) -> str:
        """From the first rows."""
        if not self.first:
            self.first = self._beginning()
        cells = [cell for cell in self.first[name] if cell.strip().lower() not in EMPTY]
        return "number" if all(map(self._is_number, cells)) else "text"

    def _is_number(self, cell: str) -> bool:
        return number(cell, self.dialect.decimal) is not None

    def _beginning(self) -> dict[str, list[str]]:
        try:
            first = next(self.batches([], list(self.names), FIRST), None)
        except ReadAgain:
            return self._beginning()
        if first is None:
            return {name: [] for name in self.names}
        return {n: first.column(i).slice(0, 200).to_pylist() for i, n in enumerate(self.names)}

    def batches(self, numbers: list[str], words: list[str], size: int = 0) -> Iterator[Any]:
        """Record batches, from the first row.

        Raises:
            ReadAgain: If the file is no UTF-8 after all; the next call reads it as Latin-1.
            DataError: If it cannot be read.
        """
        try:
            yield from self._stream(numbers, words, size or BATCH)
        except Exception as error:  # pyarrow passes on any fault of a damaged file
            if "UTF8" in str(error) and self.dialect.encoding == "utf-8":
                self.dialect = latin(self.dialect)
                self.notes = self.dialect.notes
                raise ReadAgain from None
            raise self._told(error) from None

    def _stream(self, numbers: list[str], words: list[str], size: int) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import csv

        place = {name: str(at) for at, name in enumerate(self.names)}
        types = {place[n]: pa.float64() for n in numbers} | {place[n]: pa.string() for n in words}
        with pa.input_stream(
            str(self.path), compression="gzip" if self.dialect.packed else None
        ) as raw:
            file = pa.PythonFile(Squeezed(raw), "r") if self.dialect.aligned else raw
            yield from csv.open_csv(
                file,
                csv.ReadOptions(
                    block_size=size,
                    column_names=[str(at) for at in range(len(self.names))],
                    skip_rows=self.dialect.skip,
                    encoding=self.dialect.encoding.replace("utf-8-sig", "utf-8"),
                ),
                csv.ParseOptions(delimiter=self.dialect.separator, newlines_in_values=False),
                csv.ConvertOptions(
                    column_types=types,
                    include_columns=[place[n] for n in (*numbers, *words)],
                    null_values=WORDS,
                    strings_can_be_null=False,
                    decimal_point=self.dialect.decimal,
                ),
            )

    def _told(self, error: Exception) -> DataError:
        """What pyarrow says, with the place of the first bad cell."""
        if isinstance(error, DataError):
            return error
        found = BAD_CELL.search(str(error))
        if found is None:
            return _no_table(self.path, error)
        # The number that pyarrow names counts the columns of the file.
        name = self.names[int(found[1])]
        row, cell, count = self._bad_cells(name)
        if row == 0 and count == 1 and self._is_units():  # or the type of each column
            return DataError(
                f"{cell!r} is not a number: the line below the header seems to hold units or types",
                where=f"{self.path}, column {name}, row 1",
                mend="remove that line",
            )
        grouped = GROUPED.fullmatch(cell.strip())
        return DataError(
            f"{cell!r} is not a number ({count} such cells)",
            where=f"{self.path}, column {name}, row {row + 1}",
            mend="write numbers without signs that group thousands"
            if grouped
            else "write the minus sign as - (it is U+2212)"
            if "\u2212" in cell
            else f"correct the cells, or leave the column out: --ignore {name}",
        )

    def _is_units(self) -> bool:
        """Whether most cells of the first row are no numbers, in columns that hold numbers."""
        first = self._beginning()
        odd = [
            not self._is_number(cells[0])
            for cells in first.values()
            if len(cells) > 1 and self._is_number(cells[1])
        ]
        return sum(odd) * 2 > len(odd)

    def _bad_cells(self, name: str) -> tuple[int, str, int]:
        at, first, count = 0, (0, ""), 0
        for batch in self._stream([], [name], BATCH):
            for row, cell in enumerate(batch.column(0).to_pylist()):
                if cell.strip().lower() not in EMPTY and not self._is_number(cell):
                    first, count = first if count else (at + row, cell), count + 1
            at += batch.num_rows
        return *first, count


@dataclass(slots=True)
class Parquet:
    """A parquet file."""

    path: Path
    file: Any
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    positions: bool = False
    nested: bool = True
    decimal: str = "."

    @classmethod
    def of(cls, path: Path) -> Parquet:
        """Look at its schema."""
        from pyarrow import parquet

        try:
            file = parquet.ParquetFile(path)
            return cls(path, file, tuple(file.schema_arrow.names))
        except Exception as error:  # pyarrow passes on any fault of a damaged file
            raise unreadable(path, error) from None

    def kind(self, name: str) -> str:
        """From the schema."""
        import pyarrow as pa

        found = self.file.schema_arrow.field(name).type
        if pa.types.is_dictionary(found):
            found = found.value_type
        tests = {
            "number": (
                pa.types.is_integer,
                pa.types.is_floating,
                pa.types.is_boolean,
                pa.types.is_decimal,
            ),
            "list": (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list),
            "struct": (pa.types.is_struct,),
        }
        return next((k for k, checks in tests.items() if any(c(found) for c in checks)), "text")

    def batches(self, numbers: list[str], words: list[str]) -> Iterator[Any]:
        """Record batches, numbers as float64."""
        import pyarrow as pa

        try:
            for batch in self.file.iter_batches(1 << 14, columns=[*numbers, *words]):
                columns = [batch.column(n).cast(pa.float64(), safe=False) for n in numbers]
                columns += [batch.column(n) for n in words]
                yield pa.RecordBatch.from_arrays(columns, [*numbers, *words])
        except Exception as error:  # as above
            raise unreadable(self.path, error) from None


def _no_table(path: Path, error: Exception) -> DataError:
    said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return DataError(
        f"{path.name} ({path.stat().st_size:,} bytes) is no readable table: {said}",
        where=str(path),
        mend="give every line the same columns, one window a row",
    )
