"""Label budgets that a prepared set can give, and what a misfit is told."""

from __future__ import annotations

import numpy as np

from tsxfer.core.specs import PROFILES
from tsxfer.data import split
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import parts_of
from tsxfer.errors import DataError


def sizes_that_fit(
    made: Prepared, profile: str, wanted: tuple[str, ...], repeats: int = 1
) -> tuple[str, ...]:
    """Those label budgets that a prepared set can give in every repeat.

    Raises:
        DataError: If it cannot even be split.
    """
    return tuple(size for size in wanted if not _misfit(made, profile, size, repeats))


def refuse_misfit(made: Prepared, profile: str, size: str, repeats: int = 1) -> None:
    """Refuse a label budget that a set cannot give, before anything is trained.

    Raises:
        DataError: With the largest that fits, or the class that would stay empty.
    """
    error = _misfit(made, profile, size, repeats)
    if error is not None:
        raise error


def windows_to_learn(made: Prepared, profile: str, size: str) -> int:
    """Windows that a trial of this size learns from."""
    rules, labels = PROFILES[profile], np.asarray(made.array("y"))
    coded = labels if made.classes else None
    parts = parts_of(made, PROFILES[profile])
    return len(split.subset(parts, coded, rules, size, made.card.id, 0).train)


def _misfit(made: Prepared, profile: str, size: str, repeats: int) -> DataError | None:
    rules, labels = PROFILES[profile], np.asarray(made.array("y"))
    coded = labels if made.classes else None
    parts = parts_of(made, PROFILES[profile])
    for repeat in range(repeats):
        try:
            drawn = split.subset(
                parts, coded, rules, size, made.card.id, repeat, classes=made.classes
            )
        except DataError as error:
            return error
        if min(len(drawn.train), len(drawn.validation), len(parts.test)) == 0:
            return _empty(made, size, drawn, len(parts.test))
        missing = sorted(set(range(len(made.classes))) - set(labels[drawn.train].tolist()))
        if missing and coded is not None:
            return _unseen(made, size, repeat, [made.classes[code] for code in missing])
    return None


def _empty(made: Prepared, size: str, drawn: split.Subset, test: int) -> DataError:
    return DataError(
        f"size {size} leaves {len(drawn.train)} windows to learn from, {len(drawn.validation)} to "
        f"select on and {test} to test on",
        where=made.card.id,
        mend="use a larger --size, or add windows",
    )


def _unseen(made: Prepared, size: str, repeat: int, names: list[str]) -> DataError:
    return DataError(
        f"no window of class {', '.join(names)} to learn from at size {size} in repeat {repeat}",
        where=f"{made.card.id}, whole groups ({made.card.group}) on one side of the split",
        mend="use a larger --size, add groups that hold the class, or remove it",
    )
