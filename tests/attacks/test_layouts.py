"""Damaged and hostile files of every layout that a user brings, and the file beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from tests.attacks.guard import LEVELS, attack, watched
from tests.attacks.mutations import NAMES, Damage, damage
from tests.own import layouts
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError, SpecError
from tsxfer.own import importing
from tsxfer.own.description import Description
from tsxfer.store.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore")


def _clips(folder: Path, ending: str) -> None:
    layouts.clips(folder / "in")
    if ending == "flac":
        import soundfile

        for path in (folder / "in").rglob("*.wav"):
            soundfile.write(path.with_suffix(".flac"), soundfile.read(path)[0], 8000)
            path.unlink()


def _table(folder: Path, ending: str) -> None:
    (folder / "in").mkdir()
    table = layouts.recording(subjects=3, turns=2)
    path = folder / "in" / f"walk.{ending}"
    if ending == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)


def _intervals(folder: Path, _: str) -> None:
    (folder / "in").mkdir()
    layouts.recording(1, 6)[["time", "ax"]].to_csv(folder / "in" / "walk.csv", index=False)
    spans = {"start": [0, 2, 4, 6], "end": [2, 4, 6, 8], "label": ["a", "b", "a", "b"]}
    pd.DataFrame(spans).to_csv(folder / "spans.csv", index=False)


def _arrays(folder: Path, _: str) -> None:
    (folder / "in").mkdir()
    x, words, groups = layouts.windows()
    for name, array in (("X", x), ("y", words), ("groups", groups)):
        np.save(folder / "in" / f"{name}.npy", array)


def _matlab(folder: Path, version: str) -> None:
    from scipy.io import savemat

    (folder / "in").mkdir()
    x, words, _ = layouts.windows()
    if version == "7":
        layouts.matlab_7(folder / "in" / "a.mat", {"X": x}, words.tolist())
    else:
        savemat(folder / "in" / "a.mat", {"X": x, "labels": words.astype(object)[:, None]})


def _archive(folder: Path, ending: str) -> None:
    (folder / "in").mkdir()
    layouts.archive_pair(folder / "in", f".{ending}", 2 if ending == "arff" else 1)


def _edf(folder: Path, _: str) -> None:
    layouts.edf(folder / "in" / "a.edf")


def _wfdb(folder: Path, _: str) -> None:
    layouts.wfdb_record(folder / "in", "r0")


def _seisbench(folder: Path, _: str) -> None:
    layouts.seisbench(folder / "in")


def _seismograms(folder: Path, kind: str) -> None:
    layouts.seismograms(folder / "in", kind)


def _prices(folder: Path, _: str) -> None:
    layouts.prices(folder / "in" / "a.csv")


ONE_SECOND = {"window": "1s"}
WALK = {"window": "50", "label": "act", "group": "who"}
SPANS = {"window": "1s", "intervals": "spans.csv"}
# Name: what makes the files, the one that is damaged, what is brought, what is said.
GOOD: dict[str, tuple[Any, str, str, str, dict[str, Any]]] = {
    "wav": (_clips, "wav", "in/yes/s0_0.wav", "in", {"lengths": "pad"}),
    "flac": (_clips, "flac", "in/yes/s0_0.flac", "in", {"lengths": "pad"}),
    "recording": (_table, "csv", "in/walk.csv", "in/walk.csv", WALK),
    "parquet": (_table, "parquet", "in/walk.parquet", "in/walk.parquet", WALK),
    "intervals": (_intervals, "", "spans.csv", "in/walk.csv", SPANS),
    "windows": (_arrays, "", "in/X.npy", "in", {}),
    "labels": (_arrays, "", "in/y.npy", "in", {}),
    "matlab 5": (_matlab, "5", "in/a.mat", "in/a.mat", {}),
    "matlab 7": (_matlab, "7", "in/a.mat", "in/a.mat", {}),
    "tsv": (_archive, "tsv", "in/Toy_TRAIN.tsv", "in/Toy_TRAIN.tsv", {}),
    "arff": (_archive, "arff", "in/Toy_TEST.arff", "in/Toy_TRAIN.arff", {}),
    "edf": (_edf, "", "in/a.edf", "in/a.edf", ONE_SECOND),
    "wfdb header": (_wfdb, "", "in/r0.hea", "in/r0.hea", ONE_SECOND),
    "wfdb notes": (_wfdb, "", "in/r0.atr", "in/r0.hea", ONE_SECOND),
    "metadata": (_seisbench, "", "in/metadata.csv", "in", {}),
    "waveforms": (_seisbench, "", "in/waveforms.hdf5", "in", {}),
    "catalogue": (_seismograms, "SAC", "in/catalogue.csv", "in", {}),
    "sac": (_seismograms, "SAC", "in/3.BHE.SAC", "in", {}),
    "miniseed": (_seismograms, "MSEED", "in/3.mseed", "in", {}),
    "prices": (_prices, "", "in/a.csv", "in/a.csv", {"window": "20"}),
}  # fmt: skip


def _bring(folder: Path, name: str) -> Prepared:
    _, _, _, path, said = GOOD[name]
    if "intervals" in said:
        said = said | {"intervals": str(folder / said["intervals"])}
    return importing.bring(folder / path, Description(**said), Workspace(folder / "space"))


@pytest.fixture(scope="module", autouse=True)
def _imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Libraries are loaded before the watch begins: some write caches when first imported."""
    for name in (
        "flac",
        "edf",
        "wfdb notes",
        "sac",
        "miniseed",
        "matlab 5",
        "waveforms",
        "parquet",
    ):
        place = tmp_path_factory.mktemp("first")
        make, how, *_ = GOOD[name]
        make(place, how)
        _bring(place, name)


