"""What happened inside of a transfer, layer by layer: kept beside its rows, read by its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tsxfer.core.results import Result
from tsxfer.stats.compare import Comparison
from tsxfer.store.files import add_lines, read_lines

FILE = "checks/why.jsonl"  # not among the rows, where each `.jsonl` is one of a writer


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a transfer and of its scratch twin, on training windows of the target.

    Likenesses are debiased linear CKA; None where a layer says the same of all windows.

    Attributes:
        name: Within the backbone.
        block: Its block of layers, counted from 1 at the input, as ``first_K`` counts them; 0 for
            a layer that is never copied so.
        copied: Whether its weights are the source's.
        source_start: The source as it was trained, against the start of the transfer: what fitting
            and other windows left of it. None where it was not copied.
        start_end: The start of the transfer against its end: what fine-tuning left of the start.
        source_end: The source against the end of the transfer.
        scratch: The start of scratch against its end, to compare `start_end` with.
        ends: The end of the transfer against that of scratch.
        travel: How far its weights went, relative to their size at the start.
        scratch_travel: The same from scratch.
    """

    name: str
    block: int
    copied: bool
    source_start: float | None
    start_end: float | None
    source_end: float | None
    scratch: float | None
    ends: float | None
    travel: float | None
    scratch_travel: float | None


@dataclass(frozen=True, slots=True)
class Why:
    """What one transfer, trained again, shows of its layers.

    Attributes:
        key: Of the transfer's row.
        twin: Of the scratch row.
        scores: Primary test scores of both in their rows; rows made again have others.
        repeat: Index.
        windows: Training windows that layers were compared on.
        distance: Largest distance of the validation curves from those of the rows, in margins where
            there is one: 0 means that these are the very trainings of the rows.
        layers: First to last.
    """

    key: str
    twin: str
    scores: tuple[float, float]
    repeat: int
    windows: int
    distance: float
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A comparison with what was seen inside of one of its transfers.

    Attributes:
        comparison: Of the report.
        why: The newest of its repeats that were looked at.
        first: Mean gain where only the first so many blocks of layers are copied, by their number.
    """

    comparison: Comparison
    why: Why
    first: dict[int, float]


def keep(found: Why, folder: Path) -> None:
    """Add a line to the file of a study's folder.

    Raises:
        StoreError: If it cannot be written.
    """
    add_lines(folder / FILE, [found], "what was seen", "what is printed here holds all the same")


def explained(
    folder: Path, comparisons: Sequence[Comparison], rows: Mapping[str, Result]
) -> list[Explained]:
    """Comparisons of which a transfer was looked into, from rows that are still the same."""
    newest = {one.key: one for one in read_lines(Why, folder / FILE)[0] if _holds(one, rows)}
    found = []
    for c in comparisons:
        mine = [newest[transfer] for _, transfer in c.keys if transfer in newest]
        if mine:
            found.append(Explained(c, mine[-1], first_blocks(c, comparisons)))
    return found


def first_blocks(c: Comparison, comparisons: Sequence[Comparison]) -> dict[int, float]:
    """Gains of the same transfer that copies the first K blocks alone, by K."""
    reuse = c.trial.reuse
    if reuse is None or reuse.strategy.blocks:
        return {}
    found = {}
    for other in comparisons:
        strategy = other.trial.reuse.strategy if other.trial.reuse else reuse.strategy
        if strategy.blocks and _but_for_blocks(other) == _but_for_blocks(c):
            found[strategy.blocks] = other.difference
    return dict(sorted(found.items()))


def _but_for_blocks(c: Comparison) -> str:
    reuse = c.trial.reuse
    assert reuse is not None  # noqa: S101  (comparisons are of transfers)
    strategy = replace(reuse.strategy, blocks=0)
    return replace(c.trial, reuse=replace(reuse, strategy=strategy)).key


def _holds(one: Why, rows: Mapping[str, Result]) -> bool:
    both = [rows.get(one.twin), rows.get(one.key)]
    now = tuple(row.scores.get(row.metric) for row in both if row is not None)
    return now == one.scores
