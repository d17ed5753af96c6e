"""The time column of a recording: its rate, its gaps, and what was guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.dates import date_of, order_of
from tsxfer.own.signals import NEAR

NAMED = re.compile(
    r"^(?:(?:unix[ _]?)?time(?:[ _]?stamp)?|date(?:[ _]?time)?|elapsed|t|seconds?|secs?|ms"
    r"|millis\w*)"
    r"(?:[ _\[(]+(?P<unit>s|secs?|seconds?|ms|millis\w*|us|ns|mins?|minutes?|h|hrs?|hours?|days?)"
    r"[\])]?)?$",
    re.IGNORECASE,
)
ELAPSED = re.compile(r"^\s*(?:(\d+):)?(\d{1,3}):(\d{2}(?:[.,]\d+)?)\s*$")  # 00:01:30.5, 01:30.5
VAGUE = re.compile(r"^\s*\d+:\d{2}\s*$")  # hours and minutes, or minutes and seconds
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0, "day": 86400.0}
FASTEST = 1e6  # Hz, from which on a step in an unknown unit is hardly in seconds
COMMON = 0.05  # share of steps, from which on their length is a rate of its own
STEADY, JITTERING = 1.5, 5.0  # periods without a sample that make a gap
ENOUGH = 50  # steps that tell a rate
EVEN = 0.995  # share of steps of one length, from which on a clock ticks evenly


def is_time(column: str) -> bool:
    """Whether a column's name says that it holds times."""
    return NAMED.match(column.strip()) is not None


@dataclass(frozen=True, slots=True)
class Clock:
    """How the time column of a recording ticks.

    Attributes:
        unit: Seconds of its unit; 0 where that is unknown.
        period: From one sample to the next, in its unit.
        gap: A longer step than this is a gap, in its unit.
        note: What was guessed; "" where nothing was.
        even: Steps are of one length.
    """

    unit: float
    period: float
    gap: float
    note: str = ""
    even: bool = True

    @property
    def rate(self) -> float:
        """Samples a second; 0 where the unit is unknown."""
        rate = 1 / (self.unit * self.period) if self.unit else 0.0
        return round(rate, 6) if abs(rate - round(rate)) > 1e-4 * rate else float(round(rate))

    def breaks(self, times: NDArray[np.float64], before: float) -> NDArray[np.bool_]:
        """Where a new piece begins: after a gap, or where time runs backwards.

        Args:
            times: ``(n,)`` in the clock's unit.
            before: The time before the first of them; NaN at the very start.
        """
        steps = np.diff(times, prepend=before)
        return (steps > self.gap) | (steps <= 0)

    def ticks_otherwise(self, times: NDArray[np.float64]) -> bool:
        """Whether most steps between many times are of another length than the period."""
        steps = np.diff(times)
        steps = steps[steps > 0]
        same = np.abs(steps / self.period - 1) < NEAR
        return self.even and len(steps) >= ENOUGH and float(same.mean()) < 0.5


def clock_of(column: str, times: NDArray[np.float64], dated: bool, said: float) -> Clock:
    """How a time column ticks, from its beginning.

    Args:
        column: Its name, which may state the unit.
        times: ``(n,)`` at least two; seconds where `dated`.
        dated: The cells were dates.
        said: The rate that the user states, 0 for none.

    Raises:
        DataError: If time does not run forward, or contradicts `said`.
    """
    steps = np.diff(times)
    forward = steps[steps > 0]
    if not np.isfinite(times).all() or len(forward) < 0.6 * len(steps):
        raise _backward(column, times, steps)
    middle = float(np.median(forward))
    usual = forward[forward < 10 * middle]
    steady = bool(np.mean(np.abs(forward / middle - 1) < 0.05) > EVEN)
    if not steady:
        _refuse_several(column, usual)
    period = middle if steady else float(usual.mean())
    gap = (STEADY if steady else JITTERING) * period
    unit, note = _unit(column, period, dated, said)
    if not steady and unit:
        note = (note + "; " if note else "") + (
            f"{column} does not tick evenly: {1 / (unit * period):.5g} Hz is its mean (--rate "
            f"settles it)"
        )
    return Clock(unit, period, gap, note, steady)


def _backward(column: str, times: NDArray[np.float64], steps: NDArray[np.float64]) -> DataError:
    """Times that fall, or that stand in several rows each."""
    twice = float(np.mean(steps == 0)) > 0.2
    return DataError(
        f"the column {column} does not run forward in time"
        + (": each time stands in several rows" if twice else ""),
        where=f"values {', '.join(f'{t:g}' for t in times[:4])}, ...",
        mend="where channels stand below each other, give each a column of its own (pivot in "
        "pandas); where people or devices do, sort the rows by them, then by time; where the clock "
        f"is too coarse, say --ignore {column} and --rate HZ"
        if twice
        else f"sort the rows by group, then by time; if it is no time, say --ignore {column}",
    )


