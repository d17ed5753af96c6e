"""Recordings in tables, one sample a row: text and parquet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.clocks import Clock, clock_of, is_time, seconds
from tsxfer.own.columns import LABELS, few
from tsxfer.own.description import Description
from tsxfer.own.faults import unreadable
from tsxfer.own.runs import Runs
from tsxfer.own.signals import Signal
from tsxfer.own.streams import ReadAgain, Table, Text, open_table

BLOCK = 1 << 22  # bytes of text read at a time
ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a recording are.

    Attributes:
        samples: Channels.
        label: Column of labels; "" where there is none.
        group: Column of groups; "" where there is none.
        time: Column of times; "" where there is none.
        dated: The times are text, such as dates.
        notes: What was guessed.
    """

    samples: tuple[str, ...]
    label: str
    group: str
    time: str
    dated: bool
    notes: tuple[str, ...]

    @property
    def numbers(self) -> list[str]:
        """Columns that are read as numbers."""
        return [*self.samples, *([self.time] if self.time and not self.dated else [])]

    @property
    def words(self) -> list[str]:
        """Columns that are read as they are."""
        named = (self.label, self.group, self.time if self.dated else "")
        return list(dict.fromkeys(name for name in named if name))


def signal(path: Path, name: str, described: Description, scratch: Path) -> tuple[Signal, Roles]:
    """A recording in a table; its samples go to `scratch`, so that memory stays at one batch.

    Raises:
        DataError: If a column is missing, is of no known use, or holds what is no number.
    """
    table = _opened(path, described)
    raw = scratch / f"{len(list(scratch.glob('*.raw')))}.raw"
    while True:
        roles = roles_of(table, described, path)
        tape = _Tape(raw, name, path, roles, described)
        try:
            for batch in _batches(table, roles):
                block = batch.to_pandas()
                block.columns = [*roles.numbers, *roles.words]
                tape.add(block)
        except ReadAgain:
            continue  # in another encoding, from its first row
        return tape.signal(table.notes), roles


def _batches(table: Table, roles: Roles) -> Iterator[Any]:
    """Small ones of text: pyarrow reads some ahead, as many as there are processors."""
    if isinstance(table, Text):
        return table.batches(roles.numbers, roles.words, BLOCK)
    return table.batches(roles.numbers, roles.words)


def _opened(path: Path, described: Description) -> Table:
    """The table; a first line that holds a number names no channels, unless it counts them."""
    table = open_table(path, described)
    counted = list(table.names) == [str(number) for number in range(len(table.names))]
    if described.header or table.positions or counted or not any(map(_is_number, table.names)):
        return table
    return open_table(path, replace(described, header="no"))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


class _Tape:
    """Samples of a recording on disk, its stretches and its clock, as batches come."""

    def __init__(
        self, raw: Path, name: str, path: Path, roles: Roles, described: Description
    ) -> None:
        self._raw, self._name, self._path = raw, name, path
        self._roles, self._described = roles, described
        self._runs, self._clock = Runs(name), None if not roles.time else Clock(0.0, 1.0, np.inf)
        self._pieces: list[tuple[int, float]] = []
        self._count, self._last = 0, np.nan
        raw.write_bytes(b"")

    def add(self, block: Any) -> None:
        """The next rows."""
        if not len(block):
            return
        breaks = np.zeros(len(block), np.bool_)
        if self._clock is not None:
            breaks = self._breaks(block)
        with self._raw.open("ab") as out:
            block[list(self._roles.samples)].to_numpy(np.float64).tofile(out)
        self._runs.add(*_said(block, self._roles, self._described.ignore), breaks)
        self._count += len(block)

    def _breaks(self, block: Any) -> NDArray[np.bool_]:
        times = _times(block, self._roles, self._path, self._count)
        if not self._count and len(times) > 1:
            self._clock = self._beginning(times)
        clock = self._clock
        assert clock is not None  # noqa: S101  (the caller looked)
        breaks = clock.breaks(times, self._last)
        starts = np.flatnonzero(breaks)
        starts = starts if self._count else np.union1d([0], starts)
        self._pieces += [
            (self._count + int(at), float(times[at]) * (clock.unit or 1.0)) for at in starts
        ]
        self._last = float(times[-1])
        return breaks

    def _beginning(self, times: NDArray[np.float64]) -> Clock:
        try:
            return clock_of(self._roles.time, times, self._roles.dated, self._described.rate)
        except DataError as error:
            error.where = f"{self._path}, {error.where}" if error.where else str(self._path)
            raise

    def signal(self, notes: tuple[str, ...]) -> Signal:
        """What was read.

        Raises:
            DataError: If it was nothing.
        """
        if not self._count:
            raise unreadable(self._path, ValueError("it holds no row"))
        raw, width = self._raw, len(self._roles.samples)

        def read(start: int, stop: int) -> NDArray[Any]:
            # Not mapped into memory: pages that were read would count as ours.
            with raw.open("rb") as file:
                file.seek(8 * width * start)
                return np.fromfile(file, np.float64, width * (stop - start)).reshape(-1, width).T

        clock = self._clock
        ticking = (clock.note,) if clock is not None and clock.note else ()
        return Signal(
            name=self._name,
            channels=self._roles.samples,
            rate=clock.rate if clock else 0.0,
            length=self._count,
            dtype=np.dtype(np.float64),
            read=read,
            spans=self._runs.spans(),
            pieces=tuple(self._pieces) or ((0, 0.0),),
            notes=(*notes, *self._roles.notes, *ticking),
            even=clock is None or clock.even,
        )


