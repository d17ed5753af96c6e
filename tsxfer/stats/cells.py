"""Rows become cells: all repeats of one treatment, joined with their scratch twins by key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.errors import ComparisonError

EQUAL = ("metric", "ledger", "subset", "sizes", "margin", "alignment")
# Not the ledger and not the loss: a closed form takes no steps, so that both differ by nature, and
# more tries are what the strong scratch baseline is made of. The labels are the same all the same.
SAME_LABELS = ("metric", "subset", "sizes", "margin", "alignment")
Pairs = list[tuple[Trial, Trial]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One treatment against scratch.

    Attributes:
        trial: The treatment at repeat 0.
        pairs: ``(scratch row, transfer row)`` for each complete repeat, in order of repeat.
        gaps: What is missing, one sentence each.
        against: The baseline, or the first way of transfer, at repeat 0 that stands in the place of
            scratch, if any; the treatment may then be a scratch trial.
        failed: Repeats of which both rows are there, and one or both failed.
    """

    trial: Trial
    pairs: tuple[tuple[Result, Result], ...]
    gaps: tuple[str, ...]
    against: Trial | None = None
    failed: int = 0

    @property
    def name(self) -> str:
        """Key of the treatment, and of what stands in the place of scratch, if anything does."""
        return f"{self.trial.key}-{self.against.key if self.against else ''}"

    @property
    def arms(self) -> tuple[str, str]:
        """What the two rows of a pair are called."""
        second = "transfer" if self.trial.reuse or self.against is None else "scratch"
        return first_arm(self.against), second


def first_arm(against: Trial | None) -> str:
    """What the first arm of a comparison is called: scratch, a baseline, or a way of transfer."""
    return "scratch" if against is None else _way(against)


def _way(trial: Trial) -> str:
    """A baseline by its name, a transfer by its source and strategy, else scratch."""
    strategy = trial.reuse.strategy.words if trial.reuse else ""
    named = ", ".join(filter(None, (trial.source, strategy))) if trial.reuse else "scratch"
    return trial.baseline or named


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
        pairs = sum(len(group) for group in grouped.values())
        raise ComparisonError(
            f"{pairs - sum(len(cell.pairs) for cell in found)} of {pairs} pairs are incomplete; "
            f"first: {gaps[0]}",
            mend="run the study again to complete it, or add --partial",
        )
    return found


def against(
    joined: Mapping[tuple[str, str], Pairs],
    results: Mapping[str, Result],
    *,
    partial: bool = False,
) -> list[Cell]:
    """Cells whose first arm is not scratch: a baseline, or the first way of transfer.

    Args:
        joined: Pairs, as of `tsxfer.stats.baselines.joined` or `tsxfer.stats.ways.joined`.
        results: Rows by key.
        partial: Keep cells with gaps instead of refusing.

    Raises:
        ComparisonError: If rows are missing or failed (unless `partial`), or were not made from the
            same labels.
    """
    found = [_cell_against(pairs, results) for pairs in joined.values()]
    gaps = list(dict.fromkeys(gap for cell in found for gap in cell.gaps))
    if gaps and not partial:
        raise ComparisonError(
            f"{len(gaps)} row(s) of comparisons are missing; first: {gaps[0]}",
            mend="run the study again to complete it, or add --partial",
        )
    return found


def by_protocol(trials: Iterable[Trial]) -> tuple[list[Trial], list[Trial]]:
    """Trials of the first trial's protocol, which stand in all tables, and those of others."""
    trials = list(trials)
    main = trials[0].profile if trials else ""
    first = [trial for trial in trials if trial.profile == main]
    return first, [trial for trial in trials if trial.profile != main]


def treatment(trial: Trial) -> Trial:
    """The trial without its repeat, which is what the repeats of a cell share."""
    reuse, after = trial.reuse, trial.after
    if reuse is not None:
        also = tuple(treatment(source) for source in reuse.also)
        reuse = replace(reuse, source=treatment(reuse.source), also=also)
    return replace(trial, repeat=0, reuse=reuse, after=after and treatment(after))


def _cell(group: list[Trial], results: Mapping[str, Result]) -> Cell:
    pairs = [(trial.twin(), trial) for trial in group]
    rows, gaps = rows_of(pairs, results, _refuse_unequal)
    return Cell(treatment(group[0]), rows, gaps, failed=tried(pairs, results) - len(rows))


def _cell_against(pairs: Pairs, results: Mapping[str, Result]) -> Cell:
    first, second = pairs[0]
    rows, gaps = rows_of(pairs, results, _refuse_other_labels)
    failed = tried(pairs, results) - len(rows)
    return Cell(treatment(second), rows, gaps, treatment(first), failed)


def tried(pairs: Pairs, results: Mapping[str, Result]) -> int:
    """Pairs of which both trials have a row, finished or failed."""
    return sum(first.key in results and second.key in results for first, second in pairs)


def rows_of(
    pairs: Pairs, results: Mapping[str, Result], refuse: Callable[[Result, Result], None]
) -> tuple[tuple[tuple[Result, Result], ...], tuple[str, ...]]:
    """The rows of each complete pair, in order of repeat, and what is missing of the others.

    Args:
        pairs: Two trials of each repeat.
        results: Rows by key.
        refuse: Raises where the two rows of a pair were not made on equal terms.
    """
    rows, gaps = [], []
    for first, second in sorted(pairs, key=lambda pair: pair[0].repeat):
        both = results.get(first.key), results.get(second.key)
        gaps += [
            f"repeat {trial.repeat} of {trial.dataset}: {_arm(trial)} "
            f"{'failed: ' + row.error if row else 'has not run'}"
            for trial, row in zip((first, second), both, strict=True)
            if row is None or row.status == "failed"
        ]
        a, b = both
        if a and b and "failed" not in (a.status, b.status):
            refuse(a, b)
            rows.append((a, b))
    return tuple(rows), tuple(gaps)


def _arm(trial: Trial) -> str:
    return trial.baseline or ("transfer" if trial.reuse else "scratch")


def unequal(first: Result, second: Result, terms: Iterable[str]) -> list[str]:
    """Names of the terms (fields of a row) in which two rows differ, and ``data`` of the target."""
    target = first.trial.dataset
    found = [name for name in terms if getattr(first, name) != getattr(second, name)]
    return [*found, *(["data"] if first.data.get(target) != second.data.get(target) else [])]


def _refuse_unequal(scratch: Result, transfer: Result) -> None:
    terms = unequal(scratch, transfer, EQUAL)
    if not (scratch.alignment and transfer.alignment):
        terms = [name for name in terms if name != "alignment"]  # rows of an early version
    if scratch.loss != transfer.loss and not _other_loss(scratch.trial, transfer.trial):
        terms.append("loss")
    _refuse(f"scratch {scratch.key}", f"transfer {transfer.key}", scratch.trial, terms)


def _refuse_other_labels(first: Result, second: Result) -> None:
    terms = unequal(first, second, SAME_LABELS)
    one, other = (f"{_way(row.trial)} ({row.key})" for row in (first, second))
    _refuse(one, other, first.trial, terms)


def _refuse(first: str, second: str, trial: Trial, terms: Sequence[str]) -> None:
    if terms:
        raise ComparisonError(
            f"{first} and {second} differ in {', '.join(terms)}",
            where=f"{trial.dataset}, repeat {trial.repeat}",
            mend="run the study again: rows made from other data or terms are replaced",
        )


def _other_loss(scratch: Trial, transfer: Trial) -> bool:
    """The loss differs on purpose: the study's fault, switched on, or a head that is solved."""
    return transfer.closed_form or scratch.recipe.loss != transfer.recipe.loss
