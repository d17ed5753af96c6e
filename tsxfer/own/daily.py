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
    parts = [_windows(file, path, described, length) for file in _files(path)]
    parts = [part for part in parts if len(part)]
    if not parts:
        raise DataError(
            f"no run of {length} closes and one more",
            where=str(path),
            mend=f"use a shorter --window than {length}",
        )
    return _content(parts, described, path)


def _windows(file: Path, path: Path, described: Description, length: int) -> Series:
    names = columns(file)
    day, close = _named(names, DATES), _close(names, described)
    if not day or not close:
        raise DataError(
            "no column of dates and closes",
            where=f"{file} has: {', '.join(names[:12])}",
            mend="remove that file from the folder, or name its column of closes with --label",
        )
    name = file.stem if path.is_dir() else path.stem
    prices: Prices = read_prices(file, name, day, close, gaps=True)
    return price_windows(prices, length, by_year=path.is_file())


def _content(parts: list[Series], described: Description, path: Path) -> Content:
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
        ),
    )
