"""How a text table is written: encoding, separator, decimal sign, and whether a header names it."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from tsxfer.errors import DataError
from tsxfer.own.description import Description
from tsxfer.own.preamble import SEPARATORS, lacks_first_name, preamble

HEAD = 1 << 18  # bytes looked at, more where the first line is longer
EMPTY = frozenset({"", "na", "nan", "null", "none", "n/a", "#n/a", "#na", "-nan", "?", "<na>"})
SEP = re.compile(r"^sep=.$", re.IGNORECASE)  # what Excel writes above a table
KINDS = (
    (b"\x1f\x8b", "gzipped", ".csv.gz"),
    (b"PK\x03\x04", "a zip archive or a table of Excel", ".zip or .xlsx"),
    (b"PAR1", "parquet", ".parquet"),
    (b"BZh", "packed by bzip2", ".csv.bz2"),
    (b"\xfd7zXZ", "packed by xz", ".csv.xz"),
)
NO_HEADER = (
    "no header: the first line holds numbers and is the first window (--header yes settles it "
    "otherwise)"
)
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read a text table.

    Attributes:
        encoding: As Python names it.
        separator: Between cells.
        decimal: Sign before decimals.
        header: Whether the first line names the columns.
        names: Of the columns; their positions where there is no header.
        packed: The file is gzipped.
        skip: Lines before the first window: the header, and remarks above it.
        notes: What was guessed.
        aligned: Several blanks stand between two cells.
    """

    encoding: str
    separator: str
    decimal: str
    header: bool
    names: tuple[str, ...]
    packed: bool
    skip: int
    notes: tuple[str, ...] = ()
    aligned: bool = False


def dialect_of(path: Path, described: Description) -> Dialect:
    """Look at the beginning of a text table.

    Raises:
        DataError: If it is empty, no text, or one column.
    """
    packed = path.name.lower().endswith(".gz")
    head, whole = _head(path, packed)
    encoding, notes = _encoding(head)
    every = _lines(head, encoding, whole, path)
    aligned = _are_aligned(every)
    every = [" ".join(line.split()) for line in every] if aligned else every
    lines, above, said = _without_remarks(every)
    separator, decimal = _separated(lines, path)
    rows = _cells(lines, separator)
    rows = [["", *rows[0]], *rows[1:]] if lacks_first_name(rows) else rows
    header, guess = _has_header(rows, decimal, described)
    count = len(rows[0])
    names = _names(rows[0]) if header else tuple(map(str, range(count)))
    return Dialect(
        encoding=encoding,
        separator=separator,
        decimal=decimal,
        header=header,
        names=names,
        packed=packed,
        skip=above + int(header),
        notes=(*notes, *said, *guess, *_thousands(rows[int(header) :], decimal)),
        aligned=aligned,
    )


def latin(found: Dialect) -> Dialect:
    """The same for a file that is no UTF-8 after all."""
    return replace(
        found, encoding="latin-1", notes=(*found.notes, "it is no UTF-8; read as Latin-1")
    )


def number(cell: str, decimal: str = ".") -> float | None:
    """A cell as a number; None where it is none, such as ``1_2``, which Python takes for 12.

    With a decimal comma a point is none, as for pyarrow.
    """
    if "_" in cell or (decimal == "," and "." in cell):
        return None
    try:
        return float(cell.strip().replace(decimal, ".") if decimal == "," else cell)
    except ValueError:
        return None


def _head(path: Path, packed: bool) -> tuple[bytes, bool]:
    """The first bytes, at least one line of them, and whether that is all."""
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(HEAD)
            while head and head.count(b"\n") < 2 and (more := file.read(HEAD)):
                head += more
            return head, not file.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path.name} cannot be read: {error}",
            where=str(path),
            mend="is it a whole gzip file? pack it again" if packed else "check the file",
        ) from None


