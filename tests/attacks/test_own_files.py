"""Damaged and hostile files of a user's own: csv, parquet, npz, .ts and the card beside them."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.attacks.guard import LEVELS, attack, watched
from tests.attacks.mutations import NAMES, Damage, damage, scalars
from tests.attacks.test_structures import Trap
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError
from tsxfer.own import importing
from tsxfer.own.content import Description
from tsxfer.store.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore")
COUNT, TIME = 40, 8


def _windows() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((COUNT, 1, TIME)).round(3)


def _labels() -> np.ndarray:
    return np.array(["on", "off"] * (COUNT // 2))


def _csv() -> bytes:
    names = ",".join((*(f"a_{t}" for t in range(TIME)), "label", "group"))
    rows = zip(_windows()[:, 0].tolist(), _labels(), strict=True)
    lines = (",".join((*map(str, w), y, f"g{i // 4}")) for i, (w, y) in enumerate(rows))
    return "\n".join((names, *lines)).encode()


def _parquet() -> bytes:
    import pandas as pd

    out = io.BytesIO()
    pd.read_csv(io.BytesIO(_csv())).to_parquet(out, index=False)
    return out.getvalue()


def _npz(**changes: Any) -> bytes:
    out = io.BytesIO()
    groups = np.array([f"g{i // 4}" for i in range(COUNT)])
    np.savez(out, **({"x": _windows(), "y": _labels(), "group": groups} | changes))
    return out.getvalue()


def _ts() -> bytes:
    head = "@problemName toy\n@timeStamps false\n@univariate true\n@classLabel true on off\n@data\n"
    rows = zip(_windows()[:, 0], _labels(), strict=True)
    return (head + "\n".join(",".join(map(str, w)) + f":{y}" for w, y in rows)).encode()


def _tsv() -> bytes:
    return _csv().replace(b",", b"\t")


def _semicolons() -> bytes:
    return _csv().replace(b",", b";").replace(b".", b",")


def _packed() -> bytes:
    return gzip.compress(_csv(), mtime=0)


def _utf16() -> bytes:
    return _csv().decode().encode("utf-16")


def _lists() -> bytes:
    """A series a cell, with its rate."""
    import pandas as pd

    out = io.BytesIO()
    cells = [{"array": row.tolist(), "sampling_rate": 8} for row in _windows()[:, 0]]
    pd.DataFrame({"audio": cells, "label": _labels()}).to_parquet(out, index=False)
    return out.getvalue()


def _stamped() -> bytes:
    head = "@problemName toy\n@timeStamps true\n@targetLabel true\n@data\n"
    rows = (",".join(f"({t},{v})" for t, v in enumerate(w)) for w in _windows()[:, 0])
    return (head + "\n".join(f"{row}:{i / 7:.3f}" for i, row in enumerate(rows))).encode()


GOOD = {
    "a.tsv": _tsv, "semicolons.csv": _semicolons, "a.csv.gz": _packed, "utf16.csv": _utf16,
    "lists.parquet": _lists, "stamped.ts": _stamped,
    "a.csv": _csv, "a.parquet": _parquet, "a.npz": _npz, "a.ts": _ts,
}  # fmt: skip


def _bring(path: Path) -> Prepared:
    return importing.bring(path, Description(), Workspace(path.parent / "space"))


@pytest.fixture(autouse=True)
def _loaded(tmp_path: Path) -> None:
    """Libraries write caches when they are first imported."""
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "a.ts").write_bytes(_ts())
    _bring(tmp_path / "first" / "a.ts")


@pytest.mark.parametrize("name", GOOD)
def test_good_files_are_taken(name: str, tmp_path: Path) -> None:
    """The files that attacks start from are good ones."""
    (tmp_path / name).write_bytes(GOOD[name]())
    with watched(tmp_path):
        assert _bring(tmp_path / name).count == COUNT


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", GOOD)
def test_damaged_own_files(name: str, level: int, tmp_path: Path) -> None:
    """Whatever bytes change: taken or refused in words, nothing unpickled or written elsewhere."""
    good = GOOD[name]()

    def check(hit: Damage) -> None:
        (tmp_path / name).write_bytes(hit.of(good))
        assert np.isfinite(_bring(tmp_path / name).array("x")).all()

    attack(f"own {name}", level, tmp_path, damage(good), check, examples=25)


@pytest.mark.parametrize("level", LEVELS)
def test_odd_cells_of_own_tables(level: int, tmp_path: Path) -> None:
    """Formulas, markup, escapes and endless numbers in headers and cells."""
    rows = [line.split(b",") for line in _csv().split(b"\n")]

    def check(hit: tuple[int, int, str]) -> None:
        row, column, cell = hit
        odd = [list(each) for each in rows]
        odd[row][column] = cell.encode("utf-8", "surrogatepass")
        (tmp_path / "a.csv").write_bytes(b"\n".join(map(b",".join, odd)))
        _bring(tmp_path / "a.csv")

    cells = NAMES | scalars.map(str)
    places = st.tuples(st.integers(0, COUNT), st.integers(0, TIME + 1), cells)
    attack("own cells", level, tmp_path, places, check, examples=25)


ODD = (
    np.array([Trap()] * COUNT, object), np.zeros((COUNT, 2)), np.zeros(0), np.array(3.0),
    np.array(["x"] * COUNT), np.full(COUNT, np.nan), np.full(COUNT, 1e300), np.full(COUNT, -1),
    np.array([2**40] * COUNT), np.zeros(COUNT, complex), np.zeros(COUNT, "M8[s]"),
    np.zeros((0, 3)), np.zeros(COUNT, [("a", "f4")]), np.array([b"\xff"] * COUNT),
    np.zeros((COUNT, 1, 0)), np.zeros((COUNT, 2, 3, 4)), np.full((COUNT, 1, TIME), np.inf),
    np.full((COUNT, 1, TIME), 1e300), np.zeros((COUNT, 1, TIME), bool),
)  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
def test_odd_arrays_of_own_archives(level: int, tmp_path: Path) -> None:
    """Arrays of any kind and shape, pickles among them, under any name."""

    def check(changes: dict[str, Any]) -> None:
        try:
            (tmp_path / "a.npz").write_bytes(_npz(**changes))
        except (ValueError, TypeError, KeyError, OSError, AttributeError):
            return  # numpy cannot write it, so nobody can send it this way
        _bring(tmp_path / "a.npz")

    names = st.sampled_from(("x", "y", "group", "time_start", "file")) | NAMES
    changes = st.dictionaries(names, st.sampled_from(ODD), min_size=1, max_size=2)
    attack("own arrays", level, tmp_path, changes, check, examples=25)


@pytest.mark.parametrize("level", LEVELS)
def test_odd_cards_beside_own_files(level: int, tmp_path: Path) -> None:
    """A card with changed bytes beside a good file."""
    (tmp_path / "a.npz").write_bytes(_npz())
    good = b'label = "y"\ngroup = "group"\nrate = 100.0\ntask = "classification"\nmargin = 0.02\n'

    def check(hit: Damage) -> None:
        (tmp_path / "a.toml").write_bytes(hit.of(good))
        _bring(tmp_path / "a.npz")

    attack("own cards", level, tmp_path, damage(good), check, examples=25)


def test_an_own_archive_of_pickles_is_refused(tmp_path: Path) -> None:
    """Labels that are Python objects are not unpickled."""
    (tmp_path / "a.npz").write_bytes(_npz(y=np.array([Trap()] * COUNT, object)))
    with watched(tmp_path), pytest.raises(DataError):
        _bring(tmp_path / "a.npz")
