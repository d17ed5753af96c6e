"""STEAD: the real sample in the old layout, and made files in the present one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tsxfer.errors import DataError

EVENT = {
    "trace_category": "earthquake_local",
    "source_id": "8556349",
    "source_origin_time": "2006-07-23 15:58:50.88",
    "source_magnitude": "3.6",
}
NAME = "109C.TA_20060723155859_EV"


def made(
    folder: Path,
    traces: dict[str, dict[str, Any]],
    file: str = "chunk2.hdf5",
    layout: str = "data",
    shape: tuple[int, int] = (6000, 3),
) -> Path:
    """A file of STEAD with these traces."""
    with h5py.File(folder / file, "w") as opened:
        opened.create_group(layout)
        for name, attributes in traces.items():
            node = opened.create_dataset(
                f"{layout}/{name}", data=np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
            )
            node.attrs.update(attributes)
    return folder


def table(folder: Path, name: str, rows: dict[str, dict[str, str]]) -> None:
    """A metadata CSV."""
    columns = ["network_code", *EVENT, "trace_name"]
    lines = [",".join(columns)]
    lines += [
        ",".join({"trace_name": n, **row}.get(c, "") for c in columns) for n, row in rows.items()
    ]
    (folder / name).write_text("\n".join(lines) + "\n")


def test_real_sample(read, real_data: Path) -> None:
    """The old layout gives 50 traces of 50 events, magnitudes 1.35 to 4.3, as E, N, Z."""
    place = real_data / "seismic_local/stead_sample"
    found = read("local_eq", place)
    assert found.x.shape == (50, 3, 6000)
    assert found.y.min() == pytest.approx(1.35)
    assert found.y.max() == pytest.approx(4.3)
    assert len(set(found.group)) == 50
    assert found.rate_hz == 100
    with h5py.File(place / "waveforms.hdf5") as file:
        node = file[f"earthquake/local/{NAME}"]
        (row,) = np.flatnonzero(found.uid == NAME)
        assert np.array_equal(found.x[row], node[...].T)
        assert found.group[row] == node.attrs["source_id"]


def test_real_sample_agrees_with_its_csv(read, real_data: Path, tmp_path: Path) -> None:
    """With the attributes taken away, the CSV beside the file gives the same labels and groups."""
    place = real_data / "seismic_local/stead_sample"
    (tmp_path / "metadata.csv").write_bytes((place / "metadata.csv").read_bytes())
    with h5py.File(place / "waveforms.hdf5") as old, h5py.File(tmp_path / "w.hdf5", "w") as new:
        for name in old["earthquake/local"]:
            new.create_dataset(f"earthquake/local/{name}", data=old[f"earthquake/local/{name}"])
    expected, found = read("local_eq", place), read("local_eq", tmp_path)
    assert np.allclose(found.y, expected.y)
    assert found.group.tolist() == expected.group.tolist()


def test_present_layout_in_several_chunks(read, tmp_path: Path) -> None:
    """Chunks are read in order; noise is skipped by its category, or else by its name."""
    noise = {"trace_category": "noise"}
    made(tmp_path, {"A_1_NO": noise, "A_2_NO": {}}, "chunk1.hdf5")
    made(tmp_path, {"B_1_EV": EVENT, "B_2_EV": EVENT | {"source_id": "9"}}, "chunk2.hdf5")
    made(tmp_path, {"C_1_EV": EVENT}, "chunk3.hdf5")
    found = read("local_eq", tmp_path)
    assert found.uid.tolist() == ["B_1_EV", "B_2_EV", "C_1_EV"]
    assert found.group.tolist() == ["8556349", "9", "8556349"]
    assert found.x[0, :, 1].tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    "value", ["3.6", np.bytes_(b"3.6"), np.float32(3.6), np.array([3.6]), np.array([b"3.6"])]
)
def test_attributes_of_any_type(read, tmp_path: Path, value: object) -> None:
    """Magnitude, category and event are cast from text, bytes and numbers alike."""
    facts = {"trace_category": np.bytes_(b"earthquake_local"), "source_id": np.bytes_(b"8556349")}
    found = read("local_eq", made(tmp_path, {NAME: EVENT | facts | {"source_magnitude": value}}))
    assert found.y == pytest.approx(3.6)
    assert found.group.tolist() == ["8556349"]


@pytest.mark.parametrize("value", ["8556349", np.float64(8556349), np.int64(8556349), "8556349.0"])
def test_an_event_is_the_same_however_its_id_was_written(
    read, tmp_path: Path, value: object
) -> None:
    """Text, integers and floats of one id are one group, so an event is never parted."""
    found = read("local_eq", made(tmp_path, {NAME: EVENT | {"source_id": value}}))
    assert found.group.tolist() == ["8556349"]


@pytest.mark.parametrize("csv", ["chunk2.csv", "merge.csv"])
def test_missing_attributes_come_from_the_csv(read, tmp_path: Path, csv: str) -> None:
    """The CSV of the same name, or else any beside the file, fills in what attributes lack."""
    made(tmp_path, {NAME: {}, "A_1_NO": {}, "A_2_EV": {"source_magnitude": np.nan}})
    table(tmp_path, csv, {NAME: EVENT, "A_1_NO": {"trace_category": "noise"}, "A_2_EV": EVENT})
    found = read("local_eq", tmp_path)
    assert found.uid.tolist() == [NAME, "A_2_EV"]
    assert found.y.tolist() == pytest.approx([3.6, 3.6])


@pytest.mark.parametrize("unknown", ["None", "", "nan", np.nan])
def test_origin_time_stands_in_for_the_event(read, tmp_path: Path, unknown: object) -> None:
    """Where no event is named, traces of one origin time share a group."""
    found = read("local_eq", made(tmp_path, {NAME: EVENT | {"source_id": unknown}}))
    assert found.group.tolist() == ["origin 2006-07-23 15:58:50.88"]


@pytest.mark.parametrize(
    ("changes", "shape", "shown"),
    [
        ({"source_magnitude": "None"}, (6000, 3), "source_magnitude is missing"),
        ({"source_magnitude": "ml"}, (6000, 3), "source_magnitude is 'ml'"),
        ({"source_id": "None", "source_origin_time": "None"}, (6000, 3), "neither source_id nor"),
        ({}, (3, 6000), r"shape \(3, 6000\)"),
    ],
)
def test_bad_traces(
    read, tmp_path: Path, changes: dict[str, str], shape: tuple[int, int], shown: str
) -> None:
    """A trace that is not of the layout is named with what is wrong with it."""
    with pytest.raises(DataError, match=shown) as caught:
        read("local_eq", made(tmp_path, {NAME: EVENT | changes}, shape=shape))
    assert caught.value.where.endswith(f"chunk2.hdf5, trace /data/{NAME}")


def test_a_trace_in_two_files(read, tmp_path: Path) -> None:
    """A chunk beside the merged file would count its traces twice, so that is an error."""
    made(tmp_path, {NAME: EVENT})
    with pytest.raises(DataError, match=r"is in chunk2\.hdf5 and in merge\.hdf5"):
        read("local_eq", made(tmp_path, {NAME: EVENT}, "merge.hdf5"))


def test_bad_files(read, tmp_path: Path) -> None:
    """No file, another layout, only noise and a truncated file each have a message."""
    with pytest.raises(DataError, match="no file like"):
        read("local_eq", tmp_path)
    with pytest.raises(DataError, match="no group earthquake/local or data; the file has traces"):
        read("local_eq", made(tmp_path, {}, layout="traces"))
    with pytest.raises(DataError, match="0 instances"):
        read("local_eq", made(tmp_path, {"A_NO": {}}))
    (tmp_path / "chunk2.hdf5").write_bytes(b"not HDF5")
    with pytest.raises(DataError, match=r"chunk2\.hdf5 \(8 bytes\) is no HDF5 file"):
        read("local_eq", tmp_path)


@pytest.mark.parametrize(
    ("content", "shown"), [(b"a,b\n1,2\n", "no column 'trace_name'"), (b"", "is no readable table")]
)
def test_a_csv_of_something_else(read, tmp_path: Path, content: bytes, shown: str) -> None:
    """When the CSV is needed and is none of STEAD, that is told."""
    made(tmp_path, {NAME: {}})
    (tmp_path / "chunk2.csv").write_bytes(content)
    with pytest.raises(DataError, match=shown):
        read("local_eq", tmp_path)


def test_the_study_feeds_no_amplitude(load) -> None:
    """STEAD is the one set of the study without the largest value as a second input."""
    assert load("local_eq").card.amplitude is False
