"""Planted leaks are named, and sound data is not."""

from collections.abc import Callable

import numpy as np
import pytest

from tsxfer.core.cautions import Caution
from tsxfer.data.suspects import overlapping, suspects

Plant = Callable[[np.ndarray, np.ndarray], None]


def _data(task: str = "classes") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise whose labels say nothing, in 40 groups."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(600, 2, 50)).astype(np.float32)
    y = rng.integers(0, 3, 600) if task == "classes" else rng.normal(size=600)
    return x, y, np.array([f"g{i % 40}" for i in range(600)])


def _first_sample(x: np.ndarray, y: np.ndarray) -> None:
    x[:, 1, 0] = y + 0.01 * x[:, 1, 0]


def _peak(x: np.ndarray, y: np.ndarray) -> None:
    x *= (1 + y - y.min())[:, None, None] / np.abs(x).max(axis=(1, 2))[:, None, None]


def _padding(x: np.ndarray, y: np.ndarray) -> None:
    for window, label in zip(x, y, strict=True):
        window[:, len(window[0]) - 1 - int(3 * (label - y.min())) :] = 0


@pytest.mark.parametrize(
    ("plant", "says"),
    [(_first_sample, "sample 0 of channel 1"), (_peak, "the peak"), (_padding, "the padding")],
)
@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_a_label_told_by_one_value_is_named(plant: Plant, says: str, task: str) -> None:
    """The value that tells the label is the one that is named, and its warning travels."""
    x, y, group = _data(task)
    plant(x, y)
    told = [one for one in suspects(x, y, group) if one.what == "value"]
    assert [one.label for one in told] == [Caution.ONE_VALUE]
    assert says in told[0].words


def test_sound_data_has_no_suspects() -> None:
    """Neither noise nor a label that the whole window tells, but no value alone, is suspected."""
    x, y, group = _data()
    assert suspects(x, y, group) == ()
    wave = np.sin(
        np.arange(50) * (1 + y)[:, None] * 0.4 + 6 * np.random.default_rng(1).random((600, 1))
    )
    assert suspects(x + 2 * wave[:, None], y, group) == ()


def test_copies_across_groups_and_names_spelt_twice_are_told() -> None:
    """A doubled window with noise of 1e-5 in another group, and ``P1 `` beside ``p1``."""
    x, y, group = _data()
    x[1] = 2 * x[0] + 1e-5 * x[2]
    copies = suspects(x, y, group)
    assert [one.what for one in copies] == ["copies"]
    group[group == "g3"] = "G2 "
    assert any("'G2 ' and 'g2'" in one.words for one in suspects(x, y, group))
    group[1] = group[0]
    assert "copies" not in {one.what for one in suspects(x, y, group)}


def test_windows_that_overlap_without_groups_are_told() -> None:
    """Neighbours that share samples are named where nothing keeps them on one side of a split."""
    series = np.random.default_rng(0).normal(size=(2, 1000))
    x = np.stack([series[:, at : at + 50] for at in range(0, 900, 20)])
    (found,) = overlapping(x, None)
    assert "44 of the first 45 windows begin within the window before (by 30 of 50" in found.words
    assert overlapping(x, np.repeat("a", len(x))) == ()
    assert overlapping(x[::3], None) == ()
    assert overlapping(np.zeros((9, 1, 50)), None) == ()
