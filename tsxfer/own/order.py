"""From names of columns to channels and their samples in order.

The order is that of the file, unless names are consecutive whole numbers. What the names say is
tried in two ways: as channel and running number (``ax_17``), and as channel and time (``t1.25``,
``-64ms``). A name never moves a sample to a place that nobody can see.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from tsxfer.errors import DataError
from tsxfer.own.columns import few
from tsxfer.own.letters import look_alikes, seen_as

RUNNING = re.compile(
    r"^(?P<channel>.*?)(?:[_.\- ]?(?P<number>\d{1,9})|[\[(](?P<inner>\d{1,9})[\])])(?P<unit>)$"
)  # ax_17, ax[17]
TIMED = re.compile(
    r"^(?P<channel>.*?)[_ ]?(?P<number>[+-]?\d{1,12}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,3})?)"
    r"(?P<unit> ?(?:ms|us|µs|s|sec))?$"
)
CLOCK = re.compile(
    r"^(?:[+-]?\d+,\d+|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ][\d:.,]+Z?)?|\d+:\d+:\d+(?:[.,]\d+)?)$"
)  # 0,03125 and 2020-01-31 and 00:01:00: no channel 0, or 2020-01 or 00:01
TWO = re.compile(r"^(?P<before>.*?)(?P<first>\d{1,9})(?P<between>\D+)(?P<last>\d{1,9})$")
TIMELY = re.compile(r"(t|time|sample|step)[_.\- ]?$", re.IGNORECASE)
SECONDS = {"ms": 1e-3, "us": 1e-6, "µs": 1e-6, "s": 1.0, "sec": 1.0}
FEWEST = 8  # samples: shorter windows are questioned
SEVERAL = 4  # channels of unequal and few samples, such as electrodes
MANY = 50  # windows, from which on so short ones look like a recording
UNNUMBERED = "x"  # the channel of names that are numbers alone

Parsed = dict[str, list[tuple[float, str]]]  # channel -> (number, column), in the order of the file


@dataclass(frozen=True, slots=True)
class Arranged:
    """Columns by channel, in the order of time.

    Attributes:
        channels: Columns of each channel.
        rate: Samples a second that the names state with a unit; 0 where they do not.
        notes: What was guessed.
    """

    channels: dict[str, list[str]]
    rate: float = 0.0
    notes: tuple[str, ...] = ()


def is_sample(name: str) -> bool:
    """Whether a column's name ends in a number, or in a time."""
    return RUNNING.match(name) is not None or TIMED.match(name) is not None


def arranged(names: list[str], axes: str, path: Path) -> Arranged:
    """Columns of samples as channels.

    Args:
        names: Of the columns, in the order of the file.
        axes: ``channel,time`` or ``time,channel``, or "" where nothing was said.
        path: For messages.

    Raises:
        DataError: If channels have unequal lengths or samples twice, or the axes look swapped.
    """
    if axes == "time,channel" and all(TWO.match(name) for name in names):
        return Arranged(_swapped(names))
    if _like_clock(names):
        note = f"names of columns such as {names[0]} are times or dates: the order is the file's"
        return Arranged({UNNUMBERED: names}, 0.0, (f"{note}; say --rate",))
    running, timed = _parsed(names, RUNNING), _parsed(names, TIMED)
    if running is not None and _consecutive(running) and not _sorted(running)[2]:
        found = Arranged(_columns(running))
    elif timed is not None and _rising(timed):
        found = _timed(timed)
    elif running is not None and _consecutive(running):
        found = Arranged(*_sorted(running))
    elif timed is not None and (ordered := _out_of_letters(timed)) is not None:
        found = _timed(ordered)
        note = f"columns stand in the order of letters ({names[0]}, {names[1]}): put into that of"
        found = replace(found, notes=(*found.notes, f"{note} their numbers"))
    else:
        bare = running is None or set(timed or ()) == {UNNUMBERED}
        named = timed if bare else running
        assert named is not None  # noqa: S101  (the caller asked `is_sample`)
        _refuse_unequal(named, path)
        _refuse_twice(named, path)
        found = Arranged(_columns(named), 0.0, _irregular(named))
    if not axes:
        _question(found.channels, names, path)
    alike = look_alikes(found.channels, "channels")
    return replace(found, notes=(*found.notes, *_mixed(found), *alike))