def _refuse_several(column: str, steps: NDArray[np.float64]) -> None:
    """Stretches that each tick evenly, at rates of their own: windows would differ in seconds.

    Raises:
        DataError: If there are some.
    """
    alike = np.abs(steps[1:] / steps[:-1] - 1) < COMMON
    if len(steps) < ENOUGH or float(alike.mean()) < 1 - COMMON:
        return
    binned = np.round(np.log(steps) / COMMON)
    bins, counts = np.unique(binned, return_counts=True)
    common = bins[counts > COMMON * len(steps)]
    if len(common) and np.ptp(common) > 2:  # neighbouring bins are one length
        low, high = (float(np.median(steps[binned == edge])) for edge in common[[0, -1]])
        raise DataError(
            f"the column {column} ticks at several rates: in steps of {low:.3g} and of {high:.3g}",
            mend="write the rows of each rate into a file of its own, and give the folder with "
            "--resample HZ",
        )


def _unit(column: str, period: float, dated: bool, said: float) -> tuple[float, str]:
    named = NAMED.match(column.strip())
    word = (named["unit"] or "" if named else "").lower()
    word = "ms" if column.lower().startswith(("ms", "milli")) or word.startswith("milli") else word
    unit = 1.0 if dated else UNITS.get(_short(word), 0.0)
    if unit:
        return unit, ""
    if said:
        return _unit_that_fits(column, period, said), ""
    if 1 / FASTEST < period < 1:
        return 1.0, f"{column} is read as seconds: {1 / period:.6g} Hz (--rate settles it)"
    return 0.0, f"{column} steps by {period:g} of an unknown unit: say --rate HZ"


def _short(word: str) -> str:
    """A unit of time as `UNITS` calls it."""
    known = {"sec": "s", "min": "min", "h": "h", "day": "day"}
    return next((short for long, short in known.items() if word.startswith(long)), word)


def _unit_that_fits(column: str, period: float, said: float) -> float:
    for unit in UNITS.values():
        if abs(said * period * unit - 1) < NEAR:
            return unit
    if abs(period - 1) < 1e-6:
        return 1 / said  # it counts samples
    raise DataError(
        f"--rate {said:g}, but {column} steps by {period:.6g}",
        mend=f"say the rate that {column} ticks at, or --ignore {column}",
    )


def _instants(column: Any, day_first: bool | None) -> Any:
    """Text as instants: ISO 8601 in any precision and zone, else as pandas guesses the format."""
    import warnings

    import pandas as pd

    for form in ("ISO8601", None):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of formats that pandas reads one by one
                if form is None and day_first is None:
                    dates = dict.fromkeys(map(date_of, map(str, column.tolist())))
                    day_first = order_of(list(dates)).day_first
                found = pd.to_datetime(
                    column, errors="coerce", utc=True, format=form, dayfirst=bool(day_first)
                )
        except (ValueError, TypeError, OverflowError):
            continue
        if found.notna().all() or form is None:
            return found
    return pd.Series(pd.NaT, index=column.index, dtype="datetime64[ns, UTC]")


def elapsed(cells: list[Any]) -> NDArray[np.float64] | None:
    """Seconds of cells such as ``00:01:30.5`` or ``01:30.5``; None where one is no such cell.

    Raises:
        DataError: If no cell says whether it is hours and minutes, or minutes and seconds.
    """
    found = [ELAPSED.match(str(cell)) for cell in cells]
    if not found or not all(found):
        return None
    if all(VAGUE.match(str(cell)) for cell in cells):
        raise DataError(
            f"{cells[0]!r} is a time of hours and minutes, or of minutes and seconds",
            mend="write 00:01:30, hours first",
        )
    parts = [match.groups() for match in found if match]
    return np.array(
        [3600.0 * int(h or 0) + 60 * int(m) + float(s.replace(",", ".")) for h, m, s in parts]
    )


def seconds(values: Any, day_first: bool | None = None) -> tuple[NDArray[np.float64], bool]:
    """Cells of a time column as numbers, and whether they were dates (then in seconds).

    Args:
        values: The cells.
        day_first: How dates such as 05/03/2021 are written; None looks at these cells alone.
    """
    import pandas as pd

    column = pd.Series(values)
    if column.dtype.kind in "iufb":
        return column.to_numpy(np.float64), False
    if column.dtype.kind == "m":  # durations
        return np.asarray(column.dt.total_seconds(), np.float64), True
    if column.dtype.kind != "M":
        found = pd.to_numeric(column, errors="coerce")
        if found.notna().all():
            return found.to_numpy(np.float64), False
        if (clock := elapsed(column.tolist())) is not None:
            return clock, True
        column = _instants(column, day_first)
    instants = column.to_numpy("M8[ns]")
    out = instants.astype(np.int64) / 1e9
    return np.where(np.isnat(instants), np.nan, out), True
