"""Samples that are hardly a signal, and files that hold more than windows: said, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.own import layouts
from tests.own.made import TIME, N, bring, bring_table, groups, labels, table, windows
from tsxfer.data.precision import LARGEST
from tsxfer.errors import DataError
from tsxfer.inspection.facts import facts_of
from tsxfer.inspection.hints import hints
from tsxfer.own.content import Content
from tsxfer.own.oddities import far_values, of_samples

SAID = {"y": labels(), "group": groups()}


def _odd(x: np.ndarray) -> str:
    names = tuple(f"c{at}" for at in range(x.shape[1]))
    return " ".join(of_samples(Content(x, None, None, names, "y", "")))


def _with(channel: np.ndarray) -> np.ndarray:
    """A signal beside another channel."""
    return np.concatenate([windows(), np.broadcast_to(channel, (N, 1, TIME))], axis=1)


SMOOTH = np.sin(np.arange(TIME) * 0.3 + np.arange(N)[:, None])[:, None]
ODD: dict[str, tuple[np.ndarray, str]] = {
    "a clock": (_with(np.arange(TIME) + 7.0 * np.arange(N)[:, None, None]), "equal steps in every"),
    "a battery": (
        _with(90 - 0.5 * np.arange(TIME) - 0.1 * np.arange(N)[:, None, None]),
        "equal st",
    ),
    "one ramp": (_with(np.sin(np.arange(TIME))), "is the same in every window"),
    "a copy": (np.repeat(windows(), 2, axis=1), "c0 and c1 hold the same samples"),
    "clipped": (np.clip(SMOOTH + 0.01 * windows(), -2, 0.7), "stay at 0.7, the largest of all"),
    "16 bits at their end": (np.clip(windows() * 20000, -32768, 32767), "stay at 32767"),
    "an overflow": ((SMOOTH * 45000).astype(np.int64).astype(np.int16), "jumps by some 65536"),
    "a signal": (windows(2), ""),
    "whole numbers": ((windows(2) * 3).round(), ""),
    "zeros at the end": (np.where(np.arange(TIME) > 9, 0, np.abs(windows(2)) + 0.1), ""),
    "gaps": (np.where(np.arange(2)[:, None] == 0, np.nan, windows(2)), ""),
    "scaled windows": (windows() / np.abs(windows()).max(axis=2, keepdims=True), ""),
}


@pytest.mark.parametrize("name", ODD)
def test_channels_that_are_hardly_a_signal_are_said(name: str) -> None:
    """Clocks, copies, clipping and overflows are notes; signals, codes and padding are none."""
    x, said = ODD[name]
    notes = _odd(x)
    assert said in notes
    assert bool(said) == bool(notes)


@pytest.mark.parametrize("value", [-99.99, 0.0, -8888.0])
def test_a_value_with_nothing_near_it_is_said(value: float) -> None:
    """One value that several windows reach exactly, far from all others, may mean nothing."""
    x = windows()[:, 0] + (1000 if value == 0 else 0)
    x[::7, 3] = value
    (said,) = far_values(x.min(axis=1)[:, None], x.max(axis=1)[:, None], ("c",))
    assert f"--nan {value:g} --missing interpolate" in said
    spread = np.exp(np.random.default_rng(0).normal(0, 2, (N, 1)))
    assert far_values(-spread, spread, ("c",)) == ()
    assert far_values(np.zeros((N, 1)), np.repeat([[0.0], [5.0]], N // 2, axis=0), ("c",)) == ()


def test_the_flag_for_a_sentinel_names_it_to_the_last_digit(tmp_path: Path) -> None:
    """The largest number of float32 stands for what is missing, and the advice works."""
    x = windows()
    x[::9, 0, 3] = LARGEST
    np.savez(tmp_path / "a.npz", x=x, **SAID)
    with pytest.raises(DataError, match="far from all others") as error:
        bring(tmp_path / "a.npz")
    flag = error.value.mend.split("--nan ")[1].split()[0]
    made = bring(tmp_path / "a.npz", nan=flag, missing="interpolate")
    assert np.abs(made.array("x")).max() < 10


def _saved(folder: Path, kind: str) -> Path:
    if kind == "npz":
        np.savez(folder / "a.npz", x=windows(), fs=250, **SAID)
        return folder / "a.npz"
    if kind == "mat":
        from scipy.io import savemat

        savemat(folder / "a.mat", {"X": windows(), "labels": labels() == "on", "Fs": 250.0})
        return folder / "a.mat"
    import h5py

    with h5py.File(folder / "a.h5", "w") as file:
        file["x"], file["y"] = windows(), labels().astype("S3")
        file["x"].attrs.update({"sampling_rate": 250, "scale_factor": 0.01})
    return folder / "a.h5"


@pytest.mark.parametrize("kind", ["npz", "mat", "h5"])
def test_a_rate_beside_arrays_is_taken_and_said(tmp_path: Path, kind: str) -> None:
    """One number called as rates are is the rate; a factor that is not applied is said."""
    path = _saved(tmp_path, kind)
    made = bring(path)
    assert made.card.rate_hz == 250
    assert "(--rate settles it)" in " ".join(made.notes)
    assert ("scale_factor 0.01: not applied" in " ".join(made.notes)) == (kind == "h5")
    assert bring(path, rate=100.0).card.rate_hz == 100


def test_a_recording_in_an_npz_is_questioned(tmp_path: Path) -> None:
    """Windows of three samples are a recording, and the files that are offered can be cut."""
    x = np.random.default_rng(0).standard_normal((3, 1200))
    y = np.repeat(["on", "off"] * 6, 100)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    with pytest.raises(DataError, match="is x a recording") as error:
        bring(tmp_path / "a.npz")
    assert "tsxfer prepare x.npy --label x_labels.npy --window 100" in error.value.mend
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "x_labels.npy", y)
    assert bring(tmp_path / "x.npy", label="x_labels.npy", window="100").count == 12
    assert bring(tmp_path / "a.npz", axes="channel,time").count == 1200


@pytest.mark.parametrize("turned", [False, True])
def test_cells_of_windows_of_unequal_length(tmp_path: Path, turned: bool) -> None:
    """Windows in cells differ along time, whichever axis that is; ``--lengths`` settles them."""
    from scipy.io import savemat

    cells = np.empty((N, 1), object)
    for n, window in enumerate(windows(2)):
        cell = window[:, : 10 + n % 6]
        cells[n, 0] = cell.T if turned else cell
    savemat(tmp_path / "a.mat", {"X": cells, "labels": labels() == "on"})
    with pytest.raises(DataError, match="unequal length: 10 to 15"):
        bring(tmp_path / "a.mat")
    made = bring(tmp_path / "a.mat", lengths="crop")
    assert np.allclose(made.array("x"), windows(2)[:, :, :10], atol=1e-5)


def test_a_column_of_times_beside_series_is_no_channel(tmp_path: Path) -> None:
    """Times in a column of lists are asked about, and the flag leaves them out."""
    made = pd.DataFrame({"x": windows()[:, 0].tolist(), "timestamp": [list(range(TIME))] * N})
    made.assign(y=labels(), who=groups()).to_parquet(tmp_path / "a.parquet")
    said = {"label": "y", "group": "who"}
    with pytest.raises(DataError, match="timestamp is called as times are"):
        bring(tmp_path / "a.parquet", **said)
    assert bring(tmp_path / "a.parquet", ignore=("timestamp",), **said).card.channels == ("x",)


@pytest.mark.parametrize("below", [["mean"], ["mean", "std"]])
def test_a_row_that_sums_up_the_others_is_refused(tmp_path: Path, below: list[str]) -> None:
    """The mean of all windows is no window, also where it is rounded and its label is a number."""
    made = table(y=windows()[:, 0].mean(axis=1)).drop(columns="who")
    sums = made.agg(below).round(2)
    pd.concat([made, sums]).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match="row 61 is the mean of all rows above it"):
        bring(tmp_path / "a.csv", label="y")


def test_folders_that_are_no_classes_are_said(tmp_path: Path) -> None:
    """An empty folder, and one called as no class is, are named."""
    layouts.clips(tmp_path / "w")
    (tmp_path / "w" / "maybe").mkdir()
    for n in range(3):
        noise = np.random.default_rng(n).normal(0, 0.3, 800)
        layouts.sound(tmp_path / "w" / "_noise_" / f"{n}.wav", noise)
    notes = " ".join(bring(tmp_path / "w").notes)
    assert "without a file that is read: maybe" in notes
    assert "the folder _noise_ is taken as a class" in notes


def test_a_table_that_is_no_recording_is_told_from_the_others(tmp_path: Path) -> None:
    """A list of people beside their recordings is left out by a pattern, and that is offered."""
    made: Any = layouts.recording()
    for who, part in made.groupby("who"):
        part.drop(columns="who").to_csv(tmp_path / f"{who}.csv", index=False)
    pd.DataFrame({"who": ["p0"], "age": [30]}).to_csv(tmp_path / "subjects.csv", index=False)
    with pytest.raises(DataError) as error:
        bring(tmp_path, label="act", window="1s")
    assert "if subjects.csv is no recording, leave it out: --pattern" in error.value.mend
    assert bring(tmp_path, label="act", window="1s", pattern="p{n}.csv").count == 72


@pytest.mark.parametrize("at", [0, TIME])
def test_an_index_among_the_samples_is_refused(tmp_path: Path, at: int) -> None:
    """A first or last sample that counts the windows is no sample, and is left out by its place."""
    samples = np.insert(windows()[:, 0], at, np.arange(N), axis=1)
    np.savetxt(tmp_path / "a.csv", np.column_stack([samples, labels() == "on"]), delimiter=",")
    said = {"header": "no", "label": "-1"}
    with pytest.raises(DataError, match="counts the windows"):
        bring(tmp_path / "a.csv", **said)
    made = bring(tmp_path / "a.csv", ignore=(str(at),), **said)
    assert np.allclose(made.array("x"), windows(), atol=1e-5)


def test_durations_are_times(tmp_path: Path) -> None:
    """A column of durations in a parquet file gives the rate."""
    made = layouts.recording()
    made.assign(time=pd.to_timedelta(made["time"], "s")).to_parquet(tmp_path / "r.parquet")
    found = bring(tmp_path / "r.parquet", label="act", group="who", window="1s")
    assert (found.card.rate_hz, found.count) == (50, 72)


def test_one_window_with_two_labels_is_said(tmp_path: Path) -> None:
    """A copy within a group is counted, and one with another label asked about."""
    made = pd.concat([table(), table()[:2].assign(y=["on", "on"])])  # on and off at first
    found = bring_table(tmp_path, made)
    facts = facts_of(found)
    assert (facts.twice, facts.torn) == (2, 1)
    assert "1 window(s) occur twice with different labels" in " ".join(hints(found, facts))
