"""Recordings in tables, one sample a row: text and parquet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.called import units_of
from tsxfer.own.clocks import Clock, clock_of, seconds
from tsxfer.own.codes import Codes
from tsxfer.own.description import Description
from tsxfer.own.dialect import NO_HEADER
from tsxfer.own.faults import unreadable
from tsxfer.own.recording_columns import Roles, is_number, roles_of
from tsxfer.own.runs import Runs
from tsxfer.own.signals import Signal
from tsxfer.own.streams import ReadAgain, Table, Text, open_table

BLOCK = 1 << 22  # bytes of text read at a time
ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet", ".pq")


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
    if described.header or table.positions or counted or not any(map(is_number, table.names)):
        return table
    again = open_table(path, replace(described, header="no"))
    again.notes = (*again.notes, NO_HEADER)
    return again


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
        said = described.x or described.columns
        self._codes = None if said else Codes(roles.samples)
        raw.write_bytes(b"")

    def add(self, block: Any) -> None:
        """The next rows."""
        if not len(block):
            return
        breaks = np.zeros(len(block), np.bool_)
        if self._clock is not None:
            breaks = self._breaks(block)
        samples = block[list(self._roles.samples)].to_numpy(np.float64)
        with self._raw.open("ab") as out:
            samples.tofile(out)
        label, group = _said(block, self._roles, self._described.ignore)
        self._runs.add(label, group, breaks)
        if self._codes is not None:
            self._codes.add(samples, label, breaks)
        self._count += len(block)

    def _breaks(self, block: Any) -> NDArray[np.bool_]:
        times = _times(block, self._roles, self._path, self._count)
        if not self._count and len(times) > 1:
            self._clock = self._beginning(times)
        clock = self._clock
        assert clock is not None  # noqa: S101  (the caller looked)
        if clock.ticks_otherwise(times):
            raise DataError(
                f"the column {self._roles.time} ticks at several rates: in steps of "
                f"{clock.period:.3g}, and otherwise from row {self._count + 1} on",
                where=str(self._path),
                mend="write the rows of each rate into a file of its own, and give the folder with "
                "--resample HZ",
            )
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
        codes = self._codes.settle(self._path, bool(self._roles.label)) if self._codes else ()
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
            notes=(*notes, *self._roles.notes, *ticking, *codes),
            even=clock is None or clock.even,
            units=units_of(self._roles.samples),
        )


def _times(block: Any, roles: Roles, path: Path, before: int) -> NDArray[np.float64]:
    times = seconds(block[roles.time], roles.day_first)[0]
    bad = ~np.isfinite(times)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{str(block[roles.time].iloc[row])!r} is no time ({int(bad.sum())} such cells)",
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
