"""What readers share: finding files, and turning single instances into blocks of Series."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tsxfer.data.series import Floats, Labels, Series
from tsxfer.errors import DataError


class Instance(NamedTuple):
    """One window before it is stacked; the fields are those of `Series`, for a single row."""

    x: Floats
    y: str | float
    group: str
    uid: str
    time_start: float = math.nan
    time_end: float = math.nan


def find_files(folder: Path, *patterns: str) -> list[Path]:
    """All files below a folder that match a pattern, in an order no file system decides.

    Raises:
        DataError: If there is none.
    """
    found = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    if not found:
        raise DataError(
            f"no file like {' or '.join(patterns)}",
            where=str(folder),
            mend="put the files of this data set below that folder (tsxfer show says how)",
        )
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def find_file(folder: Path, *patterns: str) -> Path:
    """The only file below a folder that matches a pattern.

    Raises:
        DataError: If there is none, or more than one.
    """
    found = find_files(folder, *patterns)
    if len(found) > 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in found[:4])
        raise DataError(
            f"{len(found)} files like {' or '.join(patterns)}, one is expected: {names}",
            where=str(folder),
            mend="keep one of them in that folder",
        )
    return found[0]


def in_blocks(
    instances: Iterable[Instance], rate_hz: float, folder: Path, size: int = 512
) -> Iterator[Series]:
    """Stack instances, at most `size` at a time, so that memory stays flat.

    Raises:
        DataError: If there is not a single instance.
    """
    stream = iter(instances)
    blocks = (_stack(rows, rate_hz) for rows in iter(lambda: list(islice(stream, size)), []))
    return refuse_empty(blocks, folder)


def refuse_empty(blocks: Iterable[Series], folder: Path) -> Iterator[Series]:
    """Pass blocks on, but complain when all of them together hold nothing."""
    count = 0
    for block in blocks:
        count += len(block)
        if len(block):
            yield block
    if not count:
        raise DataError(
            "0 instances in these files",
            where=str(folder),
            mend="look whether the files are complete and belong to this data set",
        )


def text_of(path: Path) -> str:
    """The text of a file.

    Raises:
        DataError: If it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name} is not UTF-8 text: {error.reason} at byte {error.start}",
            where=str(path),
            mend=utf8_mend(path),
        ) from error


def utf8_mend(path: Path) -> str:
    """What turns a text of another encoding into UTF-8."""
    return f"iconv -f latin1 -t utf-8 {path.name} > utf8-{path.name}, if it is Latin-1"


def finite(value: Any, what: str, where: str) -> float:
    """A number out of text, bytes, a numpy scalar or an array of one.

    Raises:
        DataError: If it is missing (None), not a number, NaN or infinite.
    """
    shown = plain(value)
    try:
        number = float(shown)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise DataError(
            f"{what} is {'missing' if value is None else repr(shown)[:80]}, not a finite number",
            where=where,
            mend="repair or remove that record, or fetch the file again",
        )
    return number


def plain(value: Any) -> Any:
    """The Python value inside a numpy scalar or an array of one; bytes become text."""
    if isinstance(value, np.ndarray | np.generic) and value.size == 1:
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _stack(rows: list[Instance], rate_hz: float) -> Series:
    x, y, group, uid, start, end = zip(*rows, strict=True)
    labels: Labels = np.array(y, np.str_) if isinstance(y[0], str) else np.array(y, np.float32)
    return Series(
        x=np.stack(x).astype(np.float32, copy=False),
        y=labels,
        group=np.array(group, np.str_),
        uid=np.array(uid, np.str_),
        rate_hz=rate_hz,
        time_start=np.array(start, np.float64),
        time_end=np.array(end, np.float64),
    )
