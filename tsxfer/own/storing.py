"""Windows of a file as blocks to store, with copies among them told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.series import Series
from tsxfer.errors import DataError
from tsxfer.own.content import Content
from tsxfer.own.shaping import Groups, Shape, rows_of, stored
from tsxfer.own.survey import blocks, let_go


def series(
    content: Content, shape: Shape, y: NDArray[Any], group: Groups, rate: float, name: str
) -> Iterator[Series]:
    """Blocks of the windows that are kept.

    Raises:
        DataError: After the last block, if a window that is not flat occurs in two groups: it
            could be on both sides of the split.
    """
    names, seen = rows_of(content, name), dict[bytes, int]()
    twice: list[tuple[int, int]] = []
    for rows in blocks(content.x):
        x = stored(content, shape, rows)
        let_go(content.x)
        kept = np.flatnonzero(shape.kept[rows]) + rows.start
        if len(kept):
            twice += _twice(x, kept, shape, _sides(content, group), seen)
            part, start, end = (
                None if every is None else every[kept]
                for every in (content.part, content.start, content.end)
            )
            yield Series(
                x=x,
                y=y[kept],
                group=group[kept],
                uid=names[kept],
                rate_hz=rate,
                time_start=start,
                time_end=end,
                part=part,
            )
    if twice:
        raise DataError(
            f"{len(twice)} window(s) occur twice, and could be on both sides of the split",
            where=f"{names[twice[0][0]]} and {names[twice[0][1]]}",
            mend="remove the duplicates, or put them into one group",
        )


def _sides(content: Content, group: Groups) -> Groups:
    """What must not share a window: groups; the official test part stays, copies and all."""
    return group if content.part is None else np.where(content.part == "test", "test", group)


def _twice(
    x: NDArray[np.float32],
    kept: NDArray[np.int64],
    shape: Shape,
    group: Groups,
    seen: dict[bytes, int],
) -> list[tuple[int, int]]:
    """Pairs of equal windows in two groups; flat ones are alike without being copies."""
    found = []
    for row, window in zip(kept.tolist(), x, strict=True):
        digest = hashlib.blake2b(window.tobytes(), digest_size=16).digest()
        first = seen.setdefault(digest, row)
        if group[first] != group[row] and not shape.flat[row]:
            found.append((first, row))
    return found