def _encoding(head: bytes) -> tuple[str, tuple[str, ...]]:
    for mark, name in MARKS:
        if head.startswith(mark):
            return name, (("read as UTF-16",) if name == "utf-16" else ())
    try:
        head[: head.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1", ("it is no UTF-8; read as Latin-1",)
    return "utf-8", ()


def _lines(head: bytes, encoding: str, whole: bool, path: Path) -> list[str]:
    """The first lines that are whole."""
    text = head.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")[: None if whole else -1][:60]
    if not any(map(str.strip, lines)) or "\0" in text:
        raise DataError(
            f"{path.name} ({path.stat().st_size:,} bytes) is no readable table: "
            + ("it holds zero bytes" if "\0" in text else "it is empty"),
            where=str(path),
            mend=_really(head, path)
            or "write one window a row, columns separated by commas, names in the first row",
        )
    return lines


def _really(head: bytes, path: Path) -> str:
    """What a file is that is called a text table, and is none; "" where that is not known."""
    bare = path.name.removesuffix(".gz")
    for mark, kind, ending in KINDS:
        if head.startswith(mark):
            return f"it is {kind}: call it so, e.g. {bare.partition('.')[0]}{ending}"
    if head.count(b"\0") * 3 > len(head) > 0:
        return "if it is UTF-16 without a byte order mark, save it as UTF-8"
    return ""


def _are_aligned(lines: list[str]) -> bool:
    """Whether cells stand in columns, with several blanks between them and no other separator."""
    text = [line for line in lines if line.strip()]
    wide = sum(bool(re.search(r"^ +\S|\S {2,}\S", line)) for line in text)
    parted = re.compile(r'[;\t|"]|,(?!\d)|(?<!\d),')  # a comma between digits is a decimal one
    return 2 * wide > len(text) and not any(parted.search(line) for line in text)


def _without_remarks(lines: list[str]) -> tuple[list[str], int, tuple[str, ...]]:
    """Lines that are cells, how many stand above them, and what is said of those.

    Above may stand blanks, ``sep=;``, ``#`` remarks, and lines of other numbers of cells.

    A ``#`` line right above the first window may be numpy's header: it has as many cells.
    """
    above = 0
    while above < len(lines) - 1:
        line, below = lines[above].strip(), lines[above + 1].strip()
        named = line.startswith("#") and below and not below.startswith("#")
        if named and any(_same_count(line, below, sign) for sign in SEPARATORS):
            break
        if line and not line.startswith("#") and not SEP.match(line):
            break
        above += 1
    free = preamble(lines[above:])
    said = (f"{free} lines above the header are left out, the first {lines[above][:40]!r}",)
    kept = [line for line in lines[above + free :] if line.strip()]
    return [re.sub(r"^\s*#\s*", "", kept[0]), *kept[1:]], above + free, said if free else ()


def _same_count(one: str, other: str, separator: str) -> bool:
    """Whether two lines have equally many cells, more than one."""
    return 0 < one.lstrip("# ").count(separator) == other.count(separator)


def _cells(lines: list[str], separator: str) -> list[list[str]]:
    try:
        return [[c.strip() for c in row] for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:
        return [line.split(separator) for line in lines]


def _separated(lines: list[str], path: Path) -> tuple[str, str]:
    """Separator and decimal sign: those that give the most numbers in rows of one length."""
    best, found = (-1, -1), (",", ".")
    for separator in SEPARATORS:
        rows = _cells(lines, separator)
        even = len({len(row) for row in rows}) == 1
        for decimal in (".", ","):
            numbers = sum(number(c, decimal) is not None for row in rows[1:] for c in row)
            if len(rows[0]) > 1 and (score := (int(even), numbers)) > best:
                best, found = score, (separator, decimal)
    if best[0] < 0:
        raise DataError(
            f"{len(lines)} line(s) of 1 column: no window",
            where=str(path),
            mend="one window a row, columns separated by commas, names of columns in the first row",
        )
    return found


def _has_header(
    rows: list[list[str]], decimal: str, described: Description
) -> tuple[bool, tuple[str, ...]]:
    """Whether the first line names columns: names are text, or numbers in even steps."""
    if described.header:
        return described.header == "yes", ()
    first = rows[0]
    if {described.label, described.group} & set(first) - {""} and not _is_position(described):
        return True, ()
    values = [v for cell in first if (v := number(cell, decimal)) is not None]
    if not values or _even(values) or (len(values) == 1 and len(first) > 2):
        return True, ()
    if described.columns and set(described.columns) <= set(first):
        return True, ()
    return False, (NO_HEADER,)


def _is_position(described: Description) -> bool:
    """Whether the label is a number, so that a first line may hold it by chance."""
    return number(described.label) is not None if described.label else False


def _even(values: list[float]) -> bool:
    steps = [b - a for a, b in pairwise(values)]
    return (
        bool(steps)
        and steps[0] != 0
        and all(abs(s - steps[0]) <= 1e-2 * abs(steps[0]) for s in steps)
    )


def _thousands(rows: list[list[str]], decimal: str) -> tuple[str, ...]:
    """What is to be said where commas taken as decimal signs may group thousands (``1,234``)."""
    cells = [cell for row in rows for cell in row if decimal == "," and "," in cell]
    if not cells or not all(re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", cell) for cell in cells):
        return ()
    said = float(cells[0].replace(",", "."))
    return (
        f"{cells[0]} is read as {said:g}, with a decimal comma; if commas group thousands, write "
        "the file without them",
    )


def _names(first: list[str]) -> tuple[str, ...]:
    """Names of a header; ``#`` is how numpy marks one, and pandas' way to call what has no name."""
    names = (first[0].lstrip("# "), *first[1:])
    return tuple(name or f"Unnamed: {at}" for at, name in enumerate(names))