def _like_clock(names: list[str]) -> bool:
    """Whether names are all dates, times of day or numbers with a decimal comma, each once."""
    return len(names) > 1 and all(CLOCK.match(name) for name in names)


def _mixed(found: Arranged) -> tuple[str, ...]:
    """Names of two patterns that became one channel."""
    columns = found.channels.get(UNNUMBERED, [])
    bare = [name for name in columns if name[0] in "+-0123456789"]
    if not bare or len(bare) == len(columns):
        return ()
    other = next(name for name in columns if name not in bare)
    return (f"columns such as {bare[0]} and {other} are taken as one channel; rename them if not",)


def _parsed(names: list[str], pattern: re.Pattern[str]) -> Parsed | None:
    found: Parsed = {}
    for name in names:
        match = pattern.match(name)
        if match is None:
            return None
        channel = match["channel"].rstrip("_.- ") if pattern is TIMED else match["channel"]
        number = match["number"] or match["inner"]
        found.setdefault(channel or UNNUMBERED, []).append((float(number), name))
    return found


def _consecutive(found: Parsed) -> bool:
    """Whether each channel counts up from 0 or another number, and all are equally long."""
    numbers = [sorted(int(n) for n, _ in members) for members in found.values()]
    runs = all(row == list(range(row[0], row[0] + len(row))) for row in numbers)
    return runs and len({len(row) for row in numbers}) == 1


def _rising(found: Parsed) -> bool:
    rows = [[number for number, _ in members] for members in found.values()]
    return len({len(row) for row in rows}) == 1 and all(
        len(row) > 1 and all(a < b for a, b in pairwise(row)) for row in rows
    )


def _out_of_letters(found: Parsed) -> Parsed | None:
    """Names that a program sorted as text (``0ms``, ``100ms``, ``12ms``), by their numbers."""
    for members in found.values():
        names = [name for _, name in members]
        if names != sorted(names):
            return None
    ordered = {channel: sorted(members) for channel, members in found.items()}
    return ordered if _rising(ordered) and _even(ordered) else None


def _even(found: Parsed) -> bool:
    """Whether all steps are of one length, but for rounding."""
    steps = [b[0] - a[0] for members in found.values() for a, b in pairwise(members)]
    return max(steps) - min(steps) <= 0.02 * max(steps) + 2 * _rounding(found)


def _columns(found: Parsed) -> dict[str, list[str]]:
    return {channel: [name for _, name in members] for channel, members in found.items()}


def _sorted(found: Parsed) -> tuple[dict[str, list[str]], float, tuple[str, ...]]:
    ordered = {channel: sorted(members) for channel, members in found.items()}
    moved = [c for c, members in found.items() if members != ordered[c]]
    notes = (
        f"columns of {', '.join(moved[:4])} stand in another order; put into that of their numbers",
    )
    return _columns(ordered), 0.0, notes if moved else ()


def _timed(found: Parsed) -> Arranged:
    """Names that are times: in the file's order, with the rate that they imply."""
    numbers = [number for number, _ in next(iter(found.values()))]
    steps = [b - a for a, b in pairwise(numbers)]
    step = (numbers[-1] - numbers[0]) / len(steps)
    if any(abs(s - step) > 0.02 * step + _rounding(found) for s in steps):
        return Arranged(_columns(found), 0.0, _irregular(found))
    units = {(TIMED.match(name)["unit"] or "").strip() for m in found.values() for _, name in m}  # type: ignore[index]
    unit = units.pop() if len(units) == 1 else ""
    if unit:
        rate = 1 / (step * SECONDS[unit])
        said = f"names of columns are times in steps of {step:g} {unit}"
        note = f"{said}: {rate:g} Hz; --rate settles it"
        return Arranged(_columns(found), rate, (note,))
    whole = all(number.is_integer() for number in numbers)
    rate, kind = (1000 / step, "milliseconds") if whole else (1 / step, "seconds")
    note = f"names of columns rise in steps of {step:g}: if they are {kind}, say --rate {rate:g}"
    return Arranged(_columns(found), 0.0, (note,))


