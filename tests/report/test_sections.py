"""The tables beside the result table, the figures, and the exports for papers."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.rows import matrix, study
from tsxfer.core.cautions import Caution
from tsxfer.report import export, files, html
from tsxfer.report.build import Report, build
from tsxfer.report.sections import sections
from tsxfer.report.tables.marks import verdict_matrix
from tsxfer.stats.lock import lock

SOURCES, TARGETS = ["a@1", "b@1", "c@1"], ["x@1", "y@1", "z@1"]


@pytest.fixture(scope="module")
def report() -> Report:
    """Three sources and targets, two sizes: source a helps, b does nothing, c harms."""
    gains = np.zeros((3, 3, 2, 7))
    gains[0], gains[2] = 4.0, -4.0
    trials, rows = matrix(SOURCES, TARGETS, gains, sizes=("n=1500", "n=9000"), curve=True)
    declared = lock("demo", trials, 7, dict.fromkeys(TARGETS, 1.0), dict.fromkeys(TARGETS, "mae"))
    made = {k: replace(r, analysis=declared.digest) for k, r in rows.items()}
    return build("demo", trials, made, declared=declared)


def test_every_table_is_there_and_square(report: Report) -> None:
    """All sections that this study can fill are there, with as many cells as titles."""
    found = {s.title: s for s in sections(report)}
    assert set(found) >= {
        "Headline contrasts",
        "Summary of the table",
        "Best source",
        "Convergence",
        "Worth in labels",
        "Negative transfer",
        "Power",
        "What was not decidable",
        "Beyond these data sets",
        "Declared before the first row",
    }
    assert all(len(row) == len(s.header) for s in found.values() for row in s.rows)


def test_negative_transfer_lists_what_did_harm(report: Report) -> None:
    """The six comparisons of source c are listed, and nothing else."""
    rows = next(s.rows for s in sections(report) if s.title == "Negative transfer")
    assert len(rows) == 6
    assert all(row[0].startswith("c@1 → ") for row in rows)


def test_the_undecided_say_what_they_could_have_missed(report: Report) -> None:
    """Each undecided comparison shows a detectable difference above zero."""
    rows = next(s.rows for s in sections(report) if s.title == "What was not decidable")
    assert rows
    assert all(float(row[3]) > 0 for row in rows)


def test_the_verdict_matrix_shows_marks_by_source_and_target(report: Report) -> None:
    """One table a size; source a is up everywhere and c is down."""
    tables = verdict_matrix(report.comparisons)
    assert len(tables) == 2
    for table in tables:
        by = {row[0]: row[1:] for row in table.rows}
        assert all(cell.startswith("▲") for cell in by["a@1"])
        assert all(cell.startswith("▼") for cell in by["c@1"])


def test_page_and_markdown_hold_every_section(report: Report) -> None:
    """What one format says, the other says too."""
    page, text = html.render(report), files.markdown(report)
    for section in sections(report):
        assert f">{section.title}</h2>" in page
        assert f"## {section.title}" in text


def test_every_comparison_names_its_rows_and_their_command(report: Report) -> None:
    """Keys of both arms and the command that runs exactly them are on the page."""
    page = html.render(report)
    for c in report.comparisons:
        assert all(a in page and b in page for a, b in c.keys)
    assert "tsxfer reproduce" in page


def test_the_parquet_has_every_run(report: Report) -> None:
    """One row an arm, repeat and comparison; scores are those of the report."""
    table = pd.read_parquet(io.BytesIO(export.parquet(report)))
    assert len(table) == 2 * 7 * len(report.comparisons)
    first = report.comparisons[0]
    own = table[(table.study_key == first.trial.key) & (table.arm == "transfer")]
    assert own.sort_values("repeat").score.tolist() == list(first.transfer)


def test_copies_in_a_source_are_no_caveat_of_the_target() -> None:
    """What a pretraining's own test part holds is not said of the study, but of a target it is."""
    trials, rows = study(3, [0.5, 0.52, 0.51], [0.6, 0.61, 0.63])
    origin = next(t.reuse.source for t in trials if t.reuse)
    copied = (Caution.NEAR_DUPLICATES,)
    source = replace(next(iter(rows.values())), trial=origin, labels=copied)
    report = build("s", [*trials, origin], rows | {origin.key: source})
    assert Caution.NEAR_DUPLICATES not in report.labels
    told = {key: replace(row, labels=copied) for key, row in rows.items()}
    assert Caution.NEAR_DUPLICATES in build("s", trials, told).labels
