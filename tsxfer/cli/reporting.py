"""Show and export what a study found; nothing here imports torch."""

from __future__ import annotations

import sys
from pathlib import Path

from tsxfer.errors import SpecError, StoreError, nearest
from tsxfer.report import export, files, html, text
from tsxfer.report.build import Report, build
from tsxfer.stats.lock import read_lock
from tsxfer.store import Store
from tsxfer.study import expand, read_study
from tsxfer.workspace import Workspace

TEXTS = {
    "markdown": files.markdown,
    "csv": files.table_csv,
    "latex": files.latex,
    "html": html.render,
}
FORMS = ("terminal", *TEXTS, "parquet")


def show_report(
    named: str, form: str, out: Path | None, figures: Path | None, partial: bool, place: Workspace
) -> None:
    """Render a study's report to standard output or a file.

    Raises:
        SpecError: For an unknown study or format.
        ComparisonError: If rows are missing and `partial` is off.
    """
    if form not in FORMS:
        raise SpecError(f"unknown format {form!r}", mend=nearest(form, FORMS))
    report = gathered(named, place, partial)
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


def gathered(named: str, place: Workspace, partial: bool) -> Report:
    """The report of a study that was run here.

    Raises:
        SpecError: If there is none of that name.
    """
    name = Path(named).stem if named.endswith(".toml") else named
    if name not in place.studies():
        raise SpecError(
            f"no study called {name!r} in {place.root}", mend=nearest(name, place.studies())
        )
    folder = place.results(name)
    study = read_study(folder / "study.toml")
    return build(
        study.name,
        expand(study),
        Store(folder).rows(),
        partial=partial,
        declared=read_lock(folder),
        folder=folder,
    )


def _write(out: Path, page: bytes) -> None:
    try:
        out.write_bytes(page)
    except OSError as error:
        raise StoreError(
            f"the report cannot be written: {error.strerror}",
            where=str(out),
            mend="choose another --out",
        ) from None
    sys.stderr.write(f"wrote {out}\n")
