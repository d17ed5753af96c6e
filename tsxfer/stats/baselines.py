"""Networks against baselines: scratch and transfer beside other uses of the same labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tsxfer.errors import ComparisonError
from tsxfer.specs import NO_BACKBONE, Result, Trial
from tsxfer.stats.pairs import Cell, treatment

# Not the ledger and not the loss: a closed form takes no steps, so that both differ by nature, and
# more tries are what the strong scratch baseline is made of. The labels are the same all the same.
EQUAL = ("metric", "subset", "sizes", "margin", "alignment")
Pairs = list[tuple[Trial, Trial]]


def joined(trials: Iterable[Trial]) -> dict[tuple[str, str], Pairs]:
    """Each baseline with each network of the same data set, size, repeat and profile.

    Networks are the plain transfers and their scratch twins; a baseline of a backbone meets its
    own backbone alone.

    Returns:
        ``(baseline, network)`` of each repeat, by the keys of both without their repeat.
    """
    trials = list(trials)
    networks: dict[object, dict[str, Trial]] = {}
    for transfer in (t for t in trials if t.reuse and not t.control):
        for network in (transfer.twin(), transfer):
            networks.setdefault(_terms(network), {})[network.key] = network
    found: dict[tuple[str, str], Pairs] = {}
    for baseline in (t for t in trials if t.baseline):
        for network in networks.get(_terms(baseline), {}).values():
            if baseline.model in (NO_BACKBONE, network.model):
                key = (treatment(baseline).key, treatment(network).key)
                found.setdefault(key, []).append((baseline, network))
    return found


def _terms(trial: Trial) -> object:
    return trial.dataset, trial.size, trial.repeat, trial.profile


def against_baselines(
    trials: Iterable[Trial], results: Mapping[str, Result], *, partial: bool = False
) -> list[Cell]:
    """Cells whose first arm is a baseline and whose second is a network, as of `joined`.

    Args:
        trials: A study's trials.
        results: Rows by key.
        partial: Keep cells with gaps instead of refusing.

    Raises:
        ComparisonError: If rows are missing or failed (unless `partial`), or were not made from the
            same labels.
    """
    return against(joined(trials), results, partial=partial)


def against(
    joined: Mapping[tuple[str, str], Pairs],
    results: Mapping[str, Result],
    *,
    partial: bool = False,
) -> list[Cell]:
    """Cells of pairs whose first trial stands in the place of scratch; see `against_baselines`."""
    found = [_cell(pairs, results) for pairs in joined.values()]
    gaps = list(dict.fromkeys(gap for cell in found for gap in cell.gaps))
    if gaps and not partial:
        raise ComparisonError(
            f"{len(gaps)} row(s) of comparisons are missing; first: {gaps[0]}",
            mend="run the study again to complete it, or add --partial",
        )
    return found


def _cell(pairs: Pairs, results: Mapping[str, Result]) -> Cell:
    rows, gaps = [], []
    for baseline, network in sorted(pairs, key=lambda pair: pair[0].repeat):
        both = results.get(baseline.key), results.get(network.key)
        gaps += [
            f"repeat {trial.repeat} of {trial.dataset}: {_arm(trial)} "
            f"{'failed: ' + row.error if row else 'has not run'}"
            for trial, row in zip((baseline, network), both, strict=True)
            if row is None or row.status == "failed"
        ]
        first, second = both
        if first and second and first.status == second.status == "done":
            refuse_unequal(first, second)
            rows.append((first, second))
    baseline, network = pairs[0]
    return Cell(treatment(network), tuple(rows), tuple(gaps), treatment(baseline))


def _arm(trial: Trial) -> str:
    return trial.baseline or ("transfer" if trial.reuse else "scratch")


def refuse_unequal(baseline: Result, network: Result) -> None:
    """Refuse a pair that was not made from the same labels, or not tested on the same windows.

    Raises:
        ComparisonError: With what differs.
    """
    unequal = unequal_terms(baseline, network)
    if unequal:
        raise ComparisonError(
            f"baseline {baseline.key} and network {network.key} differ in {', '.join(unequal)}",
            where=f"{baseline.trial.dataset}, repeat {baseline.trial.repeat}",
            mend="run the study again: rows made from other data or terms are replaced",
        )


def unequal_terms(baseline: Result, network: Result) -> list[str]:
    """Names of the terms that a baseline and a network must share and do not."""
    target = baseline.trial.dataset
    unequal = [name for name in EQUAL if getattr(baseline, name) != getattr(network, name)]
    if baseline.data.get(target) != network.data.get(target):
        unequal.append("data")
    return unequal
