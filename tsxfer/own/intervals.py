"""Intervals in a second file: start, end and label of each stretch of a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tsxfer.errors import DataError, SpecError
from tsxfer.own.description import Description
from tsxfer.own.listing import listing, times
from tsxfer.own.signals import Signal, Span
from tsxfer.own.tables import as_numbers

STARTS = ("start", "onset", "begin", "from", "start_time", "tmin")
ENDS = ("end", "stop", "offset", "to", "end_time", "tmax")
LASTING = ("duration", "length")
OWN_TIME = "give starts and ends in seconds of the recording's own time"
FILES = ("file", "filename", "file_name", "record", "recording", "path")


@dataclass(frozen=True, slots=True)
class Interval:
    """One labelled interval; times in seconds, or in samples where no rate is known."""

    start: float
    end: float
    label: Any
    group: str
    file: str


def read_intervals(path: Path, described: Description) -> tuple[list[Interval], str, str]:
    """The intervals of a table, with the names of its label and group columns.

    Raises:
        DataError: If columns are missing, or an interval does not end after its start.
    """
    if not path.is_file():
        raise SpecError(f"no file {path}", mend="check the path after --intervals")
    table, decimal = listing(path)
    start, end = _column(table, path, STARTS), _column(table, path, (*ENDS, *LASTING))
    label = _label(table, path, described, (start, end))
    group = next((n for n in (described.group, "group") if n in table.columns), "")
    file = next((n for n in FILES if n in table.columns), "")
    begins, ends = times(table[start], decimal), times(table[end], decimal)
    ends = begins + ends if end.lower() in LASTING else ends
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
        Interval(float(a), float(b), c, str(d), e) for a, b, c, d, e in zip(*columns, strict=True)
    ]
    return found, label, group


def _labels(cells: Any, decimal: str) -> list[Any]:
    """Labels, None where a cell is empty."""
    found = as_numbers(cells.to_numpy(object), decimal).tolist()
    return [None if said == "" else value for said, value in zip(cells, found, strict=True)]


def _column(table: Any, path: Path, names: tuple[str, ...]) -> str:
    lower = {name.lower(): name for name in reversed(table.columns)}
    for name in names:
        if name in lower:
            return str(lower[name])
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


def apply(signals: list[Signal], found: list[Interval], where: Path) -> list[Signal]:
    """The signals with the stretches that intervals label; where two overlap, neither holds.

    Raises:
        DataError: If an interval names another file, or lies outside of every signal.
    """
    by_file: dict[str, list[Interval]] = {}
    for interval in found:
        by_file.setdefault(Path(interval.file).stem if interval.file else "", []).append(interval)
    if "" in by_file and len(signals) > 1:
        raise DataError(
            f"{len(signals)} recordings, and the intervals do not say of which they are",
            where=str(where),
            mend="add a column `file` with the name of the recording",
        )
    made = [_applied(s, by_file.get(Path(s.name).stem, []) + by_file.get("", [])) for s in signals]
    if not any(span.label is not None for signal in made for span in signal.spans):
        raise DataError(
            f"none of {len(found)} intervals ({found[0].start:g} to {found[0].end:g}, ...) lies "
            f"within {signals[0].name} ({_extent(signals[0])})"
            if found
            else "it holds no interval",
            where=str(where),
            mend=OWN_TIME,
        )
    said = _outside(signals, by_file, where)
    return [replace(made[0], notes=(*made[0].notes, *said)), *made[1:]]


def _outside(
    signals: list[Signal], by_file: dict[str, list[Interval]], where: Path
) -> tuple[str, ...]:
    """What is to be said of intervals that label nothing.

    Raises:
        DataError: If most lie outside of their recording: their times are of another unit.
    """
    known = {Path(signal.name).stem: signal for signal in signals}
    alone = {"": signals[0]} if len(signals) == 1 else {}
    strange = sum(len(found) for file, found in by_file.items() if file not in {*known, *alone})
    mine = [(one, s) for file, s in (known | alone).items() for one in by_file.get(file, [])]
    beyond = [(one, signal) for one, signal in mine if not _places(signal, one)]
    if 2 * len(beyond) > len(mine):
        one, signal = beyond[-1]
        raise DataError(
            f"{len(beyond)} of {len(mine)} intervals lie outside of their recording, e.g. "
            f"{one.start:g} to {one.end:g} of {signal.name} ({_extent(signal)}): are they in "
            "samples or milliseconds?",
            where=str(where),
            mend=f"{OWN_TIME}; remove rows of other recordings",
        )
    notes = (
        (len(beyond), f"lie outside of their recording and label nothing; {OWN_TIME}"),
        (strange, "are of files that are not there"),
    )
    return tuple(f"{count} intervals of {where.name} {what}" for count, what in notes if count)


def _extent(signal: Signal) -> str:
    first, time = signal.pieces[-1]
    if not signal.rate:
        return f"samples 0 to {signal.length}"
    end = time + (signal.length - first) / signal.rate
    return f"{signal.pieces[0][1]:g} to {end:g} s"


def _applied(signal: Signal, found: list[Interval]) -> Signal:
    owner = np.full(signal.length, -1, np.int32)
    many = 0
    for number, interval in enumerate(found):
        for start, stop in _places(signal, interval):
            taken = owner[start:stop] != -1
            many += int(taken.sum())
            owner[start:stop] = np.where(taken, -2, number)
    notes = signal.notes
    if many:
        notes = (*notes, f"{many:,} samples lie in two intervals and are left out")
    return replace(signal, spans=tuple(_spans(owner, found, signal)), notes=notes)


def _spans(owner: Any, found: list[Interval], signal: Signal) -> list[Span]:
    edges = np.concatenate(([0], np.flatnonzero(np.diff(owner)) + 1, [len(owner)]))
    spans = []
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        number = int(owner[start]) if stop > start else -1
        if number >= 0:
            group = found[number].group or _group_at(signal, start)
            spans.append(Span(start, stop, found[number].label, group))
    return spans or [Span(0, signal.length, None)]


def _group_at(signal: Signal, at: int) -> str:
    """Of the recording's own group column."""
    return next((s.group for s in signal.spans if s.start <= at < s.stop), "")


def _places(signal: Signal, interval: Interval) -> list[tuple[int, int]]:
    """First sample and one past the last in each piece that an interval touches."""
    rate = signal.rate or 1.0
    ends = [first for first, _ in signal.pieces[1:]] + [signal.length]
    out = []
    for (first, time), end in zip(signal.pieces, ends, strict=True):
        start = max(first, first + math.ceil((interval.start - time) * rate - 1e-6))
        stop = min(end, first + math.ceil((interval.end - time) * rate - 1e-6))
        if start < stop:
            out.append((start, stop))
    return out
