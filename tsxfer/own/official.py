"""The official split of a data set: a train file beside a test file, joined."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.lazy import pulled
from tsxfer.own.survey import blocks

PAIR = re.compile(r"(^|[_.\-])(train)(?=[_.\-]|$)", re.IGNORECASE)
LIKE = {"train": "test", "Train": "Test", "TRAIN": "TEST"}


def test_file(path: Path, described: Description) -> Path | None:
    """The file of the official test part.

    It is the one that ``--test`` names, else ``NAME_TEST`` beside ``NAME_TRAIN``; None where there
    is none, or ``--test no`` is said.

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
    if Path(said).suffix and Path(said).suffix.lower() == path.suffix.lower():
        raise DataError(f"no file {said}", where="--test", mend="check the path")
    return None


def parts_of(values: NDArray[Any], name: str, where: str) -> tuple[NDArray[np.str_], str]:
    """``train`` or ``test`` of each window, from a column or array, and what is to be said.

    Args:
        values: ``(n,)`` words of which one is ``test``, or 0 and 1 (1 is for testing).
        name: Of the column or array.
        where: For messages.

    Raises:
        DataError: If no window, or every window, is for testing.
    """
    words = np.array([str(value).strip().lower() for value in np.asarray(values).tolist()])
    test = np.isin(words, ("test", "testing", "1", "1.0", "true"))
    others = sorted(set(words[~test].tolist()))
    plain = {"train", "training", "0", "0.0", "false", "dev", "val", "valid", "validation"}
    if not test.any() or test.all() or set(others) - plain:
        raise DataError(
            f"{name} holds {', '.join(repr(word) for word in sorted(set(words.tolist()))[:5])}",
            where=where,
            mend="--test names words of which test is one and train another, or 0 and 1 (1 for "
            "testing)",
        )
    note = f"official split by {name}: {int(test.sum()):,} windows are for testing alone"
    if len(others) > 1:
        note += f"; {' and '.join(others)} are one part, from which validation is drawn anew"
    return np.where(test, "test", "train"), note


def with_parts(content: Content, part: NDArray[np.str_], note: str, where: str) -> Content:
    """The same content, which now knows its parts.

    Raises:
        DataError: If there is not one part a window, or a group is in both.
    """
    if len(part) != len(content.x):
        raise DataError(
            f"{len(part)} parts for {len(content.x)} windows", where=where, mend="give one a window"
        )
    if content.group is not None:
        group = content.group.astype(np.str_)
        refuse_shared(group[part == "train"], group[part == "test"], where)
    return replace(content, part=part, notes=(*content.notes, note))


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
    test = _in_order(train, test, names)
    if train.group is not None and test.group is not None:
        refuse_shared(train.group, test.group, names)
    grouped = train.group is not None and test.group is not None
    train, copies = (train, "") if grouped else _once(train, test)
    length = max(train.x.shape[2], test.x.shape[2])
    x = _both(train, test, length)
    assert train.y is not None  # noqa: S101  (parts are joined only where labels are read)
    assert test.y is not None  # noqa: S101
    lengths = np.concatenate([_lengths(part) for part in (train, test)])
    sides = [("train", train), ("test", test)]
    rows = [f"{side} {_row(part, n)}" for side, part in sides for n in range(len(part.x))]
    return replace(
        train,
        x=x,
        y=np.concatenate([train.y, test.y]),
        group=np.concatenate([train.group, test.group]) if grouped else None,
        group_name=train.group_name if grouped else "",
        part=np.repeat(["train", "test"], [len(train.x), len(test.x)]),
        lengths=None if (lengths == length).all() else lengths,
        rows=np.array(rows),
        notes=(
            *dict.fromkeys((*train.notes, *test.notes)),
            f"official split of {names}: {len(test.x):,} windows are for testing "
            f"alone (--test no leaves them out){copies}",
        ),
    )


def _in_order(train: Content, test: Content, names: str) -> Content:
    """The test part with its channels as in the train part, by name.

    Raises:
        DataError: If it has channels of other names.
    """
    if test.channels == train.channels:
        return test
    if sorted(test.channels) != sorted(train.channels):
        raise DataError(
            f"the parts have other channels: {', '.join(train.channels[:6])} to learn from, "
            f"{', '.join(test.channels[:6])} to test on",
            where=names,
            mend="name the channels of both parts alike, or say --test no",
        )
    order, whole = [test.channels.index(name) for name in train.channels], test.x
    x = pulled(whole.shape, whole.dtype, lambda wanted: np.asarray(whole[wanted])[:, order])
    note = "the test part holds its channels in another order: put into that of the train part"
    return replace(test, x=x, channels=train.channels, notes=(*test.notes, note))


def _once(train: Content, test: Content) -> tuple[Content, str]:
    """The train part without copies of test windows or of its own, where no group keeps them apart.

    Sets of the archive hold some: UnitTest has a window in both parts.
    """
    seen = set(_digests(test))
    kept = np.ones(len(train.x), np.bool_)
    for row, digest in enumerate(_digests(train)):
        kept[row] = digest not in seen
        seen.add(digest)
    if kept.all():
        return train, ""
    gone = int((~kept).sum())
    assert train.y is not None  # noqa: S101  (as in `joined`)
    whole, at = train.x, np.flatnonzero(kept)
    rows = np.array([_row(train, n) for n in range(len(kept))])
    x = pulled(
        (len(at), *whole.shape[1:]), whole.dtype, lambda wanted: np.asarray(whole[at[wanted]])
    )
    lengths = None if train.lengths is None else train.lengths[kept]
    short = replace(train, x=x, y=train.y[kept], lengths=lengths, rows=rows[kept])
    return short, f"; {gone} windows of the train part that occur a second time are left out"


def _digests(part: Content) -> Iterator[bytes]:
    """Of each window as float32, without what fills it up."""
    lengths = _lengths(part)
    for rows in blocks(part.x):
        for row, window in enumerate(np.asarray(part.x[rows]), rows.start):
            own = np.ascontiguousarray(window[:, : lengths[row]], np.float32)
            yield hashlib.blake2b(own.tobytes(), digest_size=16).digest()


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


def refuse_shared(train: NDArray[Any], test: NDArray[Any], names: str) -> None:
    """Groups that lie in the train and in the test part.

    Raises:
        DataError: If there are some.
    """
    both = sorted(set(train.tolist()) & set(test.tolist()))
    if both:
        raise DataError(
            f"{len(both)} groups are in both parts of the official split, e.g. "
            f"{', '.join(map(str, both[:3]))}",
            where=names,
            mend="say --test no and give one file of all windows with its groups, or leave "
            "--group out to take the split as it is",
        )
