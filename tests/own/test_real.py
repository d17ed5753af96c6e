"""Real files of the layouts, where they are available: known counts, classes and groups."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tsxfer.data.prepare import Prepared
from tsxfer.own import importing
from tsxfer.own.description import Description
from tsxfer.store.workspace import Workspace


def _bring(path: Path, space: Path, **said: Any) -> Prepared:
    return importing.bring(path, Description(**said), Workspace(space))


def _groups(made: Prepared) -> int:
    return len(np.unique(np.asarray(made.array("group"))))


def test_a_real_archive_keeps_its_official_split(real_data: Path, tmp_path: Path) -> None:
    """GunPoint and ECG200 have the published numbers of series for training and testing."""
    ucr = real_data / "ucr"
    for path, train, test in (
        (ucr / "aeon_bundled/GunPoint/GunPoint_TRAIN.ts", 50, 150),
        (ucr / "aeon_bundled/BasicMotions/BasicMotions_TRAIN.arff", 40, 40),
        (ucr / "tslearn_bundled/ECG200/ECG200_TRAIN.txt", 100, 100),
    ):
        part = np.asarray(_bring(path, tmp_path).array("part"))
        assert ((part == "train").sum(), (part == "test").sum()) == (train, test)
    alone = _bring(ucr / "aeon_bundled/GunPoint/GunPoint_TRAIN.tsv", tmp_path)
    assert (alone.count, alone.card.length, alone.classes) == (50, 150, ("1", "2"))


def test_stead_is_read_in_the_layout_before_seisbench(real_data: Path, tmp_path: Path) -> None:
    """Fifty traces of 6,000 samples and three components; the rate is not in the files."""
    made = _bring(real_data / "seismic_local" / "stead_sample", tmp_path, rate=100.0)
    assert (made.count, made.card.length, len(made.card.channels)) == (50, 6000, 3)
    y = np.asarray(made.array("y"))
    assert np.allclose((y.min(), y.max()), (1.35, 4.3))
    assert made.card.group == "source_id"


def test_gspc_is_read_as_daily_prices(real_data: Path, tmp_path: Path) -> None:
    """24,114 closes give 24,064 windows of 50, split in time."""
    path = next((real_data / "finance").glob("gspc*/*.csv"))
    made = _bring(path, tmp_path, window="50")
    assert (made.count, made.card.split) == (24_064, "time")


def test_roshambo_recordings_pair_with_their_labels(real_data: Path, tmp_path: Path) -> None:
    """Thirty pairs of .npy files, ten subjects; windows of one label, none of them unmarked."""
    made = _bring(
        real_data / "emg" / "roshambo_zenodo3194792" / "data", tmp_path,
        rate=200.0, window="80", step="10",
        pattern="{group}_session{n}_emg.npy", label="{group}_session{n}_ann.npy", ignore=("none",),
    )  # fmt: skip
    assert made.classes == ("paper", "rock", "scissor")
    assert _groups(made) == 10
    assert 14_000 < made.count < 15_000


def test_uci_recordings_are_text_with_a_clock_that_jitters(real_data: Path, tmp_path: Path) -> None:
    """One subject's two series: six gestures, about 960 rows a second, class 0 left out."""
    packed = next((real_data / "emg" / "uci_emg_gestures").glob("*.zip"))
    with zipfile.ZipFile(packed) as archive:
        names = [
            n for n in archive.namelist() if n.split("/")[1:2] == ["01"] and n.endswith(".txt")
        ]
        archive.extractall(tmp_path / "uci", names)
    folder = next((tmp_path / "uci").iterdir())
    made = _bring(
        folder, tmp_path / "space", window="200", step="100", label="class", ignore=("0",),
        rate=1000.0, pattern="{group}/{n}_raw_data_{time}.txt",
    )  # fmt: skip
    assert made.classes == ("1", "2", "3", "4", "5", "6")
    assert "own clocks tick 956 to 962.75 times" in "\n".join(made.notes)


@pytest.mark.slow
def test_speech_commands_are_read_by_a_pattern(real_data: Path, tmp_path: Path) -> None:
    """Ten words of 159 speakers; what is named otherwise is left out and counted."""
    packed = next((real_data / "speech").rglob("*.zip"))
    shutil.unpack_archive(packed, tmp_path / "speech")
    made = _bring(tmp_path / "speech", tmp_path / "space", pattern="{label}/{group}_nohash_{n}.wav")
    assert (made.count, len(made.classes), _groups(made)) == (2_527, 10, 159)
    assert (made.card.rate_hz, made.card.length) == (16_000, 16_000)
    assert "505 files are not named like" in "\n".join(made.notes)
