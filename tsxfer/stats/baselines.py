"""Networks against baselines: scratch and transfer beside other uses of the same labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tsxfer.core.specs import NO_BACKBONE, Result, Trial
from tsxfer.errors import ComparisonError
from tsxfer.stats.cells import Cell, Pairs, rows_of, treatment, tried, unequal

# Not the ledger and not the loss: a closed form takes no steps, so that both differ by nature, and
# more tries are what the strong scratch baseline is made of. The labels are the same all the same.
EQUAL = ("metric", "subset", "sizes", "margin", "alignment")


def joined(trials: Iterable[Trial]) -> dict[tuple[str, str], Pairs]:
    """Each baseline with each network of the same data set, size, repeat and profile.

    Networks are the plain transfers and their scratch twins; a baseline of a backbone meets its
    own backbone alone.

    Returns:
        ``(baseline, network)`` of each repeat, by the keys of both without their repeat.
    """
    trials = list(trials)
    baselines = [trial for trial in trials if trial.baseline]
    networks: dict[object, dict[str, Trial]] = {}
    if not baselines:
        return {}  # a study without any pays for none: keys of its networks are hashes
    for transfer in (t for t in trials if t.reuse and not t.control):
        for network in (transfer.twin(), transfer):
            networks.setdefault(_terms(network), {})[network.key] = network
    found: dict[tuple[str, str], Pairs] = {}
    for baseline in baselines:
        for network in networks.get(_terms(baseline), {}).values():
            if baseline.model in (NO_BACKBONE, network.model):
                key = (treatment(baseline).key, treatment(network).key)
                found.setdefault(key, []).append((baseline, network))
    return found


def _terms(trial: Trial) -> object:
    return trial.dataset, trial.size, trial.repeat, trial.profile


def against(
    joined: Mapping[tuple[str, str], Pairs],
    results: Mapping[str, Result],
    *,
    partial: bool = False,
) -> list[Cell]:
    """Cells whose first arm is not scratch: a baseline, or the first way of transfer.

    Args:
        joined: Pairs, as of `joined` or `tsxfer.stats.ways.joined`.
        results: Rows by key.
        partial: Keep cells with gaps instead of refusing.

    Raises:
        ComparisonError: If rows are missing or failed (unless `partial`), or were not made from the
            same labels.
    """
    found = [_cell(pairs, results) for pairs in joined.values()]
    gaps = list(dict.fromkeys(gap for cell in found for gap in cell.gaps))
    if gaps and not partial:
        raise ComparisonError(
            f"{len(gaps)} row(s) of comparisons are missing; first: {gaps[0]}",
            mend="run the study again to complete it, or add --partial",
        )
    return found


def _cell(pairs: Pairs, results: Mapping[str, Result]) -> Cell:
    first, second = pairs[0]
    rows, gaps = rows_of(pairs, results, refuse_unequal)
    failed = tried(pairs, results) - len(rows)
    return Cell(treatment(second), rows, gaps, treatment(first), failed)


def refuse_unequal(baseline: Result, network: Result) -> None:
    """Refuse a pair that was not made from the same labels, or not tested on the same windows.

    Raises:
        ComparisonError: With what differs.
    """
    terms = unequal(baseline, network, EQUAL)
    if terms:
        raise ComparisonError(
            f"baseline {baseline.key} and network {network.key} differ in {', '.join(terms)}",
            where=f"{baseline.trial.dataset}, repeat {baseline.trial.repeat}",
            mend="run the study again: rows made from other data or terms are replaced",
        )
