"""Whole files that mean harm: HDF5 that points elsewhere, endless clocks, pickles, numbers."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import strategies as st

from tests.attacks import made
from tests.attacks.guard import LEVELS, attack, watched
from tests.attacks.mutations import NAMES, changed, scalars, values
from tsxfer.cli.prepare import prepare_dataset
from tsxfer.errors import DataError, TsxferError
from tsxfer.store.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore")


class Trap:
    """Unpickling this would be seen."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("unpickled"),))


def prepare(name: str, folder: Path) -> None:
    """Prepare what lies in ``files`` of a folder."""
    prepare_dataset(name, folder / "files", Workspace(folder / "ws"))


@pytest.mark.parametrize("level", LEVELS)
def test_lines_of_openeew_with_odd_values(level: int, tmp_path: Path) -> None:
    """A value of any kind anywhere in a line is refused in words, unless it is a good one."""
    files = made.openeew()
    lines = files["2018-02-16/001/00.jsonl"].split(b"\n")

    def check(line: Any) -> None:
        hit = {"2018-02-16/001/00.jsonl": b"\n".join((*lines, json.dumps(line).encode()))}
        made.put(files | hit, tmp_path / "files")
        prepare("openeew", tmp_path)

    good = json.loads(lines[7])
    attack("lines of openeew", level, tmp_path, changed(good) | values, check)


@pytest.mark.parametrize("level", LEVELS)
def test_places_of_openeew_with_odd_values(level: int, tmp_path: Path) -> None:
    """So are coordinates and ids of any kind."""
    files = made.openeew()
    good = json.loads(files["device_locations.json"])

    def check(places: Any) -> None:
        made.put(files | {"device_locations.json": json.dumps(places).encode()}, tmp_path / "files")
        prepare("openeew", tmp_path)

    attack("places of openeew", level, tmp_path, changed(good) | values, check)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["finance", "sp500_stocks", "uci_emg", "local_eq"])
def test_tables_with_odd_cells(name: str, level: int, tmp_path: Path) -> None:
    """Formulas, markup, escapes and endless numbers in cells: refused in words or read as text."""
    files = made.GOOD[name]()
    (table,) = (file for file in files if file.endswith((".csv", ".txt")))
    mark = b"\t" if name == "uci_emg" else b","
    rows = [line.split(mark) for line in files[table].split(b"\n") if line]

    def check(hit: tuple[int, int, str]) -> None:
        row, column, cell = hit
        odd = [list(each) for each in rows]
        line = odd[row % len(odd)]
        line[column % len(line)] = cell.encode("utf-8", "surrogatepass")
        made.put(files | {table: b"\n".join(map(mark.join, odd))}, tmp_path / "files")
        prepare(name, tmp_path)

    cells = NAMES | scalars.map(str)
    hits = st.tuples(st.integers(0, 60), st.integers(0, 9), cells)
    attack(f"cells of {name}", level, tmp_path, hits, check)


TRACES = {
    "local_eq": ("data/C.ST_3_EV", (6000, 3), ("trace_category", "source_id", "source_magnitude")),
    "global_eq": (
        "train/events/IV_AAA_00_BH.2007.07.31.10.49.53.717",
        (1001, 3),
        ("magnitude", "event_id"),
    ),
    "local_eq_ir": ("EQ/AA_BBB_3", (3, 540), ("mag", "otime", "evla", "evlo")),
}
KINDS = ("f4", "i8", "c8", "?", "S3", "O", "vlen", "compound", "half", "empty")


def _node(file: h5py.File, where: str, shape: tuple[int, int], kind: str) -> h5py.Dataset:
    if kind == "empty":
        return file.create_dataset(where, data=h5py.Empty("f4"))
    if kind == "O":
        return file.create_dataset(where, shape[:1], h5py.string_dtype())
    if kind == "vlen":
        return file.create_dataset(where, shape[:1], h5py.vlen_dtype("f4"))
    odd: dict[str, Any] = {"compound": np.dtype([("a", "f4")]), "half": "f2"}
    return file.create_dataset(where, shape, odd.get(kind, kind), compression="gzip")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", TRACES)
