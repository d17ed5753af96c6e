"""LEN-DB, on made files of its layout (the set itself is some 20 GB)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tsxfer.errors import DataError

GOOD = {"mag": 2.5, "otime": 1431223229.5, "evla": 36.5, "evlo": 3.25, "evdp": 5000.0}


def made(
    folder: Path, traces: dict[str, dict[str, Any]], shape: tuple[int, int] = (3, 540)
) -> Path:
    """A file with these earthquakes and one trace of noise."""
    with h5py.File(folder / "LEN-DB.hdf5", "w") as file:
        file.create_dataset("AN/AF_WDLM_1431000000.0", data=np.zeros((3, 540)))
        file.create_group("EQ")
        for number, (name, attributes) in enumerate(traces.items()):
            data = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + number
            file.create_dataset(f"EQ/{name}", data=data).attrs.update(attributes)
    return folder


def test_earthquakes_are_read_and_noise_is_not(read, tmp_path: Path) -> None:
    """Traces stay channel-first, carry their magnitude, and are grouped by earthquake."""
    other = GOOD | {"otime": 1431223299.5}
    traces = {"AF_WDLM_1431223231.095": GOOD, "AF_B_1431223231.1": GOOD, "Z_C_1431223300.0": other}
    found = read("local_eq_ir", made(tmp_path, traces))
    assert found.x.shape == (3, 3, 540)
    assert found.uid.tolist() == sorted(traces)
    assert found.x[1, :, 0].tolist() == [0, 540, 1080]
    assert found.y.tolist() == [2.5] * 3
    assert found.group[0] == found.group[1] != found.group[2]
    assert found.rate_hz == 20


@pytest.mark.parametrize(
    ("attributes", "shape", "shown"),
    [
        ({"mag": "None"}, (3, 540), "attribute 'mag' is 'None'"),
        ({"otime": float("nan")}, (3, 540), "attribute 'otime' is nan"),
        ({}, (540, 3), r"shape \(540, 3\).*not numbers of shape \(3, 540\)"),
    ],
)
def test_bad_traces(
    read, tmp_path: Path, attributes: dict[str, Any], shape: tuple[int, int], shown: str
) -> None:
    """A trace that is not of the layout is named with what is wrong with it."""
    with pytest.raises(DataError, match=shown) as caught:
        read("local_eq_ir", made(tmp_path, {"A_B_1.0": GOOD | attributes}, shape))
    assert caught.value.where.endswith("LEN-DB.hdf5, trace /EQ/A_B_1.0")


def test_a_missing_attribute(read, tmp_path: Path) -> None:
    """An earthquake whose place is not given has no group, which is told."""
    some = {key: value for key, value in GOOD.items() if key != "evla"}
    with pytest.raises(DataError, match="attribute 'evla' is missing"):
        read("local_eq_ir", made(tmp_path, {"A_B_1.0": some}))


def test_bad_files(read, tmp_path: Path) -> None:
    """No file, no group EQ, no trace and a truncated file each have a message."""
    with pytest.raises(DataError, match="no file like"):
        read("local_eq_ir", tmp_path)
    with pytest.raises(DataError, match="0 instances"):
        read("local_eq_ir", made(tmp_path, {}))
    path = tmp_path / "LEN-DB.hdf5"
    with h5py.File(path, "r+") as file:
        del file["EQ"]
    with pytest.raises(DataError, match="no group 'EQ'; the file has AN"):
        read("local_eq_ir", tmp_path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match="no complete HDF5"):
        read("local_eq_ir", tmp_path)
