"""The official split of a data set: a train file beside a test file, joined."""

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
from tsxfer.own.lazy import pulled

PAIR = re.compile(r"(^|[_.\-])(train)(?=[_.\-]|$)", re.IGNORECASE)
LIKE = {"train": "test", "Train": "Test", "TRAIN": "TEST"}


def test_file(path: Path, described: Description) -> Path | None:
    """The file of the official test part.

    It is the one that ``--test`` names, else ``NAME_TEST`` beside ``NAME_TRAIN``; None where there is
    none, or ``--test no`` is said.

    Raises:
        DataError: If ``--test`` looks like a file and is not there.
    """
    if not path.is_file() or described.unlabelled or described.test == "no":
        return None
    if described.test:
        return _named(path, described.test)
    found = PAIR.search(path.stem)
    if found is None or path.suffix.lower() == ".npy":
        return None
    word = LIKE.get(found[2], "test")
    beside = path.with_name(path.name[: found.start(2)] + word + path.name[found.end(2) :])
    return beside if beside.is_file() else None


def _named(path: Path, said: str) -> Path | None:
    for place in (Path(said), path.parent / said):
        if place.is_file():
            return place
    if Path(said).suffix.lower() == path.suffix.lower():
        raise DataError(f"no file {said}", where="--test", mend="check the path")
    return None


def joined(train: Content, test: Content, names: str) -> Content:
    """Both parts as one content that knows which window is of which.

    Args:
        train: To learn and select from.
        test: To be scored on alone.
        names: Of both, for messages.

    Raises:
        DataError: If their channels, lengths, rates or groups do not fit together.
    """
    if train.x.shape[1] != test.x.shape[1] or (train.rate, train.task) != (test.rate, test.task):
        raise DataError(
            f"the parts do not fit together: {train.x.shape[1]} and {test.x.shape[1]} channels, "
            f"{train.rate:g} and {test.rate:g} Hz",
            where=names,
            mend="give two parts of one data set, or say --test no",
        )
    _refuse_shared(train, test, names)
    length = max(train.x.shape[2], test.x.shape[2])
    x = _both(train, test, length)
    assert train.y is not None  # noqa: S101  (parts are joined only where labels are read)
    assert test.y is not None  # noqa: S101
    lengths = np.concatenate([_lengths(part) for part in (train, test)])
    sides = [("train", train), ("test", test)]
    rows = [f"{side} {_row(part, n)}" for side, part in sides for n in range(len(part.x))]
    grouped = train.group is not None and test.group is not None
    return replace(
        train, x=x, y=np.concatenate([train.y, test.y]),
        group=np.concatenate([train.group, test.group]) if grouped else None,
        group_name=train.group_name if grouped else "",
        part=np.repeat(["train", "test"], [len(train.x), len(test.x)]),
        lengths=None if (lengths == length).all() else lengths, rows=np.array(rows),
        notes=(*train.notes, f"official split of {names}: {len(test.x):,} windows are for testing "
               "alone (--test no leaves them out)"),
    )  # fmt: skip


def _both(train: Content, test: Content, length: int) -> NDArray[Any]:
    """Windows of both, left where they are until they are sliced; shorter ones filled up."""
    first, dtype = len(train.x), np.result_type(train.x.dtype, test.x.dtype)
    shape = (first + len(test.x), train.x.shape[1], length)

    def pull(wanted: NDArray[np.int64]) -> NDArray[Any]:
        out = np.zeros((len(wanted), *shape[1:]), dtype)
        for part, here, offset in ((train, wanted < first, 0), (test, wanted >= first, first)):
            if here.any():
                out[here, :, : part.x.shape[2]] = part.x[wanted[here] - offset]
        return out

    return pulled(shape, dtype, pull)


def _lengths(part: Content) -> NDArray[Any]:
    return np.full(len(part.x), part.x.shape[2]) if part.lengths is None else part.lengths


def _row(part: Content, number: int) -> str:
    return f"row {number + 1}" if part.rows is None else str(part.rows[number])


def _refuse_shared(train: Content, test: Content, names: str) -> None:
    if train.group is None or test.group is None:
        return
    both = sorted(set(train.group.tolist()) & set(test.group.tolist()))
    if both:
        raise DataError(
            f"{len(both)} groups are in both parts of the official split, e.g. {', '.join(both[:3])}",
            where=names,
            mend="say --test no and give one file of all windows with its groups, or leave --group out "
            "to take the split as it is",
        )
