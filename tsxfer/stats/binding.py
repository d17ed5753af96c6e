"""What a declared analysis binds: the family, the margins, the repeats that a verdict waits for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tsxfer.stats.cells import Cell
from tsxfer.stats.lock import Lock


def outside(cell: Cell, declared: Lock | None) -> bool:
    """Not of a declared family, beyond the declared repeats, or made under another analysis.

    Rows that carry the hash of an analysis of which no lock is there are outside too: what they
    were declared for can no longer be told.
    """
    rows = [row for pair in cell.pairs for row in pair]
    if declared is None:
        return any(row.analysis for row in rows)
    digest = declared.digest
    return (
        not declared.covers(cell.trial, cell.against)
        or any(row.trial.repeat >= declared.repeats for row in rows)
        or any(row.analysis != digest for row in rows)
    )


def margin(cell: Cell, declared: Lock | None) -> float:
    """The declared margin of the cell's target; that of its rows where none was declared."""
    stated = cell.pairs[0][0].margin
    return declared.margins.get(cell.trial.dataset, stated) if declared else stated


def interim(cell: Cell, declared: Lock | None) -> bool:
    """Whether repeats that were declared have not run, and this is no look that was declared."""
    if declared is None:
        return False
    had_their_turn = len(cell.pairs) + cell.failed
    return had_their_turn < declared.repeats and had_their_turn not in declared.looks


def missing(cells: Sequence[Cell], declared: Lock | None) -> int:
    """How many comparisons of the declared family of these cells have no pair yet.

    They keep their place in it, as if nothing had been found: a family that grows as results
    come in would make early results look better than they are.
    """
    if declared is None or not cells:
        return 0
    here = {_family(cell, declared) for cell in cells}
    there = sum(declared.covers(cell.trial, cell.against) for cell in cells)
    return max(0, len({line for family in here for line in family}) - there)


def _family(cell: Cell, declared: Lock) -> tuple[str, ...]:
    """The lines of the lock that are corrected together with this cell."""
    if cell.against is None:
        return declared.family(cell.trial)
    if cell.against.baseline is None:
        return declared.ways
    return tuple(_of(declared.baselines, scratch=cell.trial.reuse is None))


def _of(lines: Iterable[str], *, scratch: bool) -> Iterable[str]:
    """Lines of baselines against scratch, or those against transfer."""
    return (line for line in lines if (" against scratch -> " in line) == scratch)
