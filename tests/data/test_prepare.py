"""Preparation, archives and the catalogue: what goes wrong is said, and nothing half done stays."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tsxfer.data import Series, archive, catalogue, dataset
from tsxfer.data import prepare as preparing
from tsxfer.data.card import Dataset
from tsxfer.errors import DataError, SpecError


def _dataset(**changes: object) -> Dataset:
    facts = {
        "version": 1,
        "domain": "toy",
        "task": "classification",
        "label": "kind",
        "rate_hz": 10.0,
        "channels": ("a",),
        "length": 8,
        "group": "thing",
        "metric": "macro_f1",
        "margin": 0.02,
        "licence": "none",
        "cite": "none",
    }

    @dataset(**(facts | changes))
    def toy(folder: Path) -> list[Series]:
        """A toy."""
        return []

    return toy


def _block(n: int = 4, length: int = 8, rate: float = 10.0, channels: int = 1) -> Series:
    x = np.arange(n * channels * length, dtype=np.float32).reshape(n, channels, length)
    names = np.array([f"u{i}" for i in range(n)])
    return Series(x=x, y=np.array(["k", "l"] * n)[:n], group=names, uid=names, rate_hz=rate)


def test_blocks_come_back_as_written(tmp_path: Path) -> None:
    """Windows, codes and groups survive, and the fingerprint depends on them alone."""
    made = preparing.prepare(_dataset(), [_block(), _block(2)], tmp_path / "toy@1")
    assert made.count == 6
    assert made.classes == ("k", "l")
    assert np.array_equal(made.array("x")[:4], _block().x)
    again = preparing.prepare(_dataset(), [_block(), _block(2)], tmp_path / "other")
    assert again.fingerprint == made.fingerprint
    assert (
        preparing.prepare(_dataset(), [_block(3)], tmp_path / "third").fingerprint
        != made.fingerprint
    )


def test_windows_are_cropped_and_padded_and_counted(tmp_path: Path) -> None:
    """A long window loses its end, a short one gets zeros, and the notes say how many."""
    made = preparing.prepare(_dataset(), [_block(2, 10), _block(3, 6)], tmp_path / "toy@1")
    assert made.notes == ("cropped 2", "padded 3")
    assert np.all(made.array("x")[2:, :, 6:] == 0)


@pytest.mark.parametrize(
    ("block", "message"),
    [(_block(rate=11.0), "sampling rate is 11"), (_block(channels=2), "2 channels")],
)
def test_a_block_that_is_not_the_cards_is_refused(
    tmp_path: Path, block: Series, message: str
) -> None:
    """A wrong rate or channel count names the value, and no folder appears."""
    with pytest.raises(DataError, match=message):
        preparing.prepare(_dataset(), [block], tmp_path / "toy@1")
    assert not (tmp_path / "toy@1").exists()


def test_a_nan_trace_is_named() -> None:
    """A NaN sample is refused with the trace that has it."""
    x = np.ones((3, 1, 4), np.float32)
    x[1, 0, 2] = np.nan
    names = np.array(["a", "b", "c"])
    with pytest.raises(DataError, match=r"1 of 3[\s\S]*first in b"):
        Series(x=x, y=names, group=names, uid=names, rate_hz=1.0)


def test_a_damaged_preparation_says_how_to_mend(tmp_path: Path) -> None:
    """A torn meta file is an error with a command, not a traceback."""
    preparing.prepare(_dataset(), [_block()], tmp_path / "toy@1")
    (tmp_path / "toy@1" / "meta.json").write_text('{"cou')
    with pytest.raises(DataError, match="prepare toy again"):
        preparing.load(_dataset(), tmp_path / "toy@1")


def test_archives_unpack_beside_other_files(tmp_path: Path) -> None:
    """A folder with a zip and a plain file gives a folder with both, which goes away."""
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "a.zip", "w") as packed:
        packed.writestr("deep/x.txt", "x")
    (tmp_path / "in" / "plain.txt").write_text("p")
    with archive.unpacked(tmp_path / "in", tmp_path / "scratch") as folder:
        assert (folder / "deep" / "x.txt").read_text() == "x"
        assert (folder / "plain.txt").read_text() == "p"
    assert not folder.exists()


def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    """Members above the folder are refused in zip and tar, and nothing is written there."""
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.writestr("../evil.txt", "x")
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        member = tarfile.TarInfo("../evil.txt")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    for name in ("bad.zip", "bad.tar"):
        with pytest.raises(DataError), archive.unpacked(tmp_path / name, tmp_path / "scratch"):
            pass
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    """Half a zip is an error with the file."""
    (tmp_path / "half.zip").write_bytes(b"PK\x03\x04 torn")
    with (
        pytest.raises(DataError, match="cannot be unpacked"),
        archive.unpacked(tmp_path / "half.zip", tmp_path / "scratch"),
    ):
        pass


def test_names_are_found_with_and_without_version() -> None:
    """Real and simulated data have different identities; near misses are suggested."""
    assert catalogue.find("speech").card.id == "speech@1"
    assert catalogue.find("speech+sim").card.id == "speech+sim@1"
    assert catalogue.find("speech+sim@1").card.simulated
    with pytest.raises(SpecError, match="speech"):
        catalogue.find("speach")
    with pytest.raises(SpecError, match="version 9"):
        catalogue.find("speech@9")
    with pytest.raises(SpecError, match="no simulated stand-in"):
        catalogue.find("uci_emg+sim")
