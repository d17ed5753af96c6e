"""What stands above or beside a text table: lines of remarks, and names of rows without a name."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence

SEPARATORS = (";", "\t", ",", "|", " ")
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
MOST = 40  # lines of remarks that are looked through


def preamble(lines: Sequence[str]) -> int:
    """Lines above the header, such as ``Device,X7``: they have other numbers of cells.

    Args:
        lines: The first of a file, blank ones too.

    Returns:
        How many are to be skipped; 0 where the table begins at once.
    """
    tables = {separator: _begins(lines, separator) for separator in SEPARATORS}
    others = [(one, at) for one, (at, cells) in tables.items() if cells and one != ","]
    if any(_has_decimal_commas(lines[at:], separator) for separator, at in others):
        del tables[","]  # it parts numbers, and the header has none
    most, begins = max((cells, at) for at, cells in tables.values())
    plain = [cells for at, cells in tables.values() if not at]
    return begins if most > max(plain, default=1) else 0


def _begins(lines: Sequence[str], separator: str) -> tuple[int, int]:
    """Where a table of one width begins, and its cells a line; 0 cells where none does."""
    counts = [(at, _cells(line, separator)) for at, line in enumerate(lines) if line.strip()]
    usual = Counter(count for _, count in counts).most_common(1)[0][0] if counts else 0
    place = next((n for n, (_, count) in enumerate(counts) if count == usual), 0)
    place -= int(place > 0 and counts[place - 1][1] == usual - 1)  # a header as R writes it
    first = counts[place][0] if counts else 0
    below = [count for at, count in counts if at >= first]
    whole = usual > 1 and len(below) > 2 and set(below[1:]) == {usual}
    return (first, usual) if whole and first <= MOST else (0, 0)


def _has_decimal_commas(lines: Sequence[str], separator: str) -> bool:
    """Whether the line below the first holds mostly numbers such as ``-1,4028``."""
    below = [line for line in lines if line.strip()][1:2]
    cells = [cell.strip(' "') for line in below for cell in line.split(separator)]
    commas = sum(bool(DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
    return len(cells) > 1 and 2 * commas > len(cells)


def _cells(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=separator)))
    except (csv.Error, StopIteration):
        return 0


def lacks_first_name(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the header names all columns but the first, as R writes a table with row names."""
    head, body = rows[0], rows[1:]
    if len(body) < 2 or {len(row) for row in body} != {len(head) + 1}:
        return False
    firsts = [row[0] for row in body]
    return len(set(firsts)) == len(firsts) and any(row[-1] for row in body)
