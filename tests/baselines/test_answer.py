"""Every baseline runs under the sealed test on the terms of its scratch twin."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.baselines.made import TARGETS, place_at, ran, scratch
from tsxfer.core.specs import Baseline
from tsxfer.data.task import load_task
from tsxfer.stats.cells import SAME_LABELS, unequal
from tsxfer.store.rows import from_record, to_line
from tsxfer.store.workspace import Workspace

OURS: tuple[Baseline, ...] = ("trivial", "summary", "catch22", "minirocket", "multirocket")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", OURS)
def test_a_baseline_has_the_terms_of_its_scratch_twin(
    place: Workspace, target: str, name: Baseline
) -> None:
    """Subset, split, sizes, test and data are those of scratch; the row survives the disk."""
    import json

    row, twin = ran(place, target, name), scratch(place, target)
    assert row.status == "done"
    assert unequal(row, twin, SAME_LABELS) == []
    assert (row.split, row.data, row.labels) == (twin.split, twin.data, twin.labels)
    assert row.chance == twin.chance
    assert row.ledger["steps"] == 0
    assert row.cost["samples"] == row.sizes["train"]
    assert from_record(json.loads(to_line(row))) == row
    assert (place.results("study") / "predictions" / f"{row.key}.npz").exists()


@pytest.mark.parametrize("name", OURS)
def test_the_same_trial_gives_the_same_row(place: Workspace, name: Baseline) -> None:
    """Scores come back to the bit; another repeat draws another subset."""
    first, again = ran(place, TARGETS[0], name), ran(place, TARGETS[0], name)
    assert (first.scores, first.chosen) == (again.scores, again.chosen)
    assert ran(place, TARGETS[0], name, repeat=1).subset != first.subset


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", OURS)
def test_test_labels_change_no_prediction(target: str, name: Baseline, tmp_path: Path) -> None:
    """With every test label replaced, predictions and penalty are the same bits."""
    place = place_at(Workspace(tmp_path))
    before = ran(place, target, name)
    kept = place.results("study") / "predictions" / f"{before.key}.npz"
    with np.load(kept) as held:
        output, rows = held["output"], held["rows"]
    path = place.data(target) / "y.npy"
    y, then = np.load(path), path.stat()
    y[rows] = y[np.roll(rows, 7)][::-1]
    np.save(path, y)
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))  # as if it had been prepared so
    after = ran(place, target, name)
    with np.load(kept) as held:
        assert np.array_equal(held["output"], output)
    assert after.chosen == before.chosen
    assert after.alignment != before.alignment


def test_the_trivial_answers_are_what_they_say(place: Workspace) -> None:
    """The commonest class, the last price, and the median label."""
    for target in TARGETS:
        row = ran(place, target, "trivial")
        task = load_task(place, row.trial)
        with np.load(place.results("study") / "predictions" / f"{row.key}.npz") as kept:
            predicted = kept["predicted"]
        if target.startswith("emg"):
            assert set(predicted) == {np.bincount(task.train_truth).argmax()}
        elif target.startswith("finance"):
            assert np.allclose(predicted, task.test.windows()[:, -1, -1], rtol=1e-6)
        else:
            assert np.allclose(predicted, np.median(task.train_truth))
        better = max if row.metric == "macro_f1" else min
        assert better(row.scores[row.metric], row.chance[row.metric]) == row.chance[row.metric]


def test_ridge_learns_what_a_glance_can_tell(place: Workspace) -> None:
    """On simulated EMG, whose classes differ in spectrum, features beat the trivial answer."""
    blind = ran(place, "emg+sim@1", "trivial").scores["macro_f1"]
    for name in ("summary", "minirocket"):
        assert ran(place, "emg+sim@1", name).scores["macro_f1"] > blind + 0.1  # type: ignore[arg-type]
