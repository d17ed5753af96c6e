"""Outcomes that come with a suite are judged as those of a workspace are."""

from __future__ import annotations

import json

import pytest

from tsxfer.errors import StoreError
from tsxfer.ranking import kept
from tsxfer.ranking.advice import Advice, of_suite
from tsxfer.ranking.judge import Outcome, judge
from tsxfer.ranking.rankers import DEFAULT, known


def outcome(target: str, gains: tuple[float, ...], scores: tuple[float, ...]) -> Outcome:
    """Every ranker scored the same."""
    return Outcome(target, gains, {ranker.name: scores for ranker in known()})


def test_what_is_kept_is_read_as_it_was(tmp_path):
    """Gains and scores survive the file; a ranker that is newer than it has scored nothing."""
    one = outcome("emg@1", (0.5, -1.25, 0.0), (0.1, 0.2, 0.3))
    kept.write([one], tmp_path)
    assert kept.read(tmp_path) == (one,)
    found = json.loads((tmp_path / kept.FILE).read_text())
    del found[0]["scores"]["probe"]
    (tmp_path / kept.FILE).write_text(json.dumps(found))
    assert kept.read(tmp_path)[0].scores["probe"] == (None, None, None)
    assert kept.read(tmp_path / "none") == ()


@pytest.mark.parametrize("text", ["{", "[1]", '[{"target": "a", "gains": 3, "scores": {}}]'])
def test_a_damaged_file_is_named(tmp_path, text):
    """A file that holds no outcomes is refused with its place, never taken as no evidence."""
    (tmp_path / kept.FILE).write_text(text)
    with pytest.raises(StoreError) as error:
        kept.read(tmp_path)
    assert kept.FILE in error.value.where


def test_the_sentence_names_the_suite_and_its_counts():
    """What the default ranking was worth on the suite stands beside the blind pick."""
    outcomes = [outcome(f"t{i}@1", (1.0, 0.0), (0.9, 0.1)) for i in range(3)]
    advice = object.__new__(Advice)
    object.__setattr__(advice, "suite", tuple(judge(outcomes)))
    said = of_suite(advice)
    assert "In the suite real@1" in said
    assert f"the source that {DEFAULT} puts first" in said
    assert "100 % of 3 cells (3 targets; a blind pick: 50 %" in said
    assert "Fewer than 6 targets cannot tell that from luck" in said
    object.__setattr__(advice, "suite", ())
    assert of_suite(advice) == ""
