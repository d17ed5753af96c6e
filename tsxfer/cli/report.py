"""Show and export what a study found; nothing here imports torch."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from tsxfer.api.studies import known_study
from tsxfer.core.doors import STATISTICS
from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.study_files import read_study
from tsxfer.errors import SpecError, nearest
from tsxfer.report import export, files, html, latex, text
from tsxfer.report.build import Report, build, of_cells
from tsxfer.stats.lock import read_lock
from tsxfer.store.files import put
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

TEXTS = {
    "markdown": files.markdown,
    "csv": files.table_csv,
    "latex": latex.render,
    "html": html.render,
}
FORMS = ("terminal", *TEXTS, "parquet")


@dataclass(frozen=True, slots=True)
class Choice:
    """How fine-tunings of a grid of multipliers are chosen; for studies that have one.

    Attributes:
        rule: ``best`` (the study's, on the test score), ``leave-one-out`` or a number; empty
            compares every multiplier by itself.
        drop: Repeats left out.
        statistics: What is stated of each comparison beside, by name.
    """

    rule: str = ""
    drop: tuple[int, ...] = ()
    statistics: tuple[str, ...] = ()


def show_report(
    named: str,
    form: str,
    out: Path | None,
    figures: Path | None,
    partial: bool,
    place: Workspace,
    choice: Choice,
) -> None:
    """Render a study's report to standard output or a file.

    Raises:
        SpecError: For an unknown study or format.
        ComparisonError: If rows are missing and `partial` is off.
    """
    if form not in FORMS:
        raise SpecError(f"unknown format {form!r}", mend=nearest(form, FORMS))
    report = gathered(named, place, partial, choice)
    report = replace(report, statistics=_stated(choice.statistics))
    if figures is not None:
        written = export.figures(report, figures)
        sys.stderr.write(f"wrote {len(written)} figures as SVG, PDF and PNG to {figures}\n")
    if form == "terminal":
        if figures is None:
            text.show(report)
    elif form == "parquet":
        if out is None:
            raise SpecError("parquet is not text", mend="name a file with --out rows.parquet")
        _write(out, export.parquet(report))
    elif out is None:
        sys.stdout.write(TEXTS[form](report))
    else:
        _write(out, TEXTS[form](report).encode())


def _stated(given: tuple[str, ...]) -> tuple[str, ...]:
    """Names of statistics: ``a,b`` and several words; ``all`` means every one that is known."""
    names = [part.strip() for word in given for part in word.split(",") if part.strip()]
    known = STATISTICS.names()
    for name in names:
        if name not in (*known, "all"):
            raise SpecError(f"unknown statistic {name!r}", mend=nearest(name, known))
    return tuple(known if "all" in names else dict.fromkeys(names))


def show_method(named: str, form: str, out: Path | None, place: Workspace, choice: Choice) -> None:
    """The tables of Otović et al. 2022 by their own method, from any study with a grid."""
    from tsxfer.paper.pages import gates_text, study_text

    rows = Store.of(place, known_study(named, place)).rows().values()
    page = study_text(rows, multiplier=choice.rule or "best", drop=choice.drop, form=form)
    page += "\nGates:\n" + gates_text(rows)
    if out is None:
        sys.stdout.write(page)
    else:
        _write(out, page.encode())


def gathered(named: str, place: Workspace, partial: bool, choice: Choice | None = None) -> Report:
    """The report of a study that was run here."""
    folder = place.results(known_study(named, place))
    study = read_study(folder / "study.toml")
    rows = Store(folder, place).rows()
    if choice is not None and (choice.rule or choice.drop):
        return _chosen(study.name, rows.values(), choice)
    return build(
        study.name,
        expand(study),
        rows,
        partial=partial,
        declared=read_lock(folder),
        folder=folder,
    )


def _chosen(name: str, rows: Collection[Result], choice: Choice) -> Report:
    """One fine-tuning for each pair and repeat, chosen by a rule, in tsxfer's own statistics."""
    from tsxfer.paper import grid, select

    rule = select.parse(choice.rule or "best")
    chosen = select.choose(grid.build(rows), rule, drop=choice.drop)
    dropped = f", without repeat {', '.join(map(str, choice.drop))}" if choice.drop else ""
    title = f"{name} (multiplier {choice.rule or 'best'}{dropped})"
    cells = [select.marked(one.cell) if rule == "best" else one.cell for one in chosen]
    return of_cells(title, cells, list(rows))


def _write(out: Path, page: bytes) -> None:
    put(out, page, "the report")
    sys.stderr.write(f"wrote {out}\n")
