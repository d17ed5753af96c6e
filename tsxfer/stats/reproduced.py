"""What training rows again has shown of a study: kept beside its rows, read by its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsxfer.core.results import Result
from tsxfer.store.files import add_lines, read_lines

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
    mend = "the verdicts printed here hold all the same"
    add_lines(folder / FILE, found, "what was reproduced", mend)


def summary(folder: Path, rows: Mapping[str, Result]) -> Summary | None:
    """What was kept of these rows; None where nothing was."""
    found, unread = read_lines(Rerun, folder / FILE)
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
