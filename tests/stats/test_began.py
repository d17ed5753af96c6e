"""Blind starts and stuck runs, in verdicts and notes."""

from dataclasses import replace

import pytest

from tests.rows import study
from tsxfer.core.results import Result
from tsxfer.core.seen import Begin, Learned
from tsxfer.report.build import build
from tsxfer.stats.began import alarms, mostly_stuck

STUCK, LEARNED = Learned(1.2, 1.1, 1.1, 1.0), Learned(1.2, 0.4, 1.1, 9.0)
TRIALS, ROWS = study(5, [0.60, 0.62, 0.59, 0.61, 0.61], [0.30, 0.31, 0.29, 0.30, 0.32])


def _with(learned: list[Learned]) -> dict[str, Result]:
    """The rows, with what each repeat's transfer learned."""
    return {
        key: replace(row, learned=learned[row.trial.repeat] if row.trial.reuse else LEARNED)
        for key, row in ROWS.items()
    }


@pytest.mark.parametrize("count", range(6))
def test_worse_without_training_is_not_worse(count: int) -> None:
    """With half of the transfer runs stuck the verdict is "did not train", else "worse"."""
    learned = [STUCK] * count + [LEARNED] * (5 - count)
    (c,) = build("s", TRIALS, _with(learned)).comparisons
    assert c.stuck == count
    assert c.here == ("did not train" if count >= 3 else "worse")
    told = any(f"never left its start in {count} of 5 runs" in note for note in c.notes)
    assert told == bool(count)


def test_rows_of_earlier_versions_know_nothing_of_it() -> None:
    """Without what was learned a loss is a loss."""
    (c,) = build("s", TRIALS, ROWS).comparisons
    assert (c.stuck, c.here) == (0, "worse")


def test_a_blind_start_is_told_with_what_may_mend_it() -> None:
    """The note says in how many runs, how little features differ, and offers both arms the same."""
    blind, sees = Begin((1.0,), 3e-6, 1.5, 0.2), Begin((1.0,), 0.5, 9.0, 0.0)
    rows = [replace(row, begin=blind) for row in ROWS.values()][:2]
    rows += [replace(row, begin=sees) for row in ROWS.values()][2:3]
    (note,) = alarms(rows, "transfer")
    assert "blind in 2 of 3 runs" in note
    assert "3e-06" in note
    assert "copy+rescale" in note
    assert "--baselines rescaled" in note
    dead = [replace(rows[0], begin=Begin((1.0,), 0.0, 0.0, 1.0))]
    assert "are the same for all windows" in alarms(dead, "transfer")[0]
    assert alarms(rows[2:], "transfer") == []


def test_normalisation_that_lags_is_told() -> None:
    """Both arms say so by the same measure; rows of before it was measured say nothing."""
    learned = Learned(1.0, 0.1, 1.0, 4.0)
    rows = [replace(row, learned=learned) for row in ROWS.values()][:3]
    rows[1] = replace(rows[1], learned=replace(learned, lag=9.0))  # which costs nothing
    assert alarms(rows, "scratch") == []
    rows[0] = replace(rows[0], learned=replace(learned, lag=65))
    (note,) = alarms(rows, "scratch")
    assert "scratch was judged before its normalisation had caught up in 1 of 3 runs" in note
    assert "factor of up to 65" in note
    assert "--recipe small_batch or patient" in note


def test_half_is_most() -> None:
    """Two of four are as many as did train, which is no mean of trained networks."""
    assert mostly_stuck(2, 4)
    assert not mostly_stuck(1, 4)
    assert not mostly_stuck(0, 0)