def test_traces_with_odd_types_and_attributes(name: str, level: int, tmp_path: Path) -> None:
    """Any type, shape, name and attribute that HDF5 can hold: refused in words or read."""
    where, shape, attributes = TRACES[name]
    files = made.GOOD[name]()
    (path,) = (tmp_path / "files" / file for file in files if file.endswith("hdf5"))

    def check(hit: tuple[str, tuple[int, int], str, dict[str, Any], str]) -> None:
        kind, odd_shape, suffix, facts, _ = hit
        made.put(files, tmp_path / "files")
        with h5py.File(path, "a") as file:
            try:
                node = _node(file, where + suffix, odd_shape, kind)
                node.attrs.update(facts)
            except (ValueError, TypeError, OSError, OverflowError, RuntimeError):
                return  # h5py cannot write it, so nobody can send it this way
        prepare(name, tmp_path)

    odd = scalars | st.binary(max_size=9) | st.lists(st.floats(), max_size=3).map(np.array)
    hits = st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from((shape, shape[::-1], (1, 1), (0, 3), (40_000, 40_000))),
        NAMES | st.just(""),
        st.dictionaries(st.sampled_from(attributes) | NAMES, odd, max_size=4),
        st.just(""),
    )
    attack(f"traces of {name}", level, tmp_path, hits, check)


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("kind", ["external link", "external samples", "virtual", "loop"])
def test_traces_that_point_elsewhere_are_not_followed(name: str, kind: str, tmp_path: Path) -> None:
    """A file cannot make tsxfer read what else lies on the disk, nor run in circles."""
    where, shape, _ = TRACES[name]
    files = made.GOOD[name]()
    made.put(files, tmp_path / "files")
    (tmp_path / "secret").write_bytes(b"\0" * 4 * shape[0] * shape[1])
    (path,) = (tmp_path / "files" / file for file in files if file.endswith("hdf5"))
    with h5py.File(tmp_path / "secret.h5", "w") as other:
        other["x"] = np.zeros(shape, np.float32)
    with h5py.File(path, "a") as file:
        donor = next(iter(file[where.rpartition("/")[0]].values()))
        if kind == "external link":
            file[where] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "x")
        elif kind == "external samples":
            file.create_dataset(
                where, shape, "f4", external=[(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)]
            )
        elif kind == "virtual":
            layout = h5py.VirtualLayout(shape, "f4")
            layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "x", shape)
            file.create_virtual_dataset(where, layout)
        else:
            file[where] = h5py.SoftLink(f"/{where}")
        if kind not in ("external link", "loop"):
            file[where].attrs.update(donor.attrs)
            file[where].attrs.update({"source_id": "9", "source_magnitude": 2.0})
    with watched(tmp_path), pytest.raises(DataError) as told:
        prepare(name, tmp_path)
    assert kind == "loop" or "another file" in told.value.problem


def _pickled(path: Path) -> None:
    with path.open("wb") as out:
        np.save(out, np.array([Trap()] * 200, object), allow_pickle=True)


def _bare(path: Path) -> None:
    path.write_bytes(pickle.dumps([Trap()]))


def _endless(path: Path) -> None:
    header = "{'descr': '<i8', 'fortran_order': False, 'shape': (10000000000, 8), }"
    path.write_bytes(
        b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(118).encode()
    )


@pytest.mark.parametrize("make", [_pickled, _bare, _endless])
@pytest.mark.parametrize("part", ["emg", "ann"])
def test_arrays_of_objects_and_of_endless_size_are_refused(
    make: Callable[[Path], None], part: str, tmp_path: Path
) -> None:
    """Nothing is unpickled, and a header that announces 640 GB takes no memory."""
    made.put(made.emg(), tmp_path / "files")
    make(tmp_path / "files" / f"subject01_{part}.npy")
    with watched(tmp_path), pytest.raises(DataError, match="no plain array"):
        prepare("emg", tmp_path)


def test_the_watch_sees_what_it_is_for(tmp_path: Path) -> None:
    """Unpickling and writing elsewhere are noticed, or the tests here would prove nothing."""
    with pytest.raises(AssertionError, match="find_class"), watched(tmp_path):
        pickle.loads(pickle.dumps(made.put))  # noqa: S301
    with pytest.raises(AssertionError, match="open"), watched(tmp_path / "inner"):
        (tmp_path / "outer").write_text("x")


def test_a_clock_that_jumps_a_century_is_refused_at_once(tmp_path: Path) -> None:
    """Ten thousand years on a grid of 10 ms would fill any memory."""
    files = made.uci_emg()
    ((name, text),) = files.items()
    last = text.rstrip(b"\n").rpartition(b"\n")[2].split(b"\t")
    late = b"\t".join((b"3e14", *last[1:]))
    made.put({name: text + late + b"\n"}, tmp_path / "files")
    began = time.monotonic()
    with pytest.raises(DataError, match="a day later"):
        prepare("uci_emg", tmp_path)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("level", LEVELS)
def test_names_that_are_no_data_set(level: int, tmp_path: Path) -> None:
    """Names lead to files of the data set folder and nowhere else."""
    from tsxfer.data import catalogue

    def check(name: str) -> None:
        catalogue.find(name)

    parts = st.sampled_from(("speech", "+sim", "@1", "/", "..", "\0", "../speech", "@", "+"))
    names = NAMES | st.lists(parts, max_size=4).map("".join)
    attack("names of data sets", level, tmp_path, names, check)


def test_a_message_cannot_drive_a_terminal() -> None:
    """What files hold is shown in messages, so messages are cleaned of control characters."""
    told = str(TsxferError("column '\x1b]0;x\x07'\nis bad", where="\x9b2J", mend="\u202e"))
    assert all(line.isprintable() for line in told.split("\n"))
    assert told.count("\n") == 3
