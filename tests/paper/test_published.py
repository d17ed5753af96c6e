"""The study's printed tables, from its raw results: every cell in its digits and marks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.study import Study
from tsxfer.paper import claims, evidence, grid, method, pages, raw, rough, tables
from tsxfer.paper.grid import Grid
from tsxfer.paper.method import Entry
from tsxfer.paper.select import Chosen, choose, parse

HERE = Path(__file__).resolve().parent
README = HERE.parents[1] / "experiments" / "paper" / "README.md"
NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
Published = tuple[Study, list[Result]]
Table = dict[tuple[str, str], str]  # (row title, column title) -> text, "-" left out


@cache
def printed() -> dict[str, Table]:
    """The printed tables by heading, e.g. ``5.1 performance best``."""
    found: dict[str, Table] = {}
    for block in (HERE / "published_tables.txt").read_text(encoding="utf-8").split("\n= ")[1:]:
        title, head, *lines = block.strip().splitlines()
        columns = head.split(" | ")[1:]
        rows = [line.split(" | ") for line in lines]
        found[title] = {
            (name, column): text
            for name, *cells in rows
            for column, text in zip(columns, cells, strict=True)
            if text != "-"
        }
    return found


@pytest.fixture(scope="module")
def built(published: Published) -> Grid:
    """All rows in their places."""
    return grid.build(published[1])


def _table(built: Grid, entries: list[Entry], text: Callable[[Entry], str]) -> Table:
    head, *rows = tables.rows(entries, text, sources=built.sources, columns=built.columns)
    return {
        (row[0], column): cell
        for row in rows
        for column, cell in zip(head[1:], row[1:], strict=True)
        if cell != "-"
    }


def _entries(built: Grid, title: str) -> list[Entry]:
    number, measure, rule = title.split()
    assert measure in method.MEASURES
    chosen = _chosen(built, rule, 6 if number == "6.6" else 7)
    make = method.main_table if number in ("5.1", "5.2", "6.6") else method.model_table
    return make(chosen, "performance" if measure == "performance" else "convergence")


def _chosen(built: Grid, rule: str, runs: int) -> list[Chosen]:
    return choose(built, parse(rule), drop=(6,) if runs == 6 else ())


@pytest.mark.parametrize("title", ["5.1 performance best", "5.2 convergence best"])
def test_the_main_tables_in_every_digit_and_mark(built: Grid, title: str) -> None:
    """60 cells each: 120 of 120."""
    found = _table(built, _entries(built, title), tables.main_text)
    assert len(found) == 60
    assert found == printed()[title]


@pytest.mark.parametrize("title", ["5.3 performance best", "5.4 convergence best"])
def test_the_model_tables_in_every_digit_and_mark(built: Grid, title: str) -> None:
    """240 cells each, with their p."""
    found = _table(built, _entries(built, title), tables.model_text)
    assert len(found) == 240
    assert found == printed()[title]


def _one_decimal(entry: Entry) -> str:
    digits = f"{entry.gain:.0f}" if abs(entry.gain) >= 100 else f"{entry.gain:.1f}"
    return digits + entry.mark


@pytest.mark.parametrize("title", [title for title in printed() if title.startswith("6.6")])
def test_the_cleaned_tables(built: Grid, title: str) -> None:
    """Six tables without repeat 6, in the digits of the re-analysis."""
    assert _table(built, _entries(built, title), _one_decimal) == printed()[title]


def test_wins_and_losses(built: Grid) -> None:
    """Section 5.5: performance 204/36, by model 51/9, 54/6, 51/9, 48/12; convergence 153/87."""
    chosen = _chosen(built, "best", 7)
    assert method.counts(chosen, "performance") == method.Counts(204, 36)
    assert method.counts(chosen, "convergence") == method.Counts(153, 87)
    by_model = {
        model: method.counts([c for c in chosen if c.place.model == model], "performance")
        for model in built.models
    }
    wins = {"convnetquake": 51, "magnet": 54, "mlstm_fcn": 51, "tcn": 48}
    assert by_model == {m: method.Counts(w, 60 - w) for m, w in wins.items()}


def _is(*domains: str) -> Callable[[str], bool]:
    return lambda target: evidence.domain(target).split()[-1] in domains


SEISMIC, FINANCE, REST = _is("earthquakes"), _is("finance"), _is("speech", "medicine")
ALL = _is("earthquakes", "finance", "speech", "medicine")


@pytest.mark.parametrize(
    ("rule", "runs", "targets", "cells", "pairs"),
    [
        ("best", 7, ALL, (204, 36), (44, 3)),
        ("best", 7, SEISMIC, (95, 25), (15, 3)),
        ("best", 7, FINANCE, (39, 1), (10, 0)),
        ("best", 7, REST, (70, 10), (19, 0)),
        ("best", 6, ALL, (182, 58), (42, 3)),
        ("best", 6, SEISMIC, (73, 47), (13, 3)),
        ("best", 6, FINANCE, (39, 1), (10, 0)),
        ("leave-one-out", 6, ALL, (152, 88), (35, 9)),
        ("leave-one-out", 6, SEISMIC, (59, 61), (8, 9)),
        ("leave-one-out", 6, FINANCE, (30, 10), (9, 0)),
        ("leave-one-out", 6, REST, (63, 17), (18, 0)),
        ("1.0", 6, ALL, (122, 118), (19, 16)),
        ("1.0", 6, SEISMIC, (46, 74), (3, 12)),
        ("1.0", 6, FINANCE, (13, 27), (1, 4)),
        ("1.0", 6, REST, (63, 17), (15, 0)),
    ],
)
def test_the_cleaned_counts(
    built: Grid,
    rule: str,
    runs: int,
    targets: Callable[[str], bool],
    cells: tuple[int, int],
    pairs: tuple[int, int],
) -> None:
    """Section 6.6: cells won and lost, pairs better and worse after correction over all 60."""
    chosen = _chosen(built, rule, runs)
    marks = [e.mark for e in method.main_table(chosen, "performance") if targets(e.target)]
    kept = [c for c in chosen if targets(c.place.target)]
    assert method.counts(kept, "performance") == method.Counts(*cells)
    assert (marks.count("▲"), marks.count("▼")) == pairs


@pytest.mark.parametrize(
    ("rule", "runs", "cells"),
    [
        ("best", 7, (43, 5)),
        ("best", 6, (36, 12)),
        ("leave-one-out", 6, (29, 19)),
        ("1.0", 6, (26, 22)),
    ],
)
def test_counts_inside_seismology(
    built: Grid, rule: str, runs: int, cells: tuple[int, int]
) -> None:
    """Section 6.6, last line."""
    chosen = _chosen(built, rule, runs)
    inside = [c for c in chosen if SEISMIC(c.place.source) and SEISMIC(c.place.target)]
    assert method.counts(inside, "performance") == method.Counts(*cells)


def test_convergence_rates_are_the_published_ones(published_files: Path, built: Grid) -> None:
    """The rate of every curve is the one that the study stored, to 2e-5."""
    import pandas as pd

    runs = pd.read_parquet(published_files / raw.RUNS)
    stored = {
        (raw.MODELS[r.model], r.target, r.size, r.run): r.convergence_rate
        for r in runs[runs["source"] == "none"].itertuples()
    }
    for baseline, by_repeat in built.scratch.items():
        target = next(s.published for s in raw.SETS.values() if s.name == baseline.target)
        for repeat, row in by_repeat.items():
            key = (baseline.model, target, int(baseline.size[2:]), repeat)
            assert method.convergence_rate(row) == pytest.approx(stored[key], abs=2e-5)


def test_the_study_expands_to_the_rows(published: Published) -> None:
    """17,136 rows, 24 pretrainings without one, and no trial beyond."""
    study, rows = published
    keys = {row.key for row in rows}
    assert len(keys) == len(rows) == 17_136
    missing = [trial for trial in expand(study) if trial.key not in keys]
    assert len(missing) == 24
    assert all(trial.reuse is None and trial.size == "all" for trial in missing)


@pytest.fixture(scope="module")
def found(published: Published) -> evidence.Evidence:
    """Gates and views of the published rows."""
    return evidence.evidence(published[1])


def test_the_seventh_repeat_is_found(found: evidence.Evidence) -> None:
    """Section 6.1: repeat 6 and no other, with error that rises only there."""
    (bad,) = found.gates.repeats
    assert bad.repeat == 6
    assert bad.worst > 0.85
    assert (bad.rising, bad.rising_elsewhere) == (19 / 32, 0.0)


def test_magnet_is_found_and_the_others_are_spared(found: evidence.Evidence) -> None:
    """Section 6.4: only multiplier 1 of MagNet is to be trusted."""
    (rough,) = found.gates.rough
    assert (rough.model, rough.multiplier, rough.trusted) == ("magnet", 1.0, (1.0,))
    assert len(rough.columns) == 10


def test_magnet_is_found_with_the_seventh_repeat_too(built: Grid) -> None:
    """The finding does not hang on dropping it."""
    assert [one.model for one in rough.rough_grids(built)] == ["magnet"]


def test_baselines_at_chance_are_found(found: evidence.Evidence) -> None:
    """Section 6.3: three models on speech, ConvNet on EMG; no seismic one but TCN on LOMAX 1.5k."""
    bad = {
        (b.model, tables.short(b.target), tables.size_text(b.size))
        for b in (one.baseline for one in found.gates.baselines)
    }
    speech = {(m, "speech", s) for m in ("convnetquake", "magnet", "tcn") for s in ("1k5", "9k")}
    emg = {("convnetquake", "emg", s) for s in ("1k5", "9k")}
    prices = {("convnetquake", "sp500", "1k5"), ("mlstm_fcn", "sp500", "1k5")}
    assert bad == speech | emg | prices | {("tcn", "lomax", "1k5")}


def test_claims_agree_with_the_re_analysis(found: evidence.Evidence) -> None:
    """What section 7 says survives, and what does not."""
    verdicts = {c.name: c.verdict for c in claims.check_claims(found)}
    assert verdicts["global to local"] == "supported"
    assert verdicts["harmless"] == "contradicted"
    assert verdicts["raises"] != "supported"
    assert verdicts["speech gains more"] == verdicts["medicine gains more"] == "undecided"
    assert verdicts["local to global"] == "undecided"


def test_the_page_lists_the_verdicts_that_the_rows_give(found: evidence.Evidence) -> None:
    """The list in experiments/paper/README.md is what the checker prints."""
    text = README.read_text(encoding="utf-8")
    listed = re.findall(r"^\| \*\*(\w+)\*\* \| (.+?) \|", text, flags=re.MULTILINE)
    now = [(c.verdict, f"{c.says} ({c.origin})") for c in claims.check_claims(found)]
    assert listed == now


def test_the_figures_are_those_that_the_rows_give(found: evidence.Evidence) -> None:
    """The SVG files beside the page are what the code draws, to half a pixel of another Vega."""
    spec = spec_from_file_location("figures_of_the_paper", README.parent / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    figures = module_from_spec(spec)
    spec.loader.exec_module(figures)
    for name, drawn in figures.draw(found).items():
        kept = (README.parent / name).read_text(encoding="utf-8")
        assert re.sub(NUMBER, "0", kept) == re.sub(NUMBER, "0", drawn)
        ends = [[float(n) for n in re.findall(NUMBER, text)] for text in (kept, drawn)]
        assert ends[0] == pytest.approx(ends[1], abs=0.5)


def test_the_study_page_prints_all_four_tables(published: Published) -> None:
    """Main and model tables of both measures, in one text."""
    text = pages.study_text(published[1])
    cells = {
        re.sub(r"\s+", "", cell)
        for t in ("5.1 performance best", "5.3 performance best")
        for cell in printed()[t].values()
    }
    assert all(cell in re.sub(r"\s+", "", text) for cell in cells)
