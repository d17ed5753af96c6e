"""What training rows again has shown of a study: kept beside its rows, read by its report."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tsxfer.core.building import from_plain
from tsxfer.core.specs import Result
from tsxfer.errors import StoreError, TsxferError

FILE = "checks/reproduced.jsonl"  # not among the rows, where each `.jsonl` is one of a writer


@dataclass(frozen=True, slots=True)
class Rerun:
    """One row trained again.

    Attributes:
        key: Of the row.
        score: Primary score in the row; a row that was made again since has another.
        verdict: ``identical``, ``within tolerance`` or ``differs``.
        device: Where it was trained again.
        distance: Largest distance from the row on score and curve; None where training failed.
        floor: Largest distance between the trainings of now; None after only one.
        times: Trainings.
    """

    key: str
    score: float
    verdict: str
    device: str
    distance: float | None = None
    floor: float | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Summary:
    """All rows of a study that were trained again and are still the same.

    Attributes:
        rows: How many.
        verdicts: How often each was given.
        devices: Where.
        distance: Largest distance from a row, in margins; None where none can be told.
        floor: Largest distance between trainings of one row, in margins; None if none was repeated.
        failed: Trainings that gave no score, which no distance shows.
        unread: Lines of the file that could not be read.
    """

    rows: int
    verdicts: dict[str, int]
    devices: tuple[str, ...]
    distance: float | None
    floor: float | None
    failed: int
    unread: int


def keep(found: Iterable[Rerun], folder: Path) -> None:
    """Add lines to the file of a study's folder.

    Raises:
        StoreError: If it cannot be written.
    """
    path = folder / FILE
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(one), allow_nan=False) + "\n" for one in found)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(
            f"what was reproduced cannot be kept for the report: {error.strerror}",
            where=str(path),
            mend="the verdicts printed here hold all the same",
        ) from None


def summary(folder: Path, rows: Mapping[str, Result]) -> Summary | None:
    """What was kept of these rows; None where nothing was."""
    found, unread = _kept(folder / FILE)
    current = [(one, rows[one.key]) for one in found if _holds(one, rows)]
    if not current and not unread:
        return None
    units = [(one, row.margin) for one, row in current if row.margin > 0]
    return Summary(
        rows=len({one.key for one, _ in current}),
        verdicts=dict(Counter(one.verdict for one, _ in current)),
        devices=tuple(dict.fromkeys(one.device for one, _ in current)),
        distance=max(
            (one.distance / unit for one, unit in units if one.distance is not None), default=None
        ),
        floor=max((one.floor / unit for one, unit in units if one.floor is not None), default=None),
        failed=sum(one.distance is None for one, _ in current),
        unread=unread,
    )


def _holds(one: Rerun, rows: Mapping[str, Result]) -> bool:
    row = rows.get(one.key)
    return row is not None and row.scores.get(row.metric) == one.score


def _kept(path: Path) -> tuple[list[Rerun], int]:
    """Whole lines, and how many are none."""
    found, unread = list[Rerun](), 0
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return [], int(path.exists())
    for line in lines:
        try:
            found.append(from_plain(Rerun, json.loads(line)))
        except (ValueError, RecursionError, TsxferError):
            unread += 1
    return found, unread
