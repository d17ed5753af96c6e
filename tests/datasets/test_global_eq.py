"""LOMAX, on made files of its layout (the set itself is some gigabytes)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tsxfer.errors import DataError

PARTS = ("train", "validate", "test", "test2")
FIRST = "MN_AQU__BH.2007.07.31.10.49.59.717"


def made(
    folder: Path, traces: dict[str, dict[str, Any]], shape: tuple[int, ...] = (1001, 3)
) -> Path:
    """A file with the four parts; traces are ``part/name`` to attributes."""
    with h5py.File(folder / "ConvNetQuake_INGV_dataset.hdf5", "w") as file:
        for part in PARTS:
            file.create_group(f"{part}/events")
            file.create_dataset(f"{part}/noise/{FIRST}", data=np.zeros((1001, 3)))
        for number, (name, attributes) in enumerate(traces.items()):
            part, _, trace = name.partition("/")
            data = np.arange(np.prod(shape), dtype=np.float64).reshape(shape) + number
            node = file.create_dataset(f"{part}/events/{trace}", data=data)
            node.attrs.update(attributes)
    return folder


def at(time: str, station: str = "MN_AQU__BH") -> str:
    """A trace name that starts on one day at this time."""
    return f"{station}.2007.07.31.{time}"


def test_traces_of_all_parts_once(read, tmp_path: Path) -> None:
    """The four parts are pooled, noise is not read, and a name that occurs again is dropped."""
    names = [f"train/{FIRST}", f"test/{FIRST}", f"test2/{at('23.00.00.000')}"]
    found = read("global_eq", made(tmp_path, {name: {"magnitude": 5.5} for name in names}))
    assert sorted(found.uid) == [FIRST, at("23.00.00.000")]
    assert found.x.shape == (2, 3, 1001)
    assert found.x[0, :, 1].tolist() == [3, 4, 5], "the first place of a name counts, transposed"
    assert found.rate_hz == 20


@pytest.mark.parametrize("value", ["6.25", np.bytes_(b"6.25"), np.float32(6.25), np.array([6.25])])
def test_magnitudes_are_cast(read, tmp_path: Path, value: object) -> None:
    """An attribute of any type is a number."""
    assert read("global_eq", made(tmp_path, {f"train/{FIRST}": {"magnitude": value}})).y == [6.25]


def test_traces_within_the_travel_time_of_p_are_one_group(read, tmp_path: Path) -> None:
    """Stations that P reaches 1,200 s apart share a group; half an hour later a new one begins."""
    starts = {"10.00.00.000": "A", "10.20.00.000": "B", "10.50.00.000": "A", "10.50.01.500": "B"}
    traces = {f"train/{at(time, f'MN_{s}__BH')}": {"magnitude": 5} for time, s in starts.items()}
    found = read("global_eq", made(tmp_path, traces))
    groups = dict(zip((uid[-12:] for uid in found.uid), found.group, strict=True))
    assert groups == {
        "10.00.00.000": "2007-07-31T10:00:00",
        "10.20.00.000": "2007-07-31T10:00:00",
        "10.50.00.000": "2007-07-31T10:50:00",
        "10.50.01.500": "2007-07-31T10:50:00",
    }


def test_event_ids_count_where_every_trace_has_one(read, tmp_path: Path) -> None:
    """With ids everywhere they are the groups; with a single one missing, times are."""
    traces = {
        f"train/{at('10.00.00.000')}": {"magnitude": 5, "event_id": 7},
        f"test/{at('10.00.09.000')}": {"magnitude": 5, "event_id": np.bytes_(b"8")},
    }
    assert read("global_eq", made(tmp_path, traces)).group.tolist() == ["7", "8"]
    traces[f"test/{at('10.00.10.000')}"] = {"magnitude": 5}
    assert len(set(read("global_eq", made(tmp_path, traces)).group)) == 1


@pytest.mark.parametrize(
    ("name", "attributes", "shape", "shown"),
    [
        (FIRST, {}, (1001, 3), "attribute 'magnitude' is missing"),
        (FIRST, {"magnitude": "unknown"}, (1001, 3), "'unknown', not a finite number"),
        (FIRST, {"magnitude": 5}, (3, 1001), r"shape \(3, 1001\)"),
        ("MN_AQU__BH", {"magnitude": 5}, (1001, 3), "'MN_AQU__BH' does not end in a start time"),
        (at("10.99.00.000"), {"magnitude": 5}, (1001, 3), "does not end in a start time"),
    ],
)
def test_bad_traces(
    read, tmp_path: Path, name: str, attributes: dict[str, Any], shape: tuple[int, int], shown: str
) -> None:
    """A trace that is not of the layout is named with what is wrong with it."""
    with pytest.raises(DataError, match=shown) as caught:
        read("global_eq", made(tmp_path, {f"train/{name}": attributes}, shape))
    assert "hdf5" in caught.value.where


def test_bad_files(read, tmp_path: Path) -> None:
    """No file, a part that is missing, no event and a truncated file each have a message."""
    with pytest.raises(DataError, match="no file like"):
        read("global_eq", tmp_path)
    with pytest.raises(DataError, match="0 instances"):
        read("global_eq", made(tmp_path, {}))
    path = tmp_path / "ConvNetQuake_INGV_dataset.hdf5"
    with h5py.File(path, "r+") as file:
        del file["test2"]
    with pytest.raises(DataError, match="no group 'test2/events'; the file has test"):
        read("global_eq", tmp_path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"\(5,000 bytes\) is no complete HDF5"):
        read("global_eq", tmp_path)


def test_many_traces_come_in_blocks(load, tmp_path: Path) -> None:
    """More traces than a block holds give several blocks, each trace once."""
    names = [f"train/{at(f'{n // 60:02}.{n % 60:02}.00.000')}" for n in range(600)]
    blocks = load("global_eq").read(made(tmp_path, {name: {"magnitude": 1} for name in names}))
    assert [len(block) for block in blocks] == [512, 88]
