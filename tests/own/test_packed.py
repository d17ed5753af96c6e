"""Packed tables and tables of other programs: read as the csv that they could be."""

from __future__ import annotations

import bz2
import lzma
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from pyarrow import feather

from tests.own.made import bring, groups, labels, table, windows
from tsxfer.errors import DataError

NAMES = ["m.zip", "m.csv.bz2", "m.csv.xz", "m.jsonl", "m.feather", "m.xlsx", "m.h5"]


def _write(path: Path) -> Path:
    text = table().to_csv(index=False)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("m.csv", text)
            packed.writestr("__MACOSX/._m.csv", "x")
    elif path.suffix in (".bz2", ".xz"):
        path.write_bytes({".bz2": bz2, ".xz": lzma}[path.suffix].compress(text.encode()))
    elif path.suffix == ".jsonl":
        table().to_json(path, orient="records", lines=True)
    elif path.suffix == ".feather":
        feather.write_feather(table(), path)
    elif path.suffix == ".xlsx":
        pytest.importorskip("openpyxl")
        table().to_excel(path, index=False)
    else:
        with h5py.File(path, "w") as file:
            file["set/x"], file["set/y"] = windows(), labels().astype("S")
            file["set/who"] = groups().tolist()
    return path


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_as_the_table_that_it_holds(tmp_path: Path, name: str) -> None:
    """Samples, labels and groups are those of the csv."""
    made = bring(_write(tmp_path / name), label="y", group="who")
    assert np.allclose(made.array("x"), windows(), atol=1e-5)
    assert np.array(made.classes)[made.array("y")].tolist() == labels().tolist()
    assert made.array("group").tolist() == groups().tolist()


def test_several_files_are_named_and_a_fault_inside_names_the_archive(tmp_path: Path) -> None:
    """Which file is meant is asked; the folder that the archive is read in shows in no message."""
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.csv", table().to_csv(index=False))
        packed.writestr("b.csv", "x")
    with pytest.raises(DataError, match=r"holds 2 files: a.csv, b.csv"):
        bring(path, label="y", group="who")
    with pytest.raises(DataError, match="no label column") as error:
        bring(_write(tmp_path / "m.zip"), label="z", group="who")
    assert str(tmp_path / "m.zip") in error.value.where
    (tmp_path / "bad.xz").write_bytes(b"no")
    with pytest.raises(DataError, match="cannot be read"):
        bring(tmp_path / "bad.xz", label="y")
