"""Networks against baselines: who meets whom, on which terms, in which family and words."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.specs import NO_BACKBONE, OF_A_BACKBONE, Trial
from tsxfer.core.study import Study
from tsxfer.errors import ComparisonError
from tsxfer.report import export, files, html, latex
from tsxfer.report.build import Report, build
from tsxfer.report.sections import sections
from tsxfer.report.tables.beside import against_in_words
from tsxfer.report.text import show
from tsxfer.stats.baselines import joined
from tsxfer.stats.cells import against
from tsxfer.stats.compare import compare
from tsxfer.stats.contrasts import contrasts
from tsxfer.stats.lock import lock, read_lock, write_lock

REPEATS = 6
STUDY = Study(
    "demo",
    ("a@1", "b@1"),
    ("x@1",),
    models=("tcn", "magnet"),
    sizes=("n=100", "n=200"),
    repeats=REPEATS,
    controls=("permuted", "whole"),
    baselines=("trivial", "minirocket", "random_convolutions", "strong"),
)
LEVEL = {"trivial": 0.2, "minirocket": 0.8, "random_convolutions": 0.5, "strong": 0.6}


def _rows(study: Study = STUDY) -> tuple[list[Trial], dict[str, Result]]:
    """Scratch at 0.6, transfer at 0.7, baselines at their level; a little noise."""
    draw, trials = np.random.default_rng(0), expand(study)
    rows = {}
    for trial in trials:
        base = 0.7 if trial.reuse else LEVEL.get(trial.baseline or "", 0.6)
        score = base + draw.normal(0, 0.01)
        ledger = {"steps": 0 if trial.baseline else 9, "batch": 64, "tries": 1}
        rows[trial.key] = Result(
            trial=trial,
            status="done",
            metric="macro_f1",
            margin=0.02,
            scores={"macro_f1": score},
            chance={"macro_f1": 0.25},
            sizes={"train": 80, "validation": 20, "test": 50},
            data={trial.dataset: "f" * 16},
            subset=f"{trial.size} {trial.repeat}",
            alignment="t",
            ledger=ledger,
            loss="squared error" if trial.baseline else "cross-entropy",
            environment={"tsxfer": "test"},
        )
    return trials, rows


@pytest.fixture(scope="module")
def report() -> Report:
    """The report of all of it, under its declared analysis."""
    trials, rows = _rows()
    declared = lock("demo", trials, REPEATS, {"x@1": 0.02}, {"x@1": "macro_f1"})
    made = {key: replace(row, analysis=declared.digest) for key, row in rows.items()}
    return build("demo", trials, made, declared=declared)


def test_who_meets_whom() -> None:
    """A baseline meets every network of its labels; one of a backbone its own backbone alone."""
    for pairs in joined(expand(STUDY)).values():
        assert [baseline.repeat for baseline, _ in pairs] == list(range(REPEATS))
        for baseline, network in pairs:
            assert (baseline.dataset, baseline.size, baseline.repeat) == (
                network.dataset,
                network.size,
                network.repeat,
            )
            assert not network.control
            assert network.baseline is None
            own = baseline.model == network.model
            assert own if baseline.baseline in OF_A_BACKBONE else baseline.model == NO_BACKBONE
    trials, rows = _rows()
    cells = against(joined(trials), rows)
    scratch = [cell for cell in cells if cell.trial.reuse is None]
    assert len(scratch) == 2 * 2 * 4  # models, sizes, baselines
    assert len(cells) - len(scratch) == 2 * 2 * 2 * 4  # and sources
    assert all(len(cell.pairs) == REPEATS for cell in cells)


@pytest.mark.parametrize("term", ["subset", "sizes", "margin", "alignment", "metric", "data"])
def test_unequal_terms_are_refused(term: str) -> None:
    """Labels, split, test and data must be the same; ledger and loss differ by nature."""
    trials, rows = _rows()
    key = next(t.key for t in trials if t.baseline == "minirocket")
    other = {"sizes": {"train": 1}, "margin": 0.5, "data": {"x@1": "0" * 16}}
    rows[key] = replace(rows[key], **{term: other.get(term, "other")})
    with pytest.raises(ComparisonError, match=f"differ in {term}"):
        against(joined(trials), rows)


def test_a_missing_row_is_a_gap() -> None:
    """It is refused, or listed with the baseline's name where partial reports are asked for."""
    trials, rows = _rows()
    gone = next(t for t in trials if t.baseline == "strong")
    del rows[gone.key]
    with pytest.raises(ComparisonError, match="strong has not run"):
        build("demo", trials, rows)
    found = build("demo", trials, rows, partial=True)
    assert any("strong has not run" in gap for gap in found.gaps)
    assert {len(c.scratch) for c in found.beside} == {REPEATS, REPEATS - 1}


