"""Samples: levels, sizes, gaps, flat windows and lengths, for every reader in one place."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.own.made import N, bring, bring_table, groups, labels, table, windows
from tsxfer.errors import DataError, SpecError

EXPECTED = windows().astype(np.float32)


def _npz(folder: Path, x: np.ndarray) -> Path:
    np.savez(folder / "a.npz", x=x, y=labels(), group=groups())
    return folder / "a.npz"


@pytest.mark.parametrize("level", [1e9, -3e12, 123456789.0])
def test_a_large_level_is_taken_off_before_float32(tmp_path: Path, level: float) -> None:
    """A signal on a level of 1e9 gives the windows that it gives without."""
    made = bring(_npz(tmp_path, windows() + level))
    found = np.asarray(made.array("x"))
    apart = found - EXPECTED
    assert float(np.ptp(apart)) <= 8 * np.spacing(abs(level)) + 1e-6
    assert float(np.abs(apart).max()) < 100
    assert "taken off every sample" in made.notes[0]
    usual = bring(_npz(tmp_path, windows() + 100))
    assert usual.notes == ()
    assert np.array_equal(usual.array("x"), (windows() + 100).astype(np.float32))


def test_a_signal_that_float32_loses_is_refused(tmp_path: Path) -> None:
    """Levels that differ from window to window cannot be taken off at once."""
    levels = np.random.default_rng(1).uniform(-1e12, 1e12, N)
    with pytest.raises(DataError, match="vary by less than float32 holds"):
        bring(_npz(tmp_path, windows() + levels[:, None, None]))


def test_what_float32_cannot_hold_is_refused_with_its_value(tmp_path: Path) -> None:
    """9.9e38 is no infinity: the value and the window are named."""
    x = windows()
    x[7, 0, 3] = 9.9e38
    with pytest.raises(DataError, match=r"a sample of size 9\.9e\+38") as refused:
        bring(_npz(tmp_path, x))
    assert "row 8, channel 1" in refused.value.where


def test_flat_windows_are_no_copies(tmp_path: Path) -> None:
    """Windows without change are said as such; copies of a signal are refused."""
    x = windows()
    x[[3, 40, 50]] = 1.0
    made = bring(_npz(tmp_path, x))
    assert made.count == N
    assert made.notes[0].startswith("3 flat windows")
    x[40] = x[5]
    with pytest.raises(DataError, match="1 window") as refused:
        bring(_npz(tmp_path, x))
    assert "occur twice" in str(refused.value)
    assert "row 6" in refused.value.where


def test_gaps_are_filled_or_left_out_where_that_is_said(tmp_path: Path) -> None:
    """Refused by default; interpolated between neighbours; or the window is left out."""
    x = windows()
    x[4, 0, [2, 3]] = np.nan
    path = _npz(tmp_path, x)
    with pytest.raises(DataError, match="1 of 60 windows have samples that are missing") as refused:
        bring(path)
    assert "--missing interpolate" in refused.value.mend
    filled = np.asarray(bring(path, missing="interpolate").array("x"))
    a, b = windows()[4, 0, 1], windows()[4, 0, 4]
    assert np.allclose(filled[4, 0, 1:5], np.linspace(a, b, 4), atol=1e-6)
    assert np.array_equal(np.delete(filled, 4, 0), np.delete(EXPECTED, 4, 0))
    dropped = bring(path, missing="drop")
    assert np.array_equal(dropped.array("x"), np.delete(EXPECTED, 4, 0))
    assert dropped.array("group").tolist() == np.delete(groups(), 4).tolist()


def _lists(folder: Path) -> Path:
    cells = [row[: 10 + i % 7].tolist() for i, row in enumerate(windows()[:, 0])]
    made = pd.DataFrame({"samples": pd.Series(cells), "label": labels(), "who": groups()})
    made.to_parquet(folder / "a.parquet")
    return folder / "a.parquet"


def test_unequal_lengths_are_padded_or_cropped(tmp_path: Path) -> None:
    """List columns of parquet: refused, padded with each window's mean, or cropped, and said."""
    path = _lists(tmp_path)
    with pytest.raises(DataError, match="unequal length: 10 to 16 samples") as refused:
        bring(path, group="who")
    assert "--lengths pad" in refused.value.mend
    padded = bring(path, group="who", lengths="pad")
    x = np.asarray(padded.array("x"))
    assert x.shape == (N, 1, 16)
    assert np.array_equal(x[0, 0, :10], EXPECTED[0, 0, :10])
    assert np.allclose(x[0, 0, 10:], windows()[0, 0, :10].mean(), atol=1e-6)
    assert "padded to 16" in padded.notes[0]
    cropped = bring(path, group="who", lengths="crop")
    assert np.array_equal(cropped.array("x"), EXPECTED[:, :, :10])


