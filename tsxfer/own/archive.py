"""Files of the UCR/UEA archive beside ``.ts``: ``.tsv``, ``.txt`` with class first, ``.arff``."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.faults import unreadable

PART = re.compile(r"_(TRAIN|TEST)$")
ATTRIBUTE = re.compile(r"(?im)^\s*@attribute\s+(?:'[^']*'|\"[^\"]*\"|\S+?)\s*(\{.*|\S+)")
LINE = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,]+)""")


def is_plain(path: Path, described: Description) -> bool:
    """Whether a file is called as the archive calls its tables: ``NAME_TRAIN.tsv``, ``.txt``."""
    ending = path.suffix.lower() in (".tsv", ".txt")
    return ending and bool(PART.search(path.stem)) and not (described.label or described.window)


def read_plain(path: Path, described: Description, scratch: Path) -> Content:
    """A table without a header whose first column is the class; NaN behind the end of a series.

    Raises:
        DataError: If a cell is no number, or rows differ in length.
    """
    del scratch
    rows = [(n, line.split()) for n, line in enumerate(_text(path).splitlines(), 1) if line.strip()]
    values = [_numbers(cells, f"{path}, line {n}") for n, cells in rows]
    lengths = {len(row) for row in values}
    if len(lengths) != 1 or min(lengths) < 3:
        raise DataError(
            f"lines of {min(lengths, default=0)} to {max(lengths, default=0)} numbers",
            where=str(path),
            mend="is it a whole file of the UCR archive (class, then samples)? copy it again",
        )
    table = np.stack(values)
    labels = np.array([cells[0] for _, cells in rows])
    return _content([table[:, 1:]], labels, described, path)


def read_arff(path: Path, described: Description, scratch: Path) -> Content:
    """Series of an ``.arff`` file: numbers, or for several channels a relation, then the class.

    Raises:
        DataError: If it is no such file.
    """
    del scratch
    windows, labels = [], []
    head, body = _parts(path)
    at, task = _place_of_class(head, path)
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("%"):
            continue
        _refuse_sparse(line, path)
        cells = [a or b or c for a, b, c in LINE.findall(line)]
        if 0 <= at < len(cells):  # nominal, before the samples
            cells = [*cells[:at], *cells[at + 1 :], cells[at]]
        where = f"{path}, line {number} of its data"
        if len(cells) < 2:
            raise DataError(
                f"{line[:60]!r} is no series with a class", where=where, mend="correct it"
            )
        labels.append(cells[-1].strip())
        windows.append(_series(cells[:-1], where))
    labels = ["" if label == "?" else label for label in labels]
    if not windows or len({len(window) for window in windows}) > 1:
        raise unreadable(path, ValueError("it holds no series, or series differ in channels"))
    channels = [[window[c] for window in windows] for c in range(len(windows[0]))]
    made = _content([_stacked(rows) for rows in channels], np.array(labels), described, path)
    return replace(made, task=task)


def _place_of_class(head: str, path: Path) -> tuple[int, str]:
    """The place of the one nominal attribute, -1 for the last; and the task.

    Raises:
        DataError: If several are nominal.
    """
    kinds = ATTRIBUTE.findall(head)
    nominal = [at for at, kind in enumerate(kinds) if kind.startswith("{")]
    if len(nominal) > 1:
        raise DataError(
            f"{len(nominal)} nominal attributes: which is the class?",
            where=str(path),
            mend="keep one of them in the file, besides the samples",
        )
    if nominal and nominal[0] < len(kinds) - 1:
        return nominal[0], "classification"
    numbers = bool(kinds) and kinds[-1].lower().startswith(("numeric", "real", "integer"))
    return -1, "regression" if numbers else "classification"


def _refuse_sparse(line: str, path: Path) -> None:
    if line.lstrip().startswith("{"):
        raise DataError(
            "sparse lines, {index value, ...}, are not read",
            where=str(path),
            mend="write every value of a line, separated by commas",
        )


def _parts(path: Path) -> tuple[str, str]:
    """What stands before the line @data, and what follows it."""
    parts = re.split(r"(?im)^@data\s*$", _text(path), maxsplit=1)
    if len(parts) != 2:
        raise DataError(
            "no line @data", where=str(path), mend="is it a whole .arff file? copy it again"
        )
    return parts[0], parts[1]


def _series(cells: list[str], where: str) -> list[NDArray[np.float64]]:
    r"""Channels of a line; a relation holds them as rows that ``\n`` separates."""
    if len(cells) == 1 and ("\\n" in cells[0] or "," in cells[0]):
        return [_numbers(row.split(","), where) for row in cells[0].split("\\n") if row.strip()]
    return [_numbers(cells, where)]


def _numbers(cells: list[str], where: str) -> NDArray[np.float64]:
    """Numbers; ``?`` and NaN are missing."""
    try:
        return np.array([np.nan if c.strip() == "?" else float(c) for c in cells])
    except ValueError as error:
        raise DataError(str(error), where=where, mend="correct that cell") from None


def _stacked(rows: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    out = np.full((len(rows), max(map(len, rows))), np.nan)
    for number, row in enumerate(rows):
        out[number, : len(row)] = row
    return out


def _content(
    channels: list[NDArray[np.float64]],
    labels: NDArray[np.str_],
    described: Description,
    path: Path,
) -> Content:
    """Windows with their own lengths: what is missing at the end of a series is not its own."""
    longest = max(channel.shape[1] for channel in channels)
    x = np.stack(
        [np.pad(c, ((0, 0), (0, longest - c.shape[1])), constant_values=np.nan) for c in channels],
        1,
    )
    there: NDArray[np.bool_] = np.isfinite(x).max(axis=1)
    lengths = np.where(there.max(axis=1), longest - there[:, ::-1].argmax(axis=1), 0)
    if not lengths.all():
        row = int(np.argmin(lengths))
        raise DataError(
            "a series without a number", where=f"{path}, series {row + 1}", mend="remove it"
        )
    return Content(
        x=x,
        y=None if described.unlabelled else _named(labels),
        group=None,
        channels=tuple(f"c{n}" for n in range(len(channels))),
        label="class",
        group_name="",
        lengths=None if (lengths == longest).all() else lengths,
        task="classification",
    )


def _named(labels: NDArray[np.str_]) -> NDArray[Any]:
    """Classes as written; numbers where all are whole numbers, such as ``1.0000000e+00``."""
    try:
        numbers = labels.astype(np.float64)
    except ValueError:
        return labels
    return numbers if (numbers == np.round(numbers)).all() else labels


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from None
