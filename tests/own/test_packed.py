"""Packed files and tables of other programs are read as what is in them, or refused with a way."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.own.made import bring, groups, labels, table, windows
from tsxfer.api.own import refuse_ending
from tsxfer.errors import DataError, SpecError, TsxferError

CSV = table().to_csv(index=False)


def _zip(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        for name in names:
            packed.writestr(name, CSV)


def _hdf(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["data/x"], file["data/y"] = windows(), labels().astype("S3")
        file.create_dataset("who", data=groups().astype(object), dtype=h5py.string_dtype())


def _excel(path: Path) -> None:
    pytest.importorskip("openpyxl")
    table().to_excel(path, index=False)


def _lines(path: Path) -> None:
    rows = zip(windows()[:, 0].tolist(), labels().tolist(), groups().tolist(), strict=True)
    path.write_text("\n".join(json.dumps({"x": x, "y": y, "who": w}) for x, y, w in rows))


MADE: dict[str, Callable[[Path], object]] = {
    "a.csv.bz2": lambda p: p.write_bytes(bz2.compress(CSV.encode())),
    "a.csv.xz": lambda p: p.write_bytes(lzma.compress(CSV.encode())),
    "a.zip": lambda p: _zip(p, "README.txt", "deep/b.csv", "__MACOSX/deep/._b.csv"),
    "a.feather": lambda p: table().to_feather(p),
    "a.jsonl": _lines,
    "a.xlsx": _excel,
    "a.h5": _hdf,
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_packed_is_read_as_if_it_were_not(tmp_path: Path, name: str) -> None:
    """Windows, labels and groups are those of the table inside; a card beside it is heeded."""
    MADE[name](tmp_path / name)
    (tmp_path / "a.toml").write_text('label = "y"\ngroup = "who"\n')
    made = bring(tmp_path / name)
    assert np.allclose(made.array("x"), windows(), atol=1e-6)
    assert np.array(made.classes)[made.array("y")].tolist() == labels().tolist()
    assert made.array("group").tolist() == groups().tolist()
    assert made.card.name == "a+own"


def test_an_archive_of_several_files_names_them_and_the_command(tmp_path: Path) -> None:
    """What is in it is shown with the command that unpacks it, which works."""
    path = tmp_path / "a.zip"
    _zip(path, "one.csv", "two.csv")
    with pytest.raises(DataError, match=r"2 files of data: one.csv, two.csv") as refused:
        bring(path, label="y")
    assert f"python -m zipfile -e {path} a" in refused.value.mend


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", b"PK no archive"),
        ("a.csv.xz", lzma.compress(CSV.encode())[:-40]),
        ("a.csv.bz2", b"BZh9" + b"\0" * 50),
        ("a.bz2", bz2.compress(CSV.encode())),
        ("a.ts.gz", gzip.compress(b"nothing", mtime=0)),
        ("a.jsonl", b"{'x': 1}"),
        ("a.feather", b"FEA1" + b"\0" * 50),
        ("a.xlsx", b"PK"),
        ("a.h5", b"\x89HDF"),
    ],
)
def test_damaged_files_are_refused_by_their_own_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """The message is about the file that was given, not one in a folder of ours."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TsxferError) as refused:
        bring(tmp_path / name, label="y")
    assert name in str(refused.value)
    assert "scratch" not in str(refused.value)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes that swell without end are refused."""
    monkeypatch.setattr("tsxfer.own.packed.SMALL", 1 << 20)
    (tmp_path / "a.csv.xz").write_bytes(lzma.compress(b"0" * (20 << 20)))
    with pytest.raises(DataError, match="500 times its size"):
        bring(tmp_path / "a.csv.xz", label="y")


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("a.pkl", "pandas.read_pickle"),
        ("a.json", "pandas.read_json"),
        ("a.xls", "pip install xlrd"),
        ("a.tar.bz2", "tar -xf"),
        ("a.7z", "unpack it"),
    ],
)
def test_files_that_are_not_read_are_refused_with_the_way(
    tmp_path: Path, name: str, way: str
) -> None:
    """Nothing is unpickled or guessed; the command that makes a readable file is named."""
    (tmp_path / name).write_bytes(b"\x80")
    with pytest.raises(SpecError) as refused:
        refuse_ending(str(tmp_path / name))
    assert way in refused.value.mend


def test_excel_names_the_package_that_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without openpyxl, which is optional, the refusal says how to get it."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match="not installed") as refused:
        bring(tmp_path / "a.xlsx", label="y")
    assert refused.value.mend.startswith("pip install openpyxl")
