"""Everything a report shows, gathered from rows alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tsxfer.core.cautions import Caution
from tsxfer.core.plugins import with_plugins
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.stats import baselines, protocols, ways
from tsxfer.stats.aggregate import Aggregate, aggregate
from tsxfer.stats.best import Best, best_sources
from tsxfer.stats.cells import Cell, against, by_protocol, cells
from tsxfer.stats.compare import Comparison, compare
from tsxfer.stats.contrasts import Contrast, contrasts
from tsxfer.stats.controls import ControlEffect, effects, with_controls
from tsxfer.stats.lock import Lock
from tsxfer.stats.mixed import Matrix, matrix
from tsxfer.stats.power import Reach, reach
from tsxfer.stats.protocols import ProtocolEffect
from tsxfer.stats.reproduced import Summary, summary
from tsxfer.stats.testset import TestError, from_predictions
from tsxfer.stats.verified import in_words, read
from tsxfer.stats.why import Explained, explained
from tsxfer.stats.worth import Worth, labels_worth
from tsxfer.store.predictions import PREDICTIONS

OF_TEST = (Caution.NEAR_DUPLICATES, Caution.SPELLING)  # of what a row itself is tested on


@dataclass(frozen=True, slots=True)
class Report:
    """What renderers draw.

    Attributes:
        name: Of the study.
        comparisons: One row of the table each.
        cells: The rows behind each comparison, in the same order.
        gaps: Missing pairs, one sentence each.
        failures: Failed trials with their error.
        labels: Union of the rows' labels.
        splits: Split proof by data set.
        environment: Union of what made the rows.
        command: What runs the study again.
        flag: `` --plugins FOLDER`` where rows were made with code of the user's own; else "".
        declared: The analysis that was fixed before the first row, if any.
        contrasts: Headline contrasts, in hierarchical order.
        best: Best-source statements.
        aggregate: Interquartile mean and probability of improvement.
        matrix: The whole matrix, beyond these data sets; needs three sources and targets.
        worth: Labels that pretraining is worth, where there are several sizes.
        reach: What so many repeats can find.
        placebos: Controls against the same scratch twins, a family of their own.
        controls: What the controls say of each comparison.
        beside: Scratch against baselines, transfer against baselines, and ways of transfer against
            the first one: families of their own, whose first arm is not scratch.
        beside_cells: The rows behind them, in the same order.
        reproduced: What training rows again has shown, if any was.
        sound: Whether `tsxfer verify` passed on these very rows; None where that was not asked.
        verified: The same in words; empty where there is no folder to check.
        protocols: The same comparisons under the study's other protocols, where it names several;
            they stand in no other table.
        explained: Comparisons of which `tsxfer why` looked into a transfer.
        statistics: Names of what was asked for beside (`tsxfer.stats.statistics`).
        folder: Of the study, ``WORKSPACE/results/NAME``, for pictures of predictions and windows.
        origins: Where rows that were merged from elsewhere come from, with their number.
    """

    name: str
    comparisons: tuple[Comparison, ...]
    cells: tuple[Cell, ...]
    gaps: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    splits: dict[str, dict[str, Any]]
    environment: dict[str, tuple[str, ...]]
    command: str
    flag: str
    declared: Lock | None
    contrasts: tuple[Contrast, ...]
    best: tuple[Best, ...]
    aggregate: Aggregate | None
    matrix: Matrix | None
    worth: tuple[Worth, ...]
    reach: tuple[Reach, ...]
    placebos: tuple[Comparison, ...]
    controls: tuple[ControlEffect, ...]
    beside: tuple[Comparison, ...]
    beside_cells: tuple[Cell, ...]
    reproduced: Summary | None
    sound: bool | None = None
    verified: str = ""
    statistics: tuple[str, ...] = ()
    folder: Path | None = None
    origins: tuple[tuple[str, int], ...] = ()
    protocols: tuple[ProtocolEffect, ...] = ()
    explained: tuple[Explained, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether any number comes from simulated data."""
        return Caution.SIMULATED in self.labels


def build(
    name: str,
    trials: Sequence[Trial],
    results: Mapping[str, Result],
    *,
    partial: bool = False,
    declared: Lock | None = None,
    folder: Path | None = None,
) -> Report:
    """Gather a report.

    Args:
        name: Of the study.
        trials: Its trials; rows of other trials are left out.
        results: Rows by key.
        partial: List gaps instead of refusing.
        declared: What lies outside of it is labelled exploratory.
        folder: Of the study, with its kept predictions.

    Raises:
        ComparisonError: For gaps (unless `partial`) or pairs on unequal terms.
    """
    main, others = by_protocol(trials)
    found = cells(main, results, partial=partial)
    pairs = baselines.joined(main) | ways.joined(main)
    joined = against(pairs, results, partial=partial)
    rows = [results[t.key] for t in main if t.key in results]
    report = of_cells(name, found, rows, joined, declared=declared, folder=folder)
    return _with_protocols(report, others, results, partial=partial) if others else report