def _times(block: Any, roles: Roles, path: Path, before: int) -> NDArray[np.float64]:
    times = seconds(block[roles.time])[0]
    bad = ~np.isfinite(times)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{block[roles.time].iloc[row]!r} is no time ({int(bad.sum())} such cells)",
            where=f"{path}, column {roles.time}, row {before + row + 1}",
            mend=f"correct those rows, or say --ignore {roles.time}",
        )
    return times


def _said(block: Any, roles: Roles, ignore: tuple[str, ...]) -> tuple[Any, Any]:
    """Labels and groups; what ``--ignore`` names and no column is called is a label left out."""
    nothing: Any = np.full(len(block), None)
    if not roles.label:
        return nothing, block[roles.group] if roles.group else nothing
    label = block[roles.label]
    text = label.astype(str).str.strip()
    silent = label.isna() | text.isin(["", *(set(ignore) - set(block.columns))])
    label = label.astype(object).where(~silent, None)
    return label, block[roles.group] if roles.group else nothing


def roles_of(table: Table, described: Description, path: Path) -> Roles:
    """What each column is, from the flags and from names.

    Raises:
        DataError: If a named column is not there, or one is of no known use.
    """
    if described.columns:
        return _roles_again(table, described, path)
    names = [name for name in table.names if name not in described.ignore]
    kinds = {name: _kind(table, name) for name in names}
    group = "group" if "group" in names else ""
    if described.group and not (described.intervals and described.group not in names):
        group = _wanted(described.group, names, table, path, "--group")
    label, notes = _label_of(kinds, group, table, described, path)
    free = [name for name in names if name not in (group, label)]
    time = "" if described.x else next((name for name in free if is_time(name)), "")
    said = [part.strip() for part in described.x.split(",") if part.strip()]
    if said:
        time = next((name for name in free if is_time(name) and name not in said), "")
    samples = [_wanted(part, names, table, path, "--x") for part in said] or [
        name for name in free if name != time
    ]
    _refuse_strangers(samples, kinds, table, path)
    return Roles(tuple(samples), label, group, time, bool(time) and kinds[time] != "number", notes)


def _roles_again(table: Table, described: Description, path: Path) -> Roles:
    """As in the file that a model was fitted on: its channels, and the time beside them."""
    names = list(table.names)
    samples = tuple(_wanted(name, names, table, path, "--x") for name in described.columns)
    time = next((n for n in names if is_time(n) and n not in (*samples, *described.ignore)), "")
    return Roles(samples, "", "", time, bool(time) and _kind(table, time) != "number", ())


def _kind(table: Table, name: str) -> str:
    """As the table says; text that is mostly numbers is a column of numbers with bad cells."""
    kind = table.kind(name)
    if kind == "text" and isinstance(table, Text):
        cells = [cell for cell in table.first[name] if cell.strip()]
        return "number" if sum(map(_is_number, cells)) > len(cells) / 2 else "text"
    return kind


def _refuse_strangers(samples: list[str], kinds: dict[str, str], table: Table, path: Path) -> None:
    strangers = [name for name in samples if kinds[name] != "number"]
    if strangers or not samples:
        raise DataError(
            f"columns that are no numbers, nor label, group or time: {few(strangers)}"
            if samples
            else "no column of samples",
            where=f"{path} has: {few(list(table.names))}",
            mend="say what they are with --label or --group, or leave them out: "
            f"--ignore {','.join(strangers) or 'NAME'}",
        )


def _label_of(
    kinds: dict[str, str], group: str, table: Table, described: Description, path: Path
) -> tuple[str, tuple[str, ...]]:
    names = list(kinds)
    if described.intervals:
        return "", ()
    if described.label and (not described.unlabelled or described.label in names):
        return _wanted(described.label, names, table, path, "--label"), ()
    known = [name for name in LABELS if name in names]
    words = [n for n, kind in kinds.items() if kind != "number" and n != group and not is_time(n)]
    if known:
        return known[0], ()
    if len(words) == 1 and "{label}" not in described.pattern:
        return words[0], (
            f"the only column of words, {words[0]}, is taken as label (--label settles it)",
        )
    return "", ()


def _wanted(name: str, names: list[str], table: Table, path: Path, flag: str) -> str:
    """A column by name, or by position where the file names none.

    Raises:
        DataError: If it is not there.
    """
    every = list(table.names)
    if table.positions and name.startswith("-") and name[1:].isdigit() and int(name) >= -len(every):
        name = every[int(name)]
    if name in names:
        return name
    raise DataError(
        f"no column {name!r} for {flag}",
        where=f"{path} has: {few(every)}",
        mend=f"name one of them with {flag}",
    )
