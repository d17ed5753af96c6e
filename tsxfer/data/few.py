"""Few labels of each class: which windows they are, and what is told where a class has too few."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.sizes import FEWEST_OF_CLASS, parts_of_class
from tsxfer.errors import DataError

Indices = NDArray[np.int64]
Counts = tuple[int, int]  # to learn from, to select on


def of_each_class(
    pools: tuple[Indices, Indices],
    labels: NDArray[Any] | None,
    each: int,
    share: float,
    dataset: str,
    classes: tuple[str, ...],
) -> tuple[Indices, Indices]:
    """The first windows of each class: `each` in all, a share of them to select on.

    Args:
        pools: Windows to learn from and to select on, each in the order of the draw.
        labels: ``(n,)`` class codes; None for regression.
        each: Labels of each class.
        share: Of them for validation; one at least.
        dataset: Versioned name.
        classes: Names, for what is told of one that has too few windows.

    Raises:
        DataError: Where there are no classes, or a class has too few windows.
    """
    if labels is None:
        raise DataError(
            f"size {each}/class counts labels of each class, and those of {dataset} are numbers",
            mend="use a number of labels, e.g. --size 100",
        )
    codes = range(max(len(classes), int(labels.max()) + 1))
    wanted = parts_of_class(each, share)
    held = [tuple(int(np.sum(labels[pool] == code)) for pool in pools) for code in codes]
    _refuse_short([(h[0], h[1]) for h in held], wanted, share, f"{each}/class", dataset, classes)
    return _first(pools[0], labels, wanted[0]), _first(pools[1], labels, wanted[1])


def _first(pool: Indices, labels: NDArray[Any], count: int) -> Indices:
    """The first `count` of each class, in the order of `pool`."""
    found = labels[pool]
    kept = np.zeros(len(pool), bool)
    for code in np.unique(found):
        kept[np.flatnonzero(found == code)[:count]] = True
    return pool[kept]


def _refuse_short(
    held: list[Counts],
    wanted: Counts,
    share: float,
    size: str,
    dataset: str,
    classes: tuple[str, ...],
) -> None:
    short = [code for code, counts in enumerate(held) if not _enough(counts, wanted)]
    if not short:
        return
    worst = min(short, key=lambda code: min(held[code]))
    told = classes[worst] if classes else str(worst)
    raise DataError(
        f"size {size} needs {wanted[0]} window(s) of each class to learn from and {wanted[1]} to "
        f"select on; class {told} of {dataset} has {held[worst][0]} and {held[worst][1]}",
        mend=_advice(held, share),
    )


def _advice(held: list[Counts], share: float) -> str:
    """The largest budget of each class that all classes can give."""
    train, validation = min(h[0] for h in held), min(h[1] for h in held)
    for each in range(train + validation, FEWEST_OF_CLASS - 1, -1):
        if _enough((train, validation), parts_of_class(each, share)):
            return f"use at most {each}/class: --size {each}/class"
    return "use a number of labels, add groups that hold the class, or remove it"


def _enough(held: Counts, wanted: Counts) -> bool:
    return held[0] >= wanted[0] and held[1] >= wanted[1]
