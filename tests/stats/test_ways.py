"""Ways of transfer against the first one: which pairs are made, and what the report says."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from tests.rows import noise
from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.core.strategy import Strategy, named
from tsxfer.core.study import Study
from tsxfer.errors import ComparisonError
from tsxfer.report import files, latex
from tsxfer.report.build import build
from tsxfer.report.sections import sections
from tsxfer.stats import ways
from tsxfer.stats.cells import against
from tsxfer.stats.lock import lock, read_lock, write_lock

WIDE = Study(
    name="s",
    sources=("a@1", "b@1"),
    targets=("x@1",),
    models=("tcn",),
    sizes=("n=100",),
    repeats=6,
    source_size="n=500",
    strategies=(Strategy(), named("probe")),
    objectives=("labels", "masked"),
    combine=("average",),
    controls=("permuted",),
)


def _rows(gains: dict[str, float]) -> tuple[list[Trial], dict[str, Result]]:
    """Rows in which a way's words say what it gains over scratch."""
    trials, chance = expand(WIDE), noise(0, (1000,))
    rows = {}
    for trial, drawn in zip(trials, chance, strict=False):
        way = trial.reuse.strategy.words if trial.reuse else ""
        score = 0.5 + 0.01 * float(drawn) + (gains.get(way, 0.0) if trial.reuse else 0.0)
        rows[trial.key] = Result(
            trial=trial,
            status="done",
            metric="macro_f1",
            margin=0.02,
            scores={"macro_f1": score},
            chance={"macro_f1": 0.05},
            curve={},
            sizes={"train": 80, "validation": 20, "test": 50},
            data={"x@1": "f" * 16},
            split={},
            subset=f"s{trial.repeat}",
            ledger={"steps": 10, "batch": 64, "tries": 1},
            environment={"tsxfer": "test"},
        )
    return trials, rows


def test_each_way_meets_the_first_of_its_source() -> None:
    """The first way is that of the study's first strategy and objective; controls are no ways."""
    pairs = ways.joined(expand(WIDE))
    assert all(len(repeats) == 6 for repeats in pairs.values())
    first = {repeats[0][0].source for repeats in pairs.values()}
    assert first == {"a@1", "b@1"}
    for repeats in pairs.values():
        for reference, way in repeats:
            assert reference.repeat == way.repeat
            assert reference.twin() == way.twin()
            assert reference.reuse is not None
            assert reference.reuse.strategy == Strategy()
            assert not way.control
    of_a = {
        (way.source, way.reuse.strategy.words)
        for repeats in pairs.values()
        for reference, way in repeats
        if way.reuse and reference.source == "a@1"
    }
    single = {("a@1", "probe"), ("a@1 (masked)", ""), ("a@1 (masked)", "probe")}
    average = {("a@1 & b@1" + end, how) for end in ("", " (masked)") for how in ("", "probe")}
    assert of_a == single | average


def test_a_better_way_is_found_and_declared() -> None:
    """A way that gains more than the first is better than it, in a family of its own."""
    trials, rows = _rows({"probe": 0.1})
    declared = lock("s", trials, 6, {"x@1": 0.02}, {"x@1": "macro_f1"})
    rows = {key: replace(row, analysis=declared.digest) for key, row in rows.items()}
    report = build("s", trials, rows, declared=declared)
    found = {
        (c.trial.source, c.trial.reuse.strategy.words): c for c in report.beside if c.trial.reuse
    }
    assert len(report.beside) == len(declared.ways) == len(found)
    assert found["a@1", "probe"].verdict == "better"
    assert found["a@1", "probe"].difference == pytest.approx(0.1, abs=0.02)
    assert found["a@1 (masked)", ""].verdict != "better"
    assert not any("exploratory" in c.labels for c in report.beside)
    undeclared = build("s", trials, rows, declared=replace(declared, ways=()))
    assert all("exploratory" in c.labels for c in undeclared.beside)


def test_the_report_shows_ways_in_every_format(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A table with both ways by name; a study of one way has none."""
    trials, rows = _rows({"probe": 0.1})
    report = build("s", trials, rows)
    table = next(s for s in sections(report) if s.title == "Ways of transfer")
    assert table.rows[0][:2] == ("a@1 → x@1, tcn probe, 100", "a@1")
    assert "Ways of transfer" in latex.render(report)
    assert "Ways of transfer" in files.markdown(report)
    lines = list(csv.DictReader(io.StringIO(files.table_csv(report))))
    assert lines[-1]["against"] == "a@1"
    plain = replace(WIDE, strategies=(Strategy(),), objectives=("labels",), combine=())
    assert not ways.joined(expand(plain))
    declared = lock("s", trials, 6, {"x@1": 0.02}, {"x@1": "macro_f1"})
    write_lock(declared, tmp_path)
    assert read_lock(tmp_path) == declared


def test_a_missing_way_is_a_gap() -> None:
    """A row that is not there is named, and refused unless a partial report was asked for."""
    trials, rows = _rows({})
    gone = next(t for t in trials if t.reuse and t.reuse.strategy == named("probe"))
    del rows[gone.key]
    with pytest.raises(ComparisonError):
        build("s", trials, rows)
    assert build("s", trials, rows, partial=True).gaps


def test_a_null_table_of_ways_seldom_names_one() -> None:
    """With equal ways the family's false discovery rate is kept: at most a few of 20 tables."""
    found = 0
    for seed in range(20):
        trials, rows = _rows({})
        draw = np.random.default_rng(seed)
        rows = {
            k: replace(r, scores={"macro_f1": 0.5 + 0.02 * float(draw.normal())})
            for k, r in rows.items()
        }
        beside = build("s", trials, rows).beside
        found += any(c.verdict in ("better", "worse") for c in beside)
    assert found <= 4


def test_unequal_ways_are_named_by_what_they_are() -> None:
    """The refusal calls a way by its source and strategy, with its key, and no baseline."""
    trials, rows = _rows({})
    one = next(t for t in trials if t.reuse and t.reuse.strategy == named("probe"))
    rows[one.key] = replace(rows[one.key], subset="other")
    said = f"{one.source}, probe \\({one.key}\\) differ in subset"
    with pytest.raises(ComparisonError, match=said) as refused:
        against(ways.joined(trials), rows)
    assert "baseline" not in str(refused.value)
