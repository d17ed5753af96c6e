"""Dates such as ``05/03/2021``: whether the day stands first, or the month.

What a day of more than 12 does not tell, the order of the rows does: recordings go on from day to
day, so the reading in which dates follow each other closely, forwards, is the right one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

NUMERIC = re.compile(r"^\s*(\d{1,2})([/.\-])(\d{1,2})[/.\-](\d{4}|\d{2})(?!\d)")
AS_ISO = "write dates as 2021-03-05 to settle it"


@dataclass(frozen=True, slots=True)
class Order:
    """How the dates of a column are written.

    Attributes:
        day_first: Else the month is.
        note: What was guessed; "" where nothing was.
    """

    day_first: bool
    note: str = ""


def date_of(cell: str) -> str:
    """The date that a cell begins with, ``""`` where it is no such date."""
    found = NUMERIC.match(cell)
    return found[0].strip() if found else ""


def order_of(dates: Sequence[str]) -> Order:
    """Whether day or month stands first.

    Args:
        dates: What `date_of` gives, in the order of the file; each once is enough.
    """
    found = [match for date in dates if (match := NUMERIC.match(date))]
    if not found:
        return Order(False)
    if found[0][2] == ".":  # so wherever dots are written
        return Order(True)
    first, second = ([int(match[part]) for match in found] for part in (1, 3))
    if max(first) > 12 or max(second) > 12:
        return Order(max(first) > 12)
    if first == second:
        return Order(False)  # both readings are one
    days, months = (_spread(found, day_first) for day_first in (True, False))
    day_first, shown = days < months, found[0][0].strip()
    which, why = ("day", "month")[not day_first], "both could be; "
    if days != months:
        why = "so rows follow each other closely in time; "
    return Order(day_first, f"dates such as {shown} are read with the {which} first: {why}{AS_ISO}")


def _spread(found: Sequence[re.Match[str]], day_first: bool) -> tuple[int, int]:
    """Steps back from date to date, then the days that all steps take."""
    dates = [_date(match, day_first) for match in found]
    steps = [(later - earlier).days for earlier, later in pairwise(dates)]
    return sum(step < 0 for step in steps), sum(map(abs, steps))


def _date(match: re.Match[str], day_first: bool) -> datetime.date:
    day, month = (int(match[1]), int(match[3]))[:: 1 if day_first else -1]
    year = int(match[4])
    return datetime.date(year + 2000 * (year < 100), month, day)