def test_short_rows_of_a_table_are_shorter_windows(tmp_path: Path) -> None:
    """Empty cells at the end of a row are no gaps, and --lengths settles them."""
    made = table()
    made.loc[4, ["x_14", "x_15"]] = np.nan
    with pytest.raises(DataError, match="unequal length: 14 to 16"):
        bring_table(tmp_path, made)
    assert bring_table(tmp_path, made, lengths="crop").card.length == 14
    found = np.asarray(bring_table(tmp_path, made, missing="interpolate").array("x"))
    assert np.allclose(found[4, 0, 13:], windows()[4, 0, 13], atol=1e-6)


def test_sounds_of_hugging_face(tmp_path: Path) -> None:
    """Structs of array and rate are windows, and the rate is the file's."""
    cells = [{"array": row.tolist(), "sampling_rate": 32} for row in windows()[:, 0]]
    pd.DataFrame({"audio": cells, "label": labels()}).to_parquet(tmp_path / "a.parquet")
    made = bring(tmp_path / "a.parquet")
    assert np.array_equal(made.array("x"), EXPECTED)
    assert made.card.rate_hz == 32


def test_resampling_is_the_same_for_every_reader(tmp_path: Path) -> None:
    """--resample halves a slow wave's samples and keeps its form; without a rate it is refused."""
    t = np.arange(64) / 64
    x = np.sin(2 * np.pi * (2 * t + np.arange(N)[:, None] / N))[:, None]
    path = _npz(tmp_path, x)
    made = bring(path, rate=64.0, resample=32.0)
    assert (made.card.rate_hz, made.card.length) == (32.0, 32)
    middle = np.asarray(made.array("x"))[:, 0, 8:24]
    assert np.abs(middle - x[:, 0, ::2][:, 8:24]).max() < 0.05
    with pytest.raises(SpecError, match=r"rate of a\.npz is not known"):
        bring(path, resample=32.0)


def test_nested_lists_with_time_first_are_questioned(tmp_path: Path) -> None:
    """Sixteen moments of two channels are not taken for sixteen channels."""
    cells = [[[v, -v] for v in row] for row in windows()[:, 0].tolist()]
    pd.DataFrame({"s": cells, "label": labels()}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="16 channels of 2 samples") as refused:
        bring(tmp_path / "a.parquet")
    assert "--axes time,channel" in refused.value.mend
    made = bring(tmp_path / "a.parquet", axes="time,channel")
    assert np.array_equal(np.asarray(made.array("x"))[:, 0], EXPECTED[:, 0])


def test_windows_that_are_all_flat_are_refused(tmp_path: Path) -> None:
    """Nothing can be learned from them, and they tell of a wrong reading."""
    with pytest.raises(DataError, match="all 60 windows are flat"):
        bring(_npz(tmp_path, np.ones((N, 1, 8))))


@pytest.mark.parametrize("said", [{"step": "1s"}, {"pattern": "{label}"}, {"x": "z"}])
def test_a_flag_without_meaning_is_refused(tmp_path: Path, said: dict[str, object]) -> None:
    """A table passes over no flag in silence."""
    with pytest.raises((DataError, SpecError), match=f"--{next(iter(said))}"):
        bring_table(tmp_path, table(), **said)