def _with_protocols(
    report: Report, others: Sequence[Trial], results: Mapping[str, Result], *, partial: bool
) -> Report:
    """The report with gains under other protocols, which are corrected as a family of their own.

    Their rows' warnings stay out: they are those of the other protocol, and its table says so.
    """
    found = cells(others, results, partial=partial)
    compared = compare(found, report.declared)
    failed = [results[t.key] for t in others if t.key in results]
    return replace(
        report,
        gaps=tuple(dict.fromkeys([*report.gaps, *(gap for cell in found for gap in cell.gaps)])),
        failures=(*report.failures, *((r.key, r.error) for r in failed if r.status == "failed")),
        protocols=tuple(protocols.effects(report.comparisons, compared)),
    )


def of_cells(
    name: str,
    found: Sequence[Cell],
    rows: Sequence[Result],
    joined: Sequence[Cell] = (),
    *,
    declared: Lock | None = None,
    folder: Path | None = None,
) -> Report:
    """Gather a report from cells that are already joined; `rows` tell of failures and origins.

    `joined` are the cells whose first arm is not scratch.
    """
    whole = tuple(cell for cell in found if cell.pairs and not cell.trial.control)
    kept = _kept((*found, *joined), folder) if folder else {}
    comparisons = tuple(compare(whole, declared, kept))
    placebos = tuple(compare([cell for cell in found if cell.trial.control], declared, kept))
    controls = tuple(effects(comparisons, placebos, {r.key: r for r in rows}))
    families: dict[object, list[Cell]] = {}
    for cell in joined:
        if cell.pairs:
            families.setdefault(_family(cell), []).append(cell)
    beside = [c for family in families.values() for c in compare(family, declared, kept)]
    sound, said = in_words(read(folder), folder, name) if folder else (None, "")
    labels = {
        c.trial.key: sum(cell.pairs[0][0].sizes.get(part, 0) for part in ("train", "validation"))
        for c, cell in zip(comparisons, whole, strict=True)
    }
    flag = _flag(rows)
    return Report(
        name=name,
        comparisons=with_controls(comparisons, controls),
        cells=whole,
        gaps=tuple(dict.fromkeys(gap for cell in (*found, *joined) for gap in cell.gaps)),
        failures=tuple((r.key, r.error) for r in rows if r.status == "failed"),
        labels=tuple(
            dict.fromkeys(
                _of_rows(rows, {cell.trial.dataset for cell in (*found, *joined)})
                + [n for c in (*comparisons, *placebos, *beside) for n in c.labels]
            )
        ),
        splits={r.trial.dataset: r.split for r in rows if r.split},
        environment=_environment(rows),
        command=f"tsxfer run {name}{flag}",
        flag=flag,
        declared=declared,
        contrasts=tuple(contrasts(comparisons, declared)),
        best=tuple(best_sources(comparisons)),
        aggregate=aggregate(comparisons),
        matrix=matrix(comparisons),
        worth=tuple(labels_worth(comparisons, labels)),
        reach=_reach(comparisons),
        placebos=placebos,
        controls=controls,
        beside=tuple(beside),
        beside_cells=tuple(cell for family in families.values() for cell in family),
        reproduced=summary(folder, {r.key: r for r in rows}) if folder else None,
        sound=sound,
        verified=said,
        folder=folder,
        explained=tuple(explained(folder, comparisons, {r.key: r for r in rows})) if folder else (),
        origins=tuple(Counter(row.origin for row in rows if row.origin).most_common()),
    )


def _of_rows(rows: Sequence[Result], targets: set[str]) -> list[str]:
    """Labels of all rows; a source's own test part is no matter of the study."""
    return [
        label
        for row in rows
        for label in row.labels
        if row.trial.dataset in targets or label not in OF_TEST
    ]


def _kept(found: Sequence[Cell], folder: Path) -> dict[str, TestError]:
    """What kept predictions say of other test groups, one cell after the other: they are large."""
    read = ((c.name, from_predictions(c, folder / PREDICTIONS)) for c in found if c.pairs)
    return {name: error for name, error in read if error is not None}


def _family(cell: Cell) -> object:
    """Comparisons that are corrected together."""
    return cell.against is not None and cell.against.baseline is None, bool(cell.trial.reuse)


def _environment(rows: Sequence[Result]) -> dict[str, tuple[str, ...]]:
    versions: dict[str, set[str]] = {}
    for row in rows:
        for what, value in row.environment.items():
            versions.setdefault(what, set()).add(value)
    return {what: tuple(sorted(values)) for what, values in sorted(versions.items())}


def _reach(comparisons: Sequence[Comparison]) -> tuple[Reach, ...]:
    if not comparisons:
        return ()
    return reach(
        min(len(c.repeats) for c in comparisons),
        len(comparisons),
        len({c.trial.size for c in comparisons}),
        len({(c.source, c.trial.dataset) for c in comparisons}),
    )


def _flag(rows: Sequence[Result]) -> str:
    """What commands must say to find the code of the user's own that rows were made with."""
    if not any(name.endswith(".py") for row in rows for name in row.data):
        return ""
    return with_plugins("") or " --plugins FOLDER"
