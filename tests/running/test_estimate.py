"""Hours of a study from past rows: of the same kind where there are any, else scaled."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.rows import study
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.running.estimate import estimate
from tsxfer.store.workspace import Workspace


@pytest.fixture
def rows() -> list[Result]:
    """Seven scratch runs and transfers of simulated EMG: 36 s and 72 s each, 1,000 labels seen."""
    _, made = study(7, [0.5] * 7, [0.6] * 7, target="emg+sim@1")
    return [
        replace(row, cost={"seconds": 72.0 if row.trial.reuse else 36.0, "samples": 1000})
        for row in made.values()
    ]


def test_rows_of_the_same_kind_give_their_mean(tmp_path: Path, rows: list[Result]) -> None:
    """Ten more scratch repeats take ten times what one took."""
    twin = next(row.trial for row in rows if row.trial.reuse is None)
    todo = [replace(twin, repeat=i) for i in range(7, 17)]
    found = estimate(todo, rows, Workspace(tmp_path))
    assert found.hours == pytest.approx(0.1)
    assert found.basis == "14 rows"


def test_other_trials_are_scaled_by_labels_and_window(tmp_path: Path, rows: list[Result]) -> None:
    """54 ms a label seen; 2,000 labels learn from 1,600, thirty times: 2,592 s, and it is said."""
    twin = next(row.trial for row in rows if row.trial.reuse is None)
    found = estimate([replace(twin, size="n=2000")], rows, Workspace(tmp_path))
    assert found.hours == pytest.approx(30 * 1600 * 0.054 / 3600, abs=0.01)
    assert "1 trials are like none of them" in found.basis


def test_a_model_without_rows_is_said(tmp_path: Path, rows: list[Result]) -> None:
    """No number is invented for an architecture that never ran here."""
    found = estimate([Trial("emg+sim@1", "tcn", "n=1500", 0)], rows, Workspace(tmp_path))
    assert found.hours is None
    assert found.basis == "no row of tcn in this workspace yet"
