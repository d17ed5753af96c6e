"""Rows become cells: all repeats of one treatment, joined with their scratch twins by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tsxfer.errors import ComparisonError
from tsxfer.specs import Result, Trial

EQUAL = ("metric", "ledger", "subset", "sizes", "margin", "alignment")


@dataclass(frozen=True, slots=True)
class Cell:
    """One treatment against scratch.

    Attributes:
        trial: The treatment at repeat 0.
        pairs: ``(scratch row, transfer row)`` for each complete repeat, in order of repeat.
        gaps: What is missing, one sentence each.
        against: The baseline, or the first way of transfer, at repeat 0 that stands in the place of
            scratch, if any; the treatment may then be a scratch trial.
    """

    trial: Trial
    pairs: tuple[tuple[Result, Result], ...]
    gaps: tuple[str, ...]
    against: Trial | None = None

    @property
    def arms(self) -> tuple[str, str]:
        """What the two rows of a pair are called."""
        second = "transfer" if self.trial.reuse or self.against is None else "scratch"
        return first_arm(self.against), second


def first_arm(against: Trial | None) -> str:
    """What the first arm of a comparison is called: scratch, a baseline, or a way of transfer."""
    if against is None:
        return "scratch"
    strategy = against.reuse.strategy.words if against.reuse else ""
    return against.baseline or ", ".join(filter(None, (against.source, strategy)))


def cells(
    trials: Iterable[Trial], results: Mapping[str, Result], *, partial: bool = False
) -> list[Cell]:
    """Join the transfer trials of a study with their scratch twins.

    Args:
        trials: A study's trials; those without `reuse` are skipped.
        results: Rows by key.
        partial: Keep cells with gaps instead of refusing.

    Raises:
        ComparisonError: If rows are missing or failed (unless `partial`), or if the two rows of
            a pair were not made on equal terms.
    """
    grouped: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.reuse is not None:
            grouped.setdefault(treatment(trial).key, []).append(trial)
    found = [_cell(group, results) for group in grouped.values()]
    gaps = [gap for cell in found for gap in cell.gaps]
    if gaps and not partial:
        raise ComparisonError(
            f"{len(gaps)} of {sum(len(g) for g in grouped.values())} pairs are incomplete; "
            f"first: {gaps[0]}",
            mend="run the study again to complete it, or add --partial",
        )
    return found


def treatment(trial: Trial) -> Trial:
    """The trial without its repeat, which is what the repeats of a cell share."""
    reuse, after = trial.reuse, trial.after
    if reuse is not None:
        also = tuple(treatment(source) for source in reuse.also)
        reuse = replace(reuse, source=treatment(reuse.source), also=also)
    return replace(trial, repeat=0, reuse=reuse, after=after and treatment(after))


def _cell(group: list[Trial], results: Mapping[str, Result]) -> Cell:
    pairs, gaps = [], []
    for trial in sorted(group, key=lambda t: t.repeat):
        rows = results.get(trial.twin().key), results.get(trial.key)
        missing = [
            f"repeat {trial.repeat} of {trial.dataset}: {arm} {'failed: ' + row.error if row else 'has not run'}"
            for arm, row in zip(("scratch", "transfer"), rows, strict=True)
            if row is None or row.status == "failed"
        ]
        gaps += missing
        if not missing and rows[0] is not None and rows[1] is not None:
            _refuse_unequal(rows[0], rows[1])
            pairs.append((rows[0], rows[1]))
    return Cell(treatment(group[0]), tuple(pairs), tuple(gaps))


def _refuse_unequal(scratch: Result, transfer: Result) -> None:
    target = scratch.trial.dataset
    unequal = [name for name in EQUAL if getattr(scratch, name) != getattr(transfer, name)]
    if not (scratch.alignment and transfer.alignment):
        unequal = [name for name in unequal if name != "alignment"]  # rows of an early version
    if scratch.data.get(target) != transfer.data.get(target):
        unequal.append("data")
    if scratch.loss != transfer.loss and not _other_loss(scratch.trial, transfer.trial):
        unequal.append("loss")
    if unequal:
        raise ComparisonError(
            f"scratch {scratch.key} and transfer {transfer.key} differ in {', '.join(unequal)}",
            where=f"{target}, repeat {scratch.trial.repeat}",
            mend="run the study again: rows made from other data or terms are replaced",
        )


def _other_loss(scratch: Trial, transfer: Trial) -> bool:
    """The loss differs on purpose: a fault of the study that is switched on, or a head that is solved."""
    probed = transfer.reuse is not None and transfer.reuse.strategy.learn == "probe"
    return probed or scratch.recipe.loss != transfer.recipe.loss
