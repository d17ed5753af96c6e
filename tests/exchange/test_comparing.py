"""Two result sets side by side: what moved, what changed, what only one holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.exchange.made import STUDY, changed, made, score
from tsxfer.exchange.comparing import as_plain, compare_sets


def test_equal_sets_have_nothing_to_say(tmp_path):
    """A set beside itself is identical in every row, and no verdict changed."""
    one = made(tmp_path / "a")
    found = compare_sets(one, one)
    assert found.identical == found.both == len(one.parts[0].rows)
    assert [found.disagree, found.drifts, found.changed, found.rekeyed] == [(), (), (), 0]
    assert found.verdicts == 1


def test_a_row_that_disagrees_is_named(tmp_path):
    """The key, both scores and their distance stand in the words."""
    one = made(tmp_path / "a")
    row = next(r for r in one.rows if r.trial.reuse)
    found = compare_sets(one, changed(one, row.key, 0.9))
    assert len(found.disagree) == 1
    assert row.key in found.disagree[0]
    assert "0.9" in found.disagree[0]
    assert found.identical == found.both - 1
    assert found.fields == {"scores": 1}


def test_what_only_one_holds_is_counted(tmp_path):
    """Rows of one set alone are counted by what they are, not listed one by one."""
    whole, half = made(tmp_path / "a"), made(tmp_path / "b", keep=lambda t: t.repeat < 3)
    found = compare_sets(whole, half)
    assert found.only_first == {
        "scratch → emg, convnetquake, 1500": 1,
        "speech → emg, convnetquake, 1500": 1,
        "speech (untrained) → emg, convnetquake, 1500": 1,
    }
    assert not found.only_second


def test_versions_are_paired_by_what_trials_are(tmp_path):
    """Another recipe gives other keys; the same trials are paired all the same, and drift told."""
    later = replace(STUDY, recipe=replace(STUDY.recipe, epochs=31))
    one = made(tmp_path / "a")
    two = made(tmp_path / "b", study=later, of=lambda t: score(t) - (0.05 if t.reuse else 0.0))
    found = compare_sets(one, two)
    assert found.both == found.identical == 3  # the pretrainings kept their recipe
    assert found.rekeyed == 12
    assert [found.only_first, found.only_second] == [{}, {}]
    drift = next(d for d in found.drifts if d.what.startswith("speech → emg"))
    assert (drift.n, drift.moved) == (4, 4)
    assert drift.mean == pytest.approx(-0.05)


def test_changed_verdicts_stand_with_both_intervals(tmp_path):
    """A gain that is gone in the second set is listed with the interval of either side."""
    one = made(tmp_path / "a")
    wide = {0: 0.3, 1: -0.3, 2: 0.2, 3: -0.2}
    two = made(tmp_path / "b", of=lambda t: 0.5 + (wide[t.repeat] if t.reuse else 0.0))
    found = compare_sets(one, two)
    (only,) = found.changed
    assert only.first.verdict != only.second.verdict
    line = str(found)
    for c in (only.first, only.second):
        assert f"{c.verdict} ({c.difference:+.4g} [{c.low:+.4g}, {c.high:+.4g}]" in line
    assert len(as_plain(found)["changed"]) == 1
