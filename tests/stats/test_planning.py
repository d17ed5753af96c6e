"""Power before, declaration before, and what lies outside of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from tests.rows import matrix
from tsxfer.errors import SpecError
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import compare
from tsxfer.stats.lock import FILE, lock, read_lock, write_lock
from tsxfer.stats.power import detectable, expected_level, floor_warning, reach

GAINS = np.zeros((2, 2, 1, 5))


@pytest.mark.parametrize("repeats", [3, 7, 20])
@pytest.mark.parametrize("level", [0.05, 0.0125])
def test_the_detectable_effect_is_statsmodels(repeats: int, level: float) -> None:
    """At the smallest effect found with 80 %, statsmodels' one-sample t test has power 0.8."""
    effect = detectable(repeats, level)
    assert TTestPower().power(effect, repeats, level) == pytest.approx(0.8, abs=1e-6)


def test_one_repeat_detects_nothing() -> None:
    """A single pair has no variance and so no reach."""
    assert detectable(1, 0.05) is None


def test_the_foreseen_level_lies_between_bonferroni_and_the_level() -> None:
    """Benjamini–Hochberg settles below the level and never below Bonferroni."""
    for tests in (1, 2, 10, 240):
        assert 0.05 / tests <= expected_level(tests, 0.05) <= 0.05


def test_larger_families_and_fewer_repeats_reach_less() -> None:
    """The reach of pairs is worse than overall, and seven repeats reach less than twenty."""
    seven = {r.family: r.effect for r in reach(7, 8, 2, 4)}
    twenty = {r.family: r.effect for r in reach(20, 8, 2, 4)}
    assert seven["pairs"] > seven["sizes"] > seven["overall"]
    assert all(twenty[name] < seven[name] for name in seven)


def test_a_test_that_cannot_reject_is_named() -> None:
    """Seven repeats serve Holm over three comparisons and not over four; nine serve ten."""
    assert floor_warning(7, 3) is None
    said = floor_warning(7, 10)
    assert said is not None
    assert "9 repeats would do" in said
    assert "it cannot reject; 6 repeats would do" in str(floor_warning(3, 1))


def test_a_declaration_reads_back_and_its_hash_holds_it(tmp_path: Path) -> None:
    """What was written is what is read; another margin or repeat count is another hash."""
    trials, _ = matrix(["a@1", "b@1"], ["c@1"], GAINS[:, :1])
    declared = lock("study", trials, 5, {"c@1": 1.0}, {"c@1": "mae"})
    write_lock(declared, tmp_path)
    assert read_lock(tmp_path) == declared
    assert replace(declared, repeats=6).digest != declared.digest
    assert replace(declared, margins={"c@1": 2.0}).digest != declared.digest


def test_a_damaged_declaration_is_refused(tmp_path: Path) -> None:
    """A file that is no TOML gives a message with its path."""
    (tmp_path / FILE).write_text("primary = [", encoding="utf-8")
    with pytest.raises(SpecError, match="cannot be read"):
        read_lock(tmp_path)


def test_what_was_not_declared_is_exploratory() -> None:
    """Undeclared cells, later repeats, rows of another analysis are labelled; the rest is not."""
    trials, rows = matrix(["a@1", "b@1"], ["c@1"], GAINS[:, :1])
    declared = lock(
        "study",
        [t for t in trials if not t.reuse or t.reuse.source.dataset == "a@1"],
        5,
        {"c@1": 1.0},
        {"c@1": "mae"},
    )
    made = {k: replace(r, analysis=declared.digest) for k, r in rows.items()}
    found = {c.source: c for c in compare(cells(trials, made), declared)}
    assert "exploratory" not in found["a@1"].labels
    assert "exploratory" in found["b@1"].labels
    fewer = replace(declared, repeats=4)
    assert all("exploratory" in c.labels for c in compare(cells(trials, made), fewer))
    assert all("exploratory" in c.labels for c in compare(cells(trials, rows), declared))


def test_families_are_corrected_apart() -> None:
    """Adding exploratory cells changes no corrected p of the declared ones."""
    trials, rows = matrix(["a@1", "b@1"], ["c@1", "d@1"], GAINS, 4)
    own = [t for t in trials if not t.reuse or t.reuse.source.dataset == "a@1"]
    declared = lock("study", own, 5, {}, {})
    made = {k: replace(r, analysis=declared.digest) for k, r in rows.items()}
    alone = {c.trial.key: c.p_corrected for c in compare(cells(own, made), declared)}
    both = {c.trial.key: c.p_corrected for c in compare(cells(trials, made), declared)}
    assert all(both[key] == p for key, p in alone.items())
