"""Daily closes from a CSV file, and windows of closes with the close that follows."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.reading import utf8_mend
from tsxfer.data.series import Series
from tsxfer.errors import DataError

RATE_HZ = 1 / 86400  # one sample a trading day, weekends left out
LARGEST = float(np.finfo(np.float32).max)  # a close that models can hold


@dataclass(frozen=True, slots=True)
class Prices:
    """Closes in order of time.

    Attributes:
        name: What is priced.
        days: ``datetime64[D]``.
        closes: float64; NaN where the cell is empty.
    """

    name: str
    days: NDArray[np.datetime64]
    closes: NDArray[np.float64]


def read_prices(path: Path, name: str, day: str, close: str, *, gaps: bool = False) -> Prices:
    """Read two columns of a CSV file; rows in another order are put in order of time.

    Args:
        path: The file.
        name: What is priced.
        day: Column of ISO dates.
        close: Column of closes.
        gaps: Whether a close may be an empty cell.

    Raises:
        DataError: On missing columns, dates that are none or occur twice, closes that are no
            positive number.
    """
    rows = _cells(path, day, close)
    days = np.array([_day(text, path, line) for line, text, _ in rows], "datetime64[D]")
    closes = np.array([_close(text, path, line, gaps) for line, _, text in rows], np.float64)
    order = np.argsort(days, kind="stable")
    twice = np.flatnonzero(np.diff(days[order]) == np.timedelta64(0, "D"))
    if twice.size:
        first, second = (rows[order[twice[0] + k]][0] for k in (0, 1))
        raise DataError(
            f"{days[order[twice[0]]]} stands on two lines, {first} and {second}",
            where=str(path),
            mend="keep one line a day",
        )
    return Prices(name, days[order], closes[order])


def price_windows(prices: Prices, length: int, *, by_year: bool = False) -> Series:
    """Every run of `length` closes, labelled with the close of the next day.

    A window with an empty cell in it, or an empty label, is left out.

    Args:
        prices: What `read_prices` gives.
        length: Closes of a window.
        by_year: Group by the calendar year of the label day, not by name.
    """
    count = max(0, len(prices.closes) - length)
    at = np.arange(count)[:, None] + np.arange(length + 1)
    windows = prices.closes[at]
    keep = np.isfinite(windows).all(axis=1)
    first, label = prices.days[at[keep, 0]], prices.days[at[keep, -1]]
    years = label.astype("datetime64[Y]").astype(np.str_)
    return Series(
        x=windows[keep, :-1].astype(np.float32)[:, None, :],
        y=windows[keep, -1].astype(np.float32),
        group=years if by_year else np.full(len(label), prices.name),
        uid=np.array([f"{prices.name}/{day}" for day in label], np.str_),
        rate_hz=RATE_HZ,
        time_start=first.astype("datetime64[s]").astype(np.float64),
        time_end=label.astype("datetime64[s]").astype(np.float64),
    )


def columns(path: Path) -> list[str]:
    """The header of a CSV file.

    Raises:
        DataError: If the file is not UTF-8 text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise _no_table(path, error) from error


def _cells(path: Path, *names: str) -> list[tuple[int, str, str]]:
    header = columns(path)
    missing = [name for name in names if name not in header]
    if missing:
        raise DataError(
            f"no column {missing[0]!r}; the header has {', '.join(header) or 'nothing'}",
            where=str(path),
            mend=f"the file must have the columns {' and '.join(names)}",
        )
    first, second = (header.index(name) for name in names)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            next(lines)
            padded = ((lines.line_num, [*row, *[""] * len(header)]) for row in lines if row)
            return [(line, row[first].strip(), row[second].strip()) for line, row in padded]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _no_table(path, error) from error


def _no_table(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path.name} is not UTF-8 text of a table: {error}",
        where=str(path),
        mend=utf8_mend(path)
        if isinstance(error, UnicodeDecodeError)
        else "look at that line, or save the file as CSV again",
    )


def _day(text: str, path: Path, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DataError(
            f"the date is {text!r}, not like 2018-11-27",
            where=f"{path}, line {line}",
            mend="write dates as year-month-day",
        ) from error


def _close(text: str, path: Path, line: int, gaps: bool) -> float:
    if not text and gaps:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if 0 < value <= LARGEST:
        return value
    raise DataError(
        f"the close is {text!r}, not a positive number",
        where=f"{path}, line {line}",
        mend="repair that line, or remove it (the day then counts as no trading day)",
    )