@pytest.mark.parametrize("name", GOOD)
def test_good_layouts_are_taken(name: str, tmp_path: Path) -> None:
    """The files that attacks start from are good ones."""
    make, how, *_ = GOOD[name]
    make(tmp_path, how)
    with watched(tmp_path):
        assert _bring(tmp_path, name).count > 3


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", GOOD)
def test_damaged_layouts(name: str, level: int, tmp_path: Path) -> None:
    """Whatever bytes change: taken or refused in words, nothing run or written elsewhere."""
    make, how, damaged, *_ = GOOD[name]
    make(tmp_path, how)
    path = tmp_path / damaged
    good = path.read_bytes()

    def check(hit: Damage) -> None:
        path.write_bytes(hit.of(good))
        shutil.rmtree(tmp_path / "space", ignore_errors=True)
        assert np.isfinite(_bring(tmp_path, name).array("x")).all()

    attack(f"layout {name}", level, tmp_path, damage(good), check, examples=15)


@pytest.mark.parametrize("level", LEVELS)
def test_odd_patterns_and_lengths(level: int, tmp_path: Path) -> None:
    """Patterns, windows and steps of any text: words, never a traceback, never a file elsewhere."""
    layouts.clips(tmp_path / "in")
    words = NAMES | st.sampled_from(
        (
            "{label}",
            "{",
            "}",
            "{label",
            "{label}{group}{n}",
            "../{label}.wav",
            "{n}{n}",
            "1e309s",
            "-2s",
        )
    )

    def check(said: tuple[str, str, str]) -> None:
        pattern, window, step = said
        described = Description(pattern=pattern, window=window, step=step)
        importing.bring(tmp_path / "in", described, Workspace(tmp_path / "space"))

    attack("layout words", level, tmp_path, st.tuples(words, words, words), check, examples=30)


def test_files_of_labels_lie_beside_their_recording(tmp_path: Path) -> None:
    """--label '../{group}.npy' reaches no other folder."""
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "a_x.npy", np.zeros((100, 2)))
    np.save(tmp_path / "a.npy", np.array(["on"] * 100))
    said = Description(pattern="{group}_x.npy", label="../{group}.npy", window="10")
    with pytest.raises(SpecError, match="no file of labels"):
        importing.bring(tmp_path / "in", said, Workspace(tmp_path / "space"))


def test_objects_of_matlab_and_numpy_are_not_made(tmp_path: Path) -> None:
    """Pickles in .npy are refused; MATLAB's structures are no arrays."""
    from scipy.io import savemat

    x, words, _ = layouts.windows()
    np.save(tmp_path / "X.npy", x)
    np.save(tmp_path / "y.npy", words.astype(object), allow_pickle=True)
    savemat(tmp_path / "a.mat", {"X": x, "y": {"inner": words}})
    for name in ("X.npy", "a.mat"):
        with watched(tmp_path), pytest.raises(DataError):
            importing.bring(tmp_path / name, Description(), Workspace(tmp_path / "space"))
