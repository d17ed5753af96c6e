"""Pinches, on the sibling archive Roshambo and on small made sessions."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tsxfer.data import Series
from tsxfer.errors import DataError

PLACE = "emg/roshambo_zenodo3194792"


@pytest.fixture(scope="module")
def roshambo(read, real_data: Path) -> Series:
    """All of the real sessions."""
    return read("emg", real_data / PLACE)


def session(folder: Path, stem: str, labels: object, signal: object = None) -> None:
    """A pair of files."""
    words = np.asarray(labels)
    if signal is None:
        signal = np.arange(words.size * 8, dtype=np.int64).reshape(-1, 8)
    np.save(folder / f"{stem}_emg.npy", signal)
    np.save(folder / f"{stem}_ann.npy", words)


def test_real_windows(roshambo: Series) -> None:
    """Cut the study's way, 14,393 windows: rock 4,778, paper 4,805, scissor 4,810; no 'none'."""
    assert roshambo.x.shape == (14_393, 8, 80)
    assert Counter(roshambo.y.tolist()) == {"rock": 4_778, "paper": 4_805, "scissor": 4_810}
    assert set(roshambo.group) == {f"subject{n:02}" for n in range(1, 11)}
    assert roshambo.x.min() >= -128
    assert roshambo.x.max() <= 127


def test_real_annotations_of_both_kinds(roshambo: Series, real_data: Path) -> None:
    """24 annotation files are bytes and 6 are unicode, and windows come from all 30 sessions."""
    kinds = Counter(
        np.load(path, mmap_mode="r").dtype.str for path in (real_data / PLACE).rglob("*_ann.npy")
    )
    assert kinds == {"|S7": 24, "<U7": 6}
    assert len({uid.split("#")[0] for uid in roshambo.uid}) == 30


def test_real_sessions_never_meet_in_time(roshambo: Series) -> None:
    """A window lasts 0.4 s, and the times of two sessions are far apart."""
    assert np.allclose(roshambo.time_end - roshambo.time_start, 0.4)
    spans: dict[str, list[float]] = {}
    for uid, start in zip(roshambo.uid, roshambo.time_start, strict=True):
        spans.setdefault(uid.split("#")[0], []).append(start)
    ends = sorted((min(times), max(times)) for times in spans.values())
    assert all(a[1] + 100 < b[0] for a, b in pairwise(ends))


def test_only_windows_of_one_label(read, tmp_path: Path) -> None:
    """Windows start every 10 samples and hold no second label; their samples are the file's."""
    session(tmp_path, "subject01_session01", ["Pinch1"] * 95 + ["none"] * 200 + ["Pinch2"] * 85)
    found = read("emg", tmp_path)
    assert found.y.tolist() == ["Pinch1", "Pinch1", "Pinch2"]
    assert found.uid.tolist() == [f"subject01_session01#{start}" for start in (0, 10, 300)]
    assert found.x[1, :, 0].tolist() == list(range(80, 88))
    assert found.x[1, 0].tolist() == list(range(80, 720, 8))


def test_a_stem_without_subject_is_its_own_group(read, tmp_path: Path) -> None:
    """Subjects are taken from the stem where it names one."""
    for stem in ("Subject3_session2", "gold"):
        session(tmp_path, stem, ["Pinch1"] * 80)
    assert sorted(read("emg", tmp_path).group) == ["gold", "subject3"]


def test_python_objects_are_never_unpickled(read, tmp_path: Path) -> None:
    """Annotations saved as objects are refused with a reason, since reading them would run code."""
    session(tmp_path, "s", np.array(["Pinch1"] * 80, dtype=object))
    with pytest.raises(DataError, match=r"s_ann\.npy is no plain array") as caught:
        read("emg", tmp_path)
    assert "run code" in caught.value.mend


@pytest.mark.parametrize(
    ("labels", "signal", "shown"),
    [
        (["a"] * 90, np.zeros((80, 8)), r"shapes \(80, 8\) and \(90,\)"),
        (["a"] * 80, np.zeros((80, 7)), r"shapes \(80, 7\)"),
        ([1] * 80, np.zeros((80, 8)), "int64, not text"),
        (["a"] * 80, np.full((80, 8), "x"), "not numbers"),
        (["none"] * 80, np.zeros((80, 8)), "0 instances"),
        (["a"] * 80, np.full((80, 8), np.nan), "NaN"),
    ],
)
def test_bad_sessions(read, tmp_path: Path, labels: object, signal: object, shown: str) -> None:
    """Each fault of a pair of files has a message that shows it."""
    session(tmp_path, "s", labels, signal)
    with pytest.raises(DataError, match=shown):
        read("emg", tmp_path)


@pytest.mark.parametrize("lost", ["emg", "ann"])
def test_half_a_pair(read, tmp_path: Path, lost: str) -> None:
    """A file without its partner is named."""
    session(tmp_path, "s", ["a"] * 80)
    (tmp_path / f"s_{lost}.npy").unlink()
    with pytest.raises(DataError, match=rf"s_{lost}\.npy is missing"):
        read("emg", tmp_path)


def test_a_truncated_file(read, tmp_path: Path) -> None:
    """A file that stops early, or is empty, is named."""
    session(tmp_path, "s", ["a"] * 80)
    path = tmp_path / "s_emg.npy"
    for keep in (200, 0):
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(DataError, match=r"s_emg\.npy is no plain array"):
            read("emg", tmp_path)
    with pytest.raises(DataError, match="no file like"):
        read("emg", tmp_path / "nowhere")
