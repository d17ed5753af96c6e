"""Finished cells of a workspace with the scores that their sources had: what `judge` judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tsxfer import metrics
from tsxfer.core.expansion import trials_of
from tsxfer.core.names import is_simulated
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.core.study_files import read_study
from tsxfer.errors import TsxferError
from tsxfer.ranking.judge import Outcome
from tsxfer.ranking.rankers import Scores, known
from tsxfer.ranking.sources import Pretrained
from tsxfer.stats.cells import Cell, cells
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

Score = Callable[[Trial, Result], Scores]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a workspace has to say of rankings.

    Attributes:
        outcomes: Cells with two sources or more whose weights are available.
        left_out: Comparisons that are not finished, or whose sources are not available or cannot be
            scored.
    """

    outcomes: tuple[Outcome, ...]
    left_out: int


def gather(
    workspace: Workspace, found: Sequence[Pretrained], simulated: bool, score: Score
) -> Evidence:
    """Cells of all studies of a workspace, on real targets or on simulated ones, never on both.

    Args:
        workspace: With its studies.
        found: Available pretrainings.
        simulated: Which kind of target counts.
        score: Scores of a transfer at repeat 0, from the row of its pretraining.
    """
    rows = {one.trial.key: one.row for one in found}
    groups: dict[str, list[Cell]] = {}
    left_out = 0
    for cell in _cells(workspace, simulated):
        if _origin(cell.trial).key in rows and not cell.gaps:
            groups.setdefault(_terms(cell.trial), []).append(cell)
        else:
            left_out += 1
    outcomes = []
    for group in groups.values():
        kept = [(cell, _scored(cell.trial, rows, score)) for cell in group]
        whole = [(cell, scores) for cell, scores in kept if scores is not None]
        left_out += len(kept) - len(whole)
        shared = set.intersection(*(_repeats(cell) for cell, _ in whole)) if whole else set()
        if len(whole) > 1 and shared:
            outcomes.append(_outcome(whole, shared))
    return Evidence(tuple(outcomes), left_out)


def _cells(workspace: Workspace, simulated: bool) -> list[Cell]:
    """Cells of transfers from a single source that have a pair.

    Where several studies hold the same cell, a complete one counts, then one with more repeats.
    """
    found: dict[str, Cell] = {}
    for name in workspace.studies():
        for cell in _of_study(workspace, name, simulated):
            old = found.get(cell.trial.key)
            if old is None or _worth(cell) > _worth(old):
                found[cell.trial.key] = cell
    return list(found.values())


def _worth(cell: Cell) -> tuple[bool, int]:
    return not cell.gaps, len(cell.pairs)


def _of_study(workspace: Workspace, name: str, simulated: bool) -> list[Cell]:
    try:
        study = read_study(workspace.results(name) / "study.toml")
        plain = (t for t in trials_of(study) if _of_one_pretraining(t))
        wanted = [t for t in plain if is_simulated(t.dataset) == simulated]
        rows = Store.of(workspace, name).rows() if wanted else {}
        return [cell for cell in cells(wanted, rows, partial=True) if cell.pairs]
    except TsxferError:
        return []  # a damaged study is told of by the commands that are about it


def _of_one_pretraining(trial: Trial) -> bool:
    """A plain transfer from a pretraining whose row tells what it was made of."""
    how = trial.reuse
    return bool(how and not trial.control and not how.also and not how.source.given)


def _origin(trial: Trial) -> Trial:
    assert trial.reuse is not None  # noqa: S101  (cells are of transfers)
    return trial.reuse.source


def _terms(trial: Trial) -> str:
    """What rival sources share: target, model, size, recipes; all but the source's data."""
    assert trial.reuse is not None  # noqa: S101  (cells are of transfers)
    origin = replace(trial.reuse.source, dataset="any")
    return replace(trial, reuse=replace(trial.reuse, source=origin)).key


def _scored(trial: Trial, rows: Mapping[str, Result], score: Score) -> Scores | None:
    try:
        return score(trial, rows[_origin(trial).key])
    except TsxferError:
        return None  # its data is not prepared here any more, or its weights do not fit


def _repeats(cell: Cell) -> set[int]:
    return {scratch.trial.repeat for scratch, _ in cell.pairs}


def _outcome(whole: Sequence[tuple[Cell, Scores]], shared: set[int]) -> Outcome:
    """Gains on the repeats that all rivals have, so that they meet the same scratch twins."""
    return Outcome(
        whole[0][0].trial.dataset,
        tuple(_gain(cell, shared) for cell, _ in whole),
        {r.name: tuple(scores[r.name] for _, scores in whole) for r in known()},
    )


def _gain(cell: Cell, shared: set[int]) -> float:
    """Mean oriented difference of transfer from scratch, in margins where the card names one."""
    metric, unit = cell.pairs[0][0].metric, cell.pairs[0][0].margin or 1.0
    sign = metrics.get(metric).sign
    pairs = [pair for pair in cell.pairs if pair[0].trial.repeat in shared]
    differences = [transfer.scores[metric] - scratch.scores[metric] for scratch, transfer in pairs]
    return sign * sum(differences) / len(differences) / unit