def _rounding(found: Parsed) -> float:
    """By how much steps may differ since names were cut to a few decimals."""
    places = [
        len(name.partition(".")[2].rstrip("secmuµ ")) for _, name in next(iter(found.values()))
    ]
    return 1.01 * 10.0 ** -max(places) if min(places) > 0 else 0.0


def _irregular(found: Parsed) -> tuple[str, ...]:
    """Where the names of a channel leave their step, for the note."""
    for channel, members in found.items():
        steps = [b[0] - a[0] for a, b in pairwise(members)]
        if not steps:
            continue
        usual = Counter(steps).most_common(1)[0][0]
        at = next((i for i, step in enumerate(steps) if step != usual), None)
        if at is not None:
            return (
                f"names of channel {channel} do not count evenly ({members[at][1]} is followed by "
                f"{members[at + 1][1]}): taken in the order of the file; rename them if that is "
                f"wrong",
            )
    return ()


def _refuse_unequal(found: Parsed, path: Path) -> None:
    lengths = {channel: len(members) for channel, members in found.items()}
    usual = max(Counter(lengths.values()).items(), key=lambda item: item[0] * item[1])[0]
    odd = [c for c, length in lengths.items() if length != usual]
    if not odd:
        return
    columns = [name for c in odd for _, name in found[c]]
    if max(lengths.values()) < FEWEST and len(found) >= SEVERAL:
        every = [name for members in found.values() for _, name in members]
        raise DataError(
            f"this looks like a recording, one moment a row, of {len(every)} sensors: {few(every)}",
            where=str(path),
            mend="cut it: --window 100 (or 1s, with --rate); or name the samples of a window x_0, "
            "x_1, ... if each row is one",
        )
    counts = ", ".join(f"{c} {n}" for c, n in list(lengths.items())[:8])
    twin = next(((c, other) for c in odd if (other := seen_as(c, lengths))), None)
    if twin is not None:
        one, other = map(ascii, twin)
        raise DataError(
            f"columns {few(columns)} look like those of channel {twin[1]} and are none: {one} is "
            f"not {other}",
            where=str(path),
            mend="rename them in the letters of the others",
        )
    raise DataError(
        f"channels have unequal lengths: {counts} samples; {few(columns)} "
        f"{'does' if len(columns) == 1 else 'do'} not belong to the others",
        where=str(path),
        mend=f"--ignore {','.join(columns[:4])} leaves out what is no sample, --label or --group "
        "says what it is; several labels, as --label y,y2, are as many targets",
    )


def _refuse_twice(found: Parsed, path: Path) -> None:
    for channel, members in found.items():
        seen: dict[float, str] = {}
        for number, name in members:
            if number in seen:
                raise DataError(
                    f"sample {number:g} of channel {channel} is there twice: {seen[number]}, "
                    f"{name}",
                    where=str(path),
                    mend=f"rename one of them, or leave it out: --ignore {name}",
                )
            seen[number] = name


def _swapped(names: list[str]) -> dict[str, list[str]]:
    """``t0_ch1``: the first number is the time, what follows it the channel."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        match = TWO.match(name)
        assert match is not None  # noqa: S101  (the caller looked)
        channel = f"{match['between'].strip('_.- ')}{match['last']}"
        found.setdefault(channel, []).append((int(match["first"]), name))
    return {channel: [name for _, name in sorted(members)] for channel, members in found.items()}


def _question(channels: dict[str, list[str]], names: list[str], path: Path) -> None:
    """More channels than samples, by names with two numbers, are axes swapped."""
    length = len(next(iter(channels.values())))
    found = [TWO.match(name) for name in names]
    if not all(found):
        return
    timely = len(channels) > 1 and all(match and TIMELY.match(match["before"]) for match in found)
    if timely or len(channels) > length:
        raise DataError(
            f"{len(channels)} channels of {length} samples: does the first number of names such as "
            f"{names[0]} count time?",
            where=str(path),
            mend="--axes time,channel if it does, --axes channel,time if it does not",
        )