def test_differences_are_the_networks(report: Report) -> None:
    """Positive where the network is better; the verdicts are the usual ones."""
    by = {(c.against.baseline, bool(c.trial.reuse)): c for c in report.beside if c.against}
    assert by["minirocket", True].difference == pytest.approx(-0.1, abs=0.02)
    assert by["minirocket", True].verdict == by["minirocket", False].verdict == "worse"
    assert by["random_convolutions", False].verdict == "better"
    assert by["strong", False].verdict not in ("better", "worse")
    words = against_in_words(by["minirocket", True])
    assert words == "transfer is worse than ridge on MiniRocket features (for these test instances)"
    assert against_in_words(by["strong", False]).startswith(("undecided", "scratch is"))


def test_baselines_stand_in_no_other_table(report: Report) -> None:
    """Contrasts, best source, aggregate, comparisons are those of the study without baselines."""
    trials, rows = _rows()
    plain = [t for t in trials if t.baseline is None]
    bare = build("demo", plain, rows)
    full = build("demo", trials, rows)
    for name in ("comparisons", "contrasts", "best", "aggregate", "matrix", "placebos", "worth"):
        assert getattr(full, name) == getattr(bare, name), name
    assert bare.beside == ()
    assert contrasts(full.comparisons) == list(full.contrasts)


def test_each_family_is_corrected_alone() -> None:
    """Scratch's comparisons do not change with those of transfer, nor either with the controls."""
    trials, rows = _rows()
    cells = against(joined(trials), rows)
    for transfers in (False, True):
        alone = compare([cell for cell in cells if bool(cell.trial.reuse) == transfers])
        found = build("demo", trials, rows).beside
        assert [c for c in found if bool(c.trial.reuse) == transfers] == alone


def test_the_declared_analysis_names_them(report: Report, tmp_path: Path) -> None:
    """The lock lists each comparison; without baselines its digest is what it was."""
    trials, _ = _rows()
    declared = report.declared
    assert declared is not None
    assert len(declared.baselines) == len(report.beside)
    assert not any("exploratory" in c.labels for c in report.beside)
    write_lock(declared, tmp_path)
    assert read_lock(tmp_path) == declared
    terms = (REPEATS, {"x@1": 0.02}, {"x@1": "macro_f1"})
    plain = lock("demo", [t for t in trials if t.baseline is None], *terms)
    assert plain == replace(declared, baselines=())
    assert plain.digest != declared.digest
    _, rows = _rows()
    made = {k: replace(r, analysis=plain.digest) for k, r in rows.items()}
    late = build("demo", trials, made, declared=plain)
    assert all("exploratory" in c.labels for c in late.beside)
    assert not any("exploratory" in c.labels for c in late.comparisons)


TITLES = ("Baselines", "Transfer against baselines")


def test_every_format_carries_them(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    """Terminal, Markdown, LaTeX and HTML have both tables; CSV and parquet have their rows."""
    found = {s.title: s for s in sections(report)}
    for title in TITLES:
        assert found[title].rows
        assert all(len(row) == len(found[title].header) for row in found[title].rows)
        for page in (files.markdown(report), latex.render(report), html.render(report)):
            assert title in page
    show(report)
    said = capsys.readouterr().out
    assert all(title in said for title in TITLES)
    table = list(csv.DictReader(io.StringIO(files.table_csv(report))))
    against = [row["against"] for row in table]
    assert against.count("scratch") == len(report.comparisons) + len(report.placebos)
    assert len(against) == against.count("scratch") + len(report.beside)
    frame = pd.read_parquet(io.BytesIO(export.parquet(report)))
    assert set(frame["against"]) == {"scratch", *LEVEL}
    assert set(frame["arm"]) == {"scratch", "transfer", *LEVEL}
    rocket = frame[frame["arm"] == "minirocket"]
    assert set(rocket["model"]) == {NO_BACKBONE}
    assert (rocket["score"] > 0.7).all()


def test_a_trivial_answer_raises_no_alarm(report: Report) -> None:
    """It is at chance by what it is; a network that is no better still does."""
    trials, rows = _rows()
    for key, row in rows.items():
        low = row.trial.baseline == "trivial" or row.trial.reuse is not None
        rows[key] = replace(row, scores={"macro_f1": 0.25}) if low else row
    found = build("demo", trials, rows).beside
    trivial = [c for c in found if c.against and c.against.baseline == "trivial"]
    assert all(not any("trivial" in note for note in c.notes) for c in trivial)
    assert any("transfer at chance" in note for c in trivial for note in c.notes)
