"""Convergence measures and the uncertainty of the test set."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.rows import study
from tsxfer import metrics
from tsxfer.stats.cells import Cell, cells
from tsxfer.stats.convergence import convergence
from tsxfer.stats.testset import from_predictions


def _cell(scratch: list[float], transfer: list[float], samples: list[float]) -> Cell:
    trials, rows = study(4, [0.5] * 4, [0.5] * 4)
    changed = {
        key: replace(
            row, curve={"samples": samples, "score": transfer if row.trial.reuse else scratch}
        )
        for key, row in rows.items()
    }
    return cells(trials, changed)[0]


def test_transfer_curves_have_no_part_in_the_threshold() -> None:
    """Whatever transfer reaches, the threshold closes 90 % of scratch's own way."""
    for best in (0.6, 0.99):
        found = convergence(
            _cell([0.1, 0.3, 0.6, 0.6], [0.2, best, best, best], [0.0, 1.0, 2.0, 3.0])
        )
        assert found is not None
        assert found.threshold == pytest.approx(0.1 + 0.9 * 0.5)


def test_early_measures_are_oriented_differences() -> None:
    """Jump-start compares step 0, area the mean height of the curves over scratch's samples."""
    found = convergence(_cell([0.1, 0.3, 0.5], [0.2, 0.5, 0.5], [0.0, 600.0, 1200.0]))
    assert found is not None
    assert found.jump_start.mean == pytest.approx(0.1)
    assert found.area.mean == pytest.approx((0.05 + 0.1 + 0.1) / 2, abs=2e-3)
    assert found.first_epoch.mean == pytest.approx(0.0)


def test_the_sweep_holds_the_primary_threshold() -> None:
    """At 90 % the sweep says what the test says, and other thresholds are there to compare."""
    found = convergence(
        _cell([0.0, 0.5, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0], [0.0, 100.0, 200.0, 300.0])
    )
    assert found is not None
    by = {row[0]: row[1] for row in found.sweep}
    assert by[0.9] == found.saved == pytest.approx(100.0)
    assert by[0.5] == pytest.approx(0.0)


def _predictions(folder: Path, metric: str, noise: float) -> Cell:
    """Four pairs with stored predictions: 40 groups of 10 instances, transfer errs a bit less."""
    rng = np.random.default_rng(0)
    trials, rows = study(4, [0.0] * 4, [0.0] * 4, metric=metric)
    group = np.repeat(np.arange(40), 10)
    truth = rng.integers(3, size=400)
    hard = rng.random(40)[group]
    for key, row in rows.items():
        share = hard * (0.5 if row.trial.reuse else 0.8)
        wrong = rng.random(400) < share + noise * rng.normal()
        predicted = np.where(wrong, (truth + 1) % 3, truth)
        score = metrics.get(metric).score(truth, predicted)
        rows[key] = replace(row, scores={metric: score}, alignment="aligned")
        np.savez(
            folder / f"{key}.npz",
            truth=truth,
            group=group,
            predicted=predicted,
            alignment="aligned",
        )
    return cells(trials, rows)[0]


@pytest.mark.parametrize("metric", ["macro_f1", "weighted_f1", "accuracy", "mae", "rmse"])
def test_the_fast_bootstraps_are_the_plain_one(tmp_path: Path, metric: str) -> None:
    """Sums by group give what drawing instances and scoring them anew gives."""
    from tsxfer.stats.testset import _scorer

    rng = np.random.default_rng(1)
    member, truth = np.repeat(np.arange(5), 8), rng.integers(3, size=40)
    predicted = rng.integers(3, size=40)
    weights = rng.multinomial(5, [0.2] * 5, size=6).astype(float)
    fast = _scorer(metric, truth, member, weights)(predicted)
    for value, row in zip(fast, weights, strict=True):
        where = np.concatenate(
            [np.tile(np.flatnonzero(member == g), int(w)) for g, w in enumerate(row)]
        )
        assert value == pytest.approx(metrics.get(metric).score(truth[where], predicted[where]))


def test_leaving_groups_out_is_the_error_of_a_mean(tmp_path: Path) -> None:
    """For accuracy over groups of one size it is the variance of a mean of forty gains."""
    cell = _predictions(tmp_path, "accuracy", 0.0)
    found = from_predictions(cell, tmp_path)
    assert found is not None
    gains = []
    for pair in cell.pairs:
        hits = []
        for row in pair:
            with np.load(tmp_path / f"{row.key}.npz") as kept:
                hits.append((kept["truth"] == kept["predicted"]).reshape(40, 10).mean(axis=1))
        gains.append(hits[1] - hits[0])
    assert found.groups == 40
    assert found.variance == pytest.approx(np.mean(gains, axis=0).var(ddof=1) / 40)


def test_predictions_of_other_labels_are_not_used(tmp_path: Path) -> None:
    """A file whose alignment is not its row's, or that is damaged, gives no statement."""
    cell = _predictions(tmp_path, "accuracy", 0.0)
    file = next(tmp_path.glob("*.npz"))
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    assert from_predictions(cell, tmp_path) is None
    file.write_bytes(whole)
    assert from_predictions(cell, tmp_path) is not None
    other = Cell(cell.trial, tuple((replace(s, alignment="x"), t) for s, t in cell.pairs), ())
    assert from_predictions(other, tmp_path) is None
