"""Planted faults are found, and clean rows raise no alarm."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.paper import made
from tsxfer.core.results import Result
from tsxfer.paper import gates, grid, pages, rough


def _clean(run: made.Run) -> float:
    """A gain, a smooth optimum over the grid at 0.25, a bad draw in repeat 1, and noise."""
    level = 0.9 + 0.01 * math.log(run.multiplier / 0.25) ** 2 if run.source else 1.0
    return level * (1.03 if run.repeat == 1 else 1.0) + 0.02 * made.draw(run)


@pytest.mark.parametrize("seed", range(1, 9))
def test_clean_rows_raise_no_alarm(seed: int) -> None:
    """Noise, a smooth optimum and a somewhat worse repeat are no faults."""
    found = gates.check(grid.build(made.rows(_clean, seed=seed)))
    assert found == gates.Gates((), (), (), ())


@pytest.mark.parametrize("seed", range(1, 9))
def test_small_clean_studies_raise_no_alarm(seed: int) -> None:
    """One cell with few repeats has no ruler to accuse anyone with."""
    rows = made.rows(
        _clean, seed=seed, models=("tcn",), sources=("lomax@1",), targets=("lendb@1",), repeats=5
    )
    assert gates.check(grid.build(rows)) == gates.Gates((), (), (), ())


def _misaligned(run: made.Run) -> float:
    return 2.0 + 0.2 * made.draw(run) if run.repeat == 3 else _clean(run)


def test_a_repeat_at_chance_is_found() -> None:
    """Far below all others in both arms of all columns; only that one is named."""
    found = gates.chance_repeats(grid.build(made.rows(_misaligned)))
    assert [one.repeat for one in found] == [3]
    assert found[0].worst > 0.95
    assert found[0].gap > gates.FAR
    assert len(found[0].columns) == found[0].of == 6


def test_one_bad_arm_is_not_a_repeat_at_chance() -> None:
    """If only fine-tunings fail, the pretrained model is at fault, not the labels."""

    def score(run: made.Run) -> float:
        return _misaligned(run) if run.source else _clean(run)

    assert not gates.chance_repeats(grid.build(made.rows(score)))


def _rising(row: Result) -> Result:
    rising = dict(row.curve, score=row.curve["score"][::-1])
    return replace(row, curve=rising) if row.trial.repeat == 3 else row


def test_error_that_rises_while_training_goes_well_is_shown() -> None:
    """The share of scratch runs with rising error is reported for the repeat and elsewhere."""
    found = gates.chance_repeats(grid.build(map(_rising, made.rows(_misaligned))))
    assert found[0].rising == 1.0
    assert found[0].rising_elsewhere == 0.0


def test_scratch_at_chance_is_found() -> None:
    """A model whose scratch runs do not beat the rows' chance level, in that column only."""

    def score(run: made.Run) -> float:
        stuck = run.model == "tcn" and run.target == "stead@1" and not run.source
        return 3.0 + 0.1 * made.draw(run) if stuck else _clean(run)

    found = gates.chance_baselines(grid.build(made.rows(score, chance=3.0)))
    assert {one.baseline for one in found} == {
        grid.Baseline("tcn", "stead@1", size) for size in ("n=1500", "n=9000")
    }


def test_chance_is_read_off_a_repeat_at_chance() -> None:
    """Rows without a chance level borrow the best score of the misaligned repeat."""

    def score(run: made.Run) -> float:
        if run.repeat != 3 and run.model == "tcn" and not run.source:
            return 2.6
        return _misaligned(run)

    built = grid.build(made.rows(score, chance=None))
    found = gates.chance_baselines(built, (3,))
    assert {one.baseline.model for one in found} == {"tcn"}
    assert all(one.measured and one.chance < 2.6 for one in found)
    assert not gates.chance_baselines(built)


def _broken(run: made.Run) -> float:
    """Only multiplier 1 works; away from it, quality falls as the rate grows."""
    damage = 0.3 + run.multiplier if run.source and run.multiplier != 1 else 0.0
    return _clean(run) + (damage if run.model == "tcn" else 0.0)


def test_a_broken_multiplier_is_found() -> None:
    """The model is named, the others are spared, and the good multiplier is trusted."""
    found = rough.rough_grids(grid.build(made.rows(_broken)))
    assert [(one.model, one.multiplier, one.better) for one in found] == [("tcn", 1.0, True)]
    assert found[0].trusted == (1.0,)


def test_a_single_bad_multiplier_is_found() -> None:
    """A value that is worse than both neighbours is left out; the rest stays trusted."""

    def score(run: made.Run) -> float:
        return _clean(run) + (1.0 if run.source and run.multiplier == 0.5 else 0.0)

    found = rough.rough_grids(grid.build(made.rows(score)))
    assert {one.model for one in found} == {"convnetquake", "tcn"}
    assert all(not one.better and 0.5 not in one.trusted for one in found)
    assert len(found[0].trusted) == len(made.GRID) - 1


def test_unequal_losses_are_found() -> None:
    """Scratch that minimised another loss than its fine-tunings is no baseline."""
    rows = [
        replace(row, loss="cross-entropy")
        if row.trial.reuse and row.trial.dataset == "lendb@1"
        else row
        for row in made.rows()
    ]
    found = gates.unequal_losses(grid.build(rows))
    assert {one.target for one in found} == {"lendb@1"}


def test_findings_are_told_in_words() -> None:
    """Each planted fault has a line; clean rows have one that says so."""
    text = pages.gates_text(made.rows(_misaligned))
    assert "repeat 3 at chance" in text
    assert "TCN at 1 stands alone" in pages.gates_text(made.rows(_broken))
    assert "no gate raised an alarm" in pages.gates_text(made.rows(_clean))
