"""Tables of intervals: start, end and label of each stretch, in any unit that columns name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError, SpecError
from tsxfer.own.description import Description
from tsxfer.own.listing import listing, times
from tsxfer.own.tables import as_numbers

STARTS = ("start", "onset", "begin", "from", "start_time", "tmin")
ENDS = ("end", "stop", "offset", "to", "end_time", "tmax")
LASTING = ("duration", "length")
FACTORS = {"ms": 1e-3}
UNIT = re.compile(
    r"^(?P<name>.*?)[ _]*[\[(]?(?<![a-z])"
    r"(?P<unit>s|secs?|seconds?|ms|msecs?|milliseconds?|samples?)[\])]?$"
)  # of start_ms, onset (s), end[samples]
FILES = ("file", "filename", "file_name", "record", "recording", "path")


@dataclass(frozen=True, slots=True)
class Interval:
    """One labelled interval; times in seconds, or in samples of the file where it says so."""

    start: float
    end: float
    label: Any
    group: str
    file: str
    counted: bool = False


def read_intervals(path: Path, described: Description) -> tuple[list[Interval], str, str]:
    """The intervals of a table, with the names of its label and group columns.

    Raises:
        DataError: If columns are missing, or an interval does not end after its start.
    """
    if not path.is_file():
        raise SpecError(f"no file {path}", mend="check the path after --intervals")
    table, decimal = listing(path)
    (start, unit), (end, other) = (_column(table, path, n) for n in (STARTS, (*ENDS, *LASTING)))
    if (unit == "samples") != (other == "samples"):
        raise DataError(
            f"{start} and {end} are of two kinds: samples and seconds",
            where=str(path),
            mend="give both in seconds, or both in samples",
        )
    label = _label(table, path, described, (start, end))
    group = next((n for n in (described.group, "group") if n in table.columns), "")
    file = next((n for n in FILES if n in table.columns), "")
    begins = _times(table[start], decimal, path) * FACTORS.get(unit, 1.0)
    ends = _times(table[end], decimal, path) * FACTORS.get(other, 1.0)
    ends = begins + ends if _bare(end)[0] in LASTING else ends
    bad = ~(ends > begins)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"an interval from {table[start].iloc[row]} to {table[end].iloc[row]} does not end "
            "after its start",
            where=f"{path}, row {row + 1}",
            mend="correct that row, or remove it",
        )
    columns = [
        begins,
        ends,
        _labels(table[label], decimal),
        table[group] if group else [""] * len(table),
        table[file].astype(str) if file else [""] * len(table),
    ]
    found = [
        Interval(float(a), float(b), c, str(d), e, unit == "samples")
        for a, b, c, d, e in zip(*columns, strict=True)
    ]
    return found, label, group


def _times(cells: Any, decimal: str, path: Path) -> NDArray[np.float64]:
    """Times in seconds, or in the unit of the column.

    Raises:
        DataError: For a cell that is no time.
    """
    found = times(cells, decimal)
    if np.isnan(found).any():
        row = int(np.argmax(np.isnan(found)))
        raise DataError(
            f"{cells.iloc[row]!r} is no time",
            where=f"{path}, column {cells.name}, row {row + 1}",
            mend="write seconds, 00:01:30 (hours first), or a date such as 2024-05-01T10:00:00",
        )
    return found


def _labels(cells: Any, decimal: str) -> list[Any]:
    """Labels, None where a cell is empty."""
    found = as_numbers(cells.to_numpy(object), decimal).tolist()
    return [None if said == "" else value for said, value in zip(cells, found, strict=True)]


def _bare(column: str) -> tuple[str, str]:
    """The name of a column without its unit, and the unit: ``s``, ``ms``, ``samples`` or ""."""
    name = column.strip().lower()
    found = UNIT.match(name)
    if found is None or not found["name"]:
        return name, ""
    unit = found["unit"]
    kind = "samples" if unit.startswith("sample") else "ms" if unit.startswith("m") else "s"
    return found["name"], kind


def _column(table: Any, path: Path, names: tuple[str, ...]) -> tuple[str, str]:
    """A column that is called by one of these names, and its unit."""
    lower = {_bare(name)[0]: name for name in reversed(table.columns)}
    lower |= {name.lower(): name for name in reversed(table.columns)}
    for name in names:
        if name in lower:
            return str(lower[name]), _bare(lower[name])[1]
    raise DataError(
        f"no column called {' or '.join(names[:3])}",
        where=f"{path} has: {', '.join(table.columns[:12])}",
        mend="name the columns start, end and label in the first row of the file",
    )


def _label(table: Any, path: Path, described: Description, taken: tuple[str, str]) -> str:
    wanted = (described.label,) if described.label else ("label", "class", "event", "description")
    found = [n for n in wanted if n in table.columns and n not in taken]
    if not found:
        raise DataError(
            f"no column {wanted[0]!r} of labels",
            where=f"{path} has: {', '.join(table.columns[:12])}",
            mend="name it with --label",
        )
    return found[0]
