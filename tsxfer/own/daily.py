"""Daily prices: dates and closes in a csv, or in one csv for each company of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tsxfer.data.prices import RATE_HZ, Prices, columns, price_windows, read_prices
from tsxfer.data.series import Series
from tsxfer.errors import DataError
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.lazy import pulled
from tsxfer.own.signals import span_of
from tsxfer.own.walking import files_below

DATES, CLOSES = ("date",), ("close", "adj close", "adj_close", "price")
JUMP = 1.9  # between one close and the next: 2 for 1 splits, and hardly a trading day
UP, NOT_UP = "up", "not_up"


def is_daily(path: Path, described: Description) -> bool:
    """Whether the first csv at a path has a column of dates and one of closes, to be windowed."""
    if not described.window or described.intervals or described.group:
        return False
    first = next(iter(_files(path)), None)
    if first is None:
        return False
    try:
        names = columns(first)
    except (DataError, OSError):
        return False
    close = _close(names, described)
    return bool(_named(names, DATES)) and close != "" and described.label in ("", close)


def _files(path: Path) -> list[Path]:
    found = files_below(path) if path.is_dir() else [path]
    return [file for file in found if file.suffix.lower() == ".csv" and file.is_file()]


def _named(names: list[str], wanted: tuple[str, ...]) -> str:
    lower = {name.strip().lower(): name for name in reversed(names)}
    return next((lower[name] for name in wanted if name in lower), "")


def _close(names: list[str], described: Description) -> str:
    if described.label or described.x:
        return described.label or described.x if (described.label or described.x) in names else ""
    return _named(names, CLOSES)


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Every run of ``--window`` closes with the close after it, or whether that is higher.

    A window with an empty cell in it is left out. Windows overlap and follow one another, so they
    are split in time.

    Raises:
        DataError: If a column is missing, a date or close is none, or no window fits.
    """
    del scratch
    length = span_of(described.window, 0.0, "--window")
    if described.step not in ("", "1"):
        raise DataError(
            f"--step {described.step}: of daily prices every run is a window",
            mend="leave --step out",
        )
    found = [_prices(file, path, described) for file in _files(path)]
    parts = [price_windows(prices, length, by_year=path.is_file()) for prices in found]
    parts = [part for part in parts if len(part)]
    if not parts:
        raise DataError(
            f"no run of {length} closes and one more",
            where=str(path),
            mend=f"use a shorter --window than {length}",
        )
    said = (*_other_closes(_files(path)[0], described), *_empty(found), *_jumps(found))
    return _content(parts, described, path, said)


def _other_closes(file: Path, described: Description) -> tuple[str, ...]:
    """Closes that were not taken, where nothing was said."""
    names = columns(file)
    lower = {name.strip().lower(): name for name in reversed(names)}
    others = [
        lower[name] for name in CLOSES if name in lower and lower[name] != _close(names, described)
    ]
    if not others or described.label or described.x:
        return ()
    return (f"{_close(names, described)} is taken; --label '{others[0]}' takes {others[0]}",)


def _empty(found: list[Prices]) -> tuple[str, ...]:
    count = sum(int(np.isnan(prices.closes).sum()) for prices in found)
    return (f"{count:,} days have no close: windows with such a day are left out",) if count else ()


def _jumps(found: list[Prices]) -> tuple[str, ...]:
    """Closes that halve or double within a day, as splits make them in prices that ignore them."""
    seen = []
    for prices in found:
        there = np.isfinite(prices.closes)
        closes, days = prices.closes[there], prices.days[there]
        moves = closes[1:] / closes[:-1]
        at = np.flatnonzero(np.maximum(moves, 1 / moves) >= JUMP)
        seen += [f"{prices.name} on {days[k + 1]} to {moves[k]:.3g} of the day before" for k in at]
    if not seen:
        return ()
    return (
        f"closes move by a factor of {JUMP} or more in a day, {len(seen)} times, first {seen[0]}: "
        "are they adjusted for splits? --label names another column",
    )


def _prices(file: Path, path: Path, described: Description) -> Prices:
    names = columns(file)
    day, close = _named(names, DATES), _close(names, described)
    if not day or not close:
        raise DataError(
            "no column of dates and closes",
            where=f"{file} has: {', '.join(names[:12])}",
            mend="remove that file from the folder, or name its column of closes with --label",
        )
    name = file.stem if path.is_dir() else path.stem
    try:
        return read_prices(file, name, day, close, gaps=True)
    except DataError as error:
        if "stands on two lines" in error.problem:
            error.mend += (
                "; if the file holds several companies, write one csv for each in a folder"
            )
        raise


def _content(
    parts: list[Series], described: Description, path: Path, said: tuple[str, ...]
) -> Content:
    x = np.concatenate([part.x for part in parts])
    after = np.concatenate([part.y for part in parts]).astype(np.float64)
    direction = described.task == "classification"
    y = np.where(after > x[:, 0, -1], UP, NOT_UP) if direction else after
    starts, ends = (
        np.concatenate([getattr(p, n) for p in parts]) for n in ("time_start", "time_end")
    )
    what = f"whether the next close is higher ({UP}) or not" if direction else "the next close"
    return Content(
        x=pulled(x.shape, x.dtype, lambda at: x[at]),
        y=None if described.unlabelled else y,
        group=np.concatenate([part.group for part in parts]),
        channels=("close",),
        label="direction" if direction else "next close",
        group_name="year" if path.is_file() else "company",
        task="classification" if direction else "regression",
        rate=RATE_HZ,
        rows=np.concatenate([part.uid for part in parts]),
        start=starts,
        end=ends,
        label_like_input=not direction,
        notes=(
            f"daily prices: {x.shape[2]} closes, then {what} (--task settles it); split in time",
            *said,
        ),
    )
