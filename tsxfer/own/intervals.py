"""Intervals laid over recordings: which samples each one labels."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tsxfer.errors import DataError
from tsxfer.own.interval_tables import Interval
from tsxfer.own.signals import Signal, Span

OWN_TIME = (
    "give starts and ends in seconds of the recording's own time, as times of day or dates "
    "(2021-03-05) where it has such, or call the columns start_ms and end_ms, or "
    "start_samples and end_samples"
)
DATED = 1e8  # seconds: dates of 1973 and later, counted from 1970


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
            f"within {signals[0].name} ({_extent(signals[0])}): {_why(found[0], signals[0])}"
            if found
            else "it holds no interval",
            where=str(where),
            mend=OWN_TIME,
        )
    said = (*_outside(signals, by_file, where), *_without_rate(signals, found, where))
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
            f"{one.start:g} to {one.end:g} of {signal.name} ({_extent(signal)}): "
            + _why(one, signal),
            where=str(where),
            mend=f"{OWN_TIME}; remove rows of other recordings",
        )
    notes = (
        (len(beyond), f"lie outside of their recording and label nothing; {OWN_TIME}"),
        (strange, "are of files that are not there"),
    )
    return tuple(f"{count} intervals of {where.name} {what}" for count, what in notes if count)


def _without_rate(signals: list[Signal], found: list[Interval], where: Path) -> tuple[str, ...]:
    if all(signal.rate for signal in signals) or all(one.counted for one in found):
        return ()
    return (
        f"no rate is known: starts and ends of {where.name} are taken as numbers of samples, from "
        "0 (--rate settles it)",
    )


def _why(one: Interval, signal: Signal) -> str:
    """What may be wrong with the times of an interval that lies outside."""
    mine, theirs = one.start > DATED, signal.pieces[0][1] > DATED
    if one.counted or mine == theirs:
        return "are they in samples or milliseconds, or of another recording?"
    if mine:
        return "they are dates, and the recording has no column of dates"
    return "the recording's own times are dates, and these are none"


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
    if interval.counted:
        start, stop = (max(0, math.ceil(at)) for at in (interval.start, interval.end))
        return [(start, min(stop, signal.length))] if start < min(stop, signal.length) else []
    for (first, time), end in zip(signal.pieces, ends, strict=True):
        start = max(first, first + math.ceil((interval.start - time) * rate - 1e-6))
        stop = min(end, first + math.ceil((interval.end - time) * rate - 1e-6))
        if start < stop:
            out.append((start, stop))
    return out
