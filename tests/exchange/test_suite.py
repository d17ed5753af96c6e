"""The committed suite: it verifies, is what its pages say, and is read without training."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import tsxfer
from tsxfer.checks.verify import passed
from tsxfer.core.expansion import expand
from tsxfer.core.strategy import Strategy
from tsxfer.core.study_files import read_study
from tsxfer.exchange.checking import check
from tsxfer.exchange.finding import SUITES, find, suite_folder
from tsxfer.exchange.sets import ResultSet
from tsxfer.exchange.writing import _arm, board_page, summary
from tsxfer.ranking.kept import read
from tsxfer.store.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> ResultSet:
    """The rows that come with the package."""
    return find("real@1", Workspace(tmp_path_factory.mktemp("none")))


def test_the_suite_passes_every_check(suite, tmp_path):
    """All that can be told by reading holds for every committed row."""
    checked = check(suite, Workspace(tmp_path))
    assert {name for name, _ in checked} == {part.study for part in suite.parts}
    for name, checks in checked:
        assert passed(checks), (name, [c.faults for c in checks if c.faults])


def test_its_rows_are_those_of_its_study_files(suite):
    """Each study of the rows has its file in the folder, with the same trials, declared before."""
    files = {read_study(p).name: read_study(p) for p in (ROOT / "experiments/real").glob("*.toml")}
    for part in suite.parts:
        written, ran = files[part.study], part.spec
        for axis in ("models", "sizes", "repeats", "pretrainings", "recipe", "pretraining",
                     "controls", "baselines", "strategies"):  # fmt: skip
            assert getattr(written, axis) == getattr(ran, axis), (part.study, axis)
        assert part.declared is not None
        assert {row.key for row in part.rows} <= {trial.key for trial in expand(ran)}


def test_no_row_is_simulated(suite):
    """A suite of real data holds no row that any simulation took part in."""
    assert not [row.key for row in suite.rows if any("+sim" in n for n in row.trial.datasets)]


def test_pretrainings_are_told_from_scratch(suite):
    """What others start from is counted as pretraining, never among the scratch runs."""
    lines = summary(suite).splitlines()
    speech = [line for line in lines if line.startswith("  speech@1 ")]
    assert speech
    assert all(" pretraining " in line for line in speech)
    assert any(" scratch " in line for line in lines if line.startswith("  emg@1 "))


def test_the_board_in_the_docs_is_made_of_these_rows(suite):
    """docs/board.md is what `tsxfer board real@1 --out docs/board.md` writes today."""
    assert (ROOT / "docs/board.md").read_text(encoding="utf-8") == board_page(suite)


def test_rankings_are_judged_on_gains_of_these_rows(suite):
    """The kept outcomes of rankings hold the mean gains of the committed rows, in margins."""
    rows = {row.key: row for row in suite.rows}
    margins = {row.trial.dataset: row.margin or 1.0 for row in suite.rows}
    frame = tsxfer.load_results("real@1")
    plain = frame[frame.source.notna() & frame.control.isna()]
    means = plain.groupby(["target", "model", "size", "source"]).gain.mean().reset_index()
    known = {round(g / margins[t], 6) for t, g in zip(means.target, means.gain, strict=True)}
    outcomes = read(suite_folder("real@1"))
    assert outcomes
    assert rows
    for outcome in outcomes:
        assert {round(gain, 6) for gain in outcome.gains} <= known


def test_rows_come_as_a_frame_without_torch(tmp_path):
    """`load_results` needs no workspace and does not import torch."""
    code = (
        "import sys, tsxfer; rows = tsxfer.load_results('real@1');"
        "assert 'torch' not in sys.modules; print(len(rows))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_the_wheel_takes_every_suite_along():
    """Each suite's files are named for the wheel, where an installation finds them."""
    named = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for folder in SUITES.values():
        for file in ("rows.parquet", "rankings.json"):
            assert f'"experiments/{folder}/{file}" = "tsxfer/_suites/{folder}/{file}"' in named


def test_ways_of_transfer_are_arms_of_their_own(suite):
    """Scores of two strategies from one source are never averaged into one line."""
    row = next(row for row in suite.rows if row.trial.reuse and not row.trial.control)
    spread = replace(row.trial.reuse, strategy=Strategy(channels="spread"))
    other = replace(row, trial=replace(row.trial, reuse=spread))
    assert _arm(row, ())[:3] == _arm(other, ())[:3]
    assert _arm(row, ()) != _arm(other, ())
