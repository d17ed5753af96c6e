"""Study files, rows, declarations, prepared data, predictions and weights that mean harm."""

from __future__ import annotations

import io
import json
import struct
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.attacks import made
from tests.attacks.guard import LEVELS, attack, watched
from tests.attacks.mutations import Damage, changed, damage, values
from tests.attacks.test_structures import Trap
from tests.rows import noise, study
from tsxfer.core.expansion import expand
from tsxfer.core.study import Study
from tsxfer.core.study_files import read_study, study_toml
from tsxfer.data import catalogue, prepare
from tsxfer.errors import SpecError
from tsxfer.paper.importing import import_rows
from tsxfer.paper.raw import CURVE_COLUMNS, CURVES, RUN_COLUMNS, RUNS
from tsxfer.stats.cells import cells
from tsxfer.stats.lock import FILE, lock, read_lock, write_lock
from tsxfer.stats.testset import from_predictions
from tsxfer.store.rows import Store, to_line

pytestmark = pytest.mark.filterwarnings("ignore")
STUDY = Study(
    "demo", ("speech@1", "emg@1"), ("finance@1",), repeats=2, rate_multipliers=(0.1, 1.0),
    profile="paper",
)  # fmt: skip


def _rows() -> tuple[list[Any], dict[str, Any]]:
    a, b = 0.5 + 0.01 * noise(0, (2, 3))
    return study(3, a.tolist(), b.tolist())


def _read_and_expand(path: Path) -> None:
    found = read_study(path)
    if found.repeats * len(found.sources) * len(found.sizes) < 1000:
        assert read_study_text(study_toml(found), path) == found
        expand(found)


def read_study_text(text: str, path: Path) -> Study:
    """A study from text."""
    path.write_text(text, encoding="utf-8")
    return read_study(path)


@pytest.mark.parametrize("level", LEVELS)
def test_damaged_study_files(level: int, tmp_path: Path) -> None:
    """Whatever bytes change: a study that reads back as itself, or words."""
    good, path = study_toml(STUDY).encode(), tmp_path / "demo.toml"

    def check(hit: Damage) -> None:
        path.write_bytes(hit.of(good))
        _read_and_expand(path)

    attack("bytes of study", level, tmp_path, damage(good), check, examples=100)


@pytest.mark.parametrize("level", LEVELS)
def test_study_files_with_odd_values(level: int, tmp_path: Path) -> None:
    """So are values of any kind at any place."""
    import tomli_w

    good, path = tomllib.loads(study_toml(STUDY)), tmp_path / "demo.toml"

    def check(odd: Any) -> None:
        try:
            path.write_text(tomli_w.dumps(odd), encoding="utf-8")
        except (TypeError, ValueError, AttributeError):
            return  # TOML has no such value
        _read_and_expand(path)

    attack("values of study", level, tmp_path, changed(good), check, examples=100)


@pytest.mark.parametrize("level", LEVELS)
def test_damaged_rows_never_hide_whole_ones(level: int, tmp_path: Path) -> None:
    """Whatever stands on other lines, every whole row is read, and damage is told by line."""
    _, rows = _rows()
    lines = [to_line(row).encode() for row in rows.values()]
    store = Store(tmp_path)

    def check(hit: Damage) -> None:
        first = hit.of(lines[0]).replace(b"\n", b" ")
        (tmp_path / "a.jsonl").write_bytes(b"\n".join((first, *lines[1:])))
        found = store.rows()
        assert {k: found[k] for k in list(rows)[1:]} == dict(list(rows.items())[1:])
        assert store.damaged in ([], ["a.jsonl:1"])

    attack("bytes of rows", level, tmp_path, damage(lines[0]), check, examples=100)


@pytest.mark.parametrize("level", LEVELS)
def test_rows_with_odd_values(level: int, tmp_path: Path) -> None:
    """Any value at any place of a row: the row is taken or told as damaged."""
    _, rows = _rows()
    whole = list(rows.values())
    good = json.loads(to_line(whole[1]))
    store = Store(tmp_path)

    def check(odd: Any) -> None:
        (tmp_path / "a.jsonl").write_text(f"{json.dumps(odd)}\n{to_line(whole[0])}\n")
        assert whole[0].key in store.rows()

    attack("values of rows", level, tmp_path, changed(good) | values, check, examples=100)


@pytest.mark.parametrize("level", LEVELS)
def test_damaged_declarations(level: int, tmp_path: Path) -> None:
    """A declared analysis is read, or refused in words."""
    trials, _ = _rows()
    write_lock(lock("demo", trials, 3, {"emg@1": 0.02}, {"emg@1": "macro_f1"}), tmp_path)
    good = (tmp_path / FILE).read_bytes()

    def check(hit: Damage) -> None:
        (tmp_path / FILE).write_bytes(hit.of(good))
        read_lock(tmp_path)

    attack("bytes of declaration", level, tmp_path, damage(good), check)


@pytest.mark.parametrize("level", LEVELS)
def test_damaged_prepared_data(level: int, tmp_path: Path) -> None:
    """Facts and arrays of prepared data are read, or refused in words."""
    plain = {"fingerprint": "f" * 16, "classes": ["a", "b"], "count": 2, "notes": ["padded 2"]}
    facts = plain | {"arrays": {"x": [5248, 1]}}
    dataset = catalogue.find("emg")
    good = made.npy(np.zeros((2, 8, 80), np.float32))

    def check(hit: tuple[Any, Damage]) -> None:
        (tmp_path / "meta.json").write_text(json.dumps(hit[0]))
        (tmp_path / "x.npy").write_bytes(hit[1].of(good))
        found = prepare.load(dataset, tmp_path)
        assert found is not None
        np.asarray(found.array("x"))

    hits = st.tuples(st.just(plain) | changed(plain) | changed(facts) | values, damage(good))
    attack("prepared data", level, tmp_path, hits, check)


def _predictions(path: Path, arrays: dict[str, Any]) -> bytes:
    np.savez(path, **arrays, allow_pickle=True)
    return path.read_bytes()


@pytest.mark.parametrize("level", LEVELS)
def test_damaged_predictions(level: int, tmp_path: Path) -> None:
    """Predictions of odd types and shapes, pickles among them, are left out of a report."""
    trials, rows = _rows()
    rows = {key: replace(row, alignment="a") for key, row in rows.items()}
    (cell,) = cells(trials, rows)
    base = {"truth": np.arange(6) % 2, "group": np.arange(6) % 3, "predicted": np.arange(6) % 2}
    good = base | {"alignment": np.array("a")}
    for key in rows:
        _predictions(tmp_path / f"{key}.npz", good)
    assert from_predictions(cell, tmp_path) is not None
    path = tmp_path / f"{cell.pairs[1][1].key}.npz"
    whole = path.read_bytes()

    def check(hit: Any) -> None:
        if isinstance(hit, Damage):
            path.write_bytes(hit.of(whole))
        else:
            _predictions(path, good | hit)
        from_predictions(cell, tmp_path)

    odd = st.sampled_from((
        np.array([Trap()] * 6, object), np.zeros((6, 2)), np.zeros(0), np.zeros(5), np.array(3.0),
        np.array(["x"] * 6), np.full(6, np.nan), np.full(6, 1e300), np.full(6, -1),
        np.array([2**40] * 6), np.zeros(6, complex), np.zeros(6, "M8[s]"), np.zeros((0, 3)),
        np.zeros(6, [("a", "f4")]),
    ))  # fmt: skip
    names = st.sampled_from(sorted(good))
    hits = damage(whole) | st.dictionaries(names, odd, min_size=1, max_size=2)
    attack("predictions", level, tmp_path, hits, check)


@pytest.mark.parametrize("level", LEVELS)
def test_damaged_weights(level: int, tmp_path: Path) -> None:
    """Weights are read without unpickling, or refused in words; so is the row in their header."""
    import torch

    from tsxfer.train import weights

    path = tmp_path / "w.safetensors"
    weights.save(path, {"a": torch.ones(2, 3), "b": torch.zeros(4)}, '{"key": "k"}')
    whole = path.read_bytes()
    end = 8 + struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8:end])

    def check(hit: Any) -> None:
        if isinstance(hit, Damage):
            path.write_bytes(hit.of(whole))
        else:
            text = json.dumps(hit).encode()
            path.write_bytes(struct.pack("<Q", len(text)) + text + whole[end:])
        weights.row(path)
        weights.load(path)

    attack("weights", level, tmp_path, damage(whole) | changed(header) | values, check, examples=80)


def test_a_pickle_is_no_weights_file(tmp_path: Path) -> None:
    """What torch.save writes holds pickles and is refused."""
    import torch

    from tsxfer.errors import StoreError
    from tsxfer.train import weights

    path = tmp_path / "w.safetensors"
    torch.save({"a": Trap()}, path)
    with watched(tmp_path):
        assert weights.row(path) is None
        with pytest.raises(StoreError, match="cannot be read"):
            weights.load(path)


@pytest.mark.parametrize("level", LEVELS)
def test_damaged_parquet_of_published_results(level: int, tmp_path: Path) -> None:
    """Parquet files with changed bytes are read, or refused in words."""
    import pandas as pd

    run = ("r", "tcn", "none", "emg", 1500, 0, 1.0, 1, 2)
    tables = {
        RUNS: pd.DataFrame([run], columns=list(RUN_COLUMNS)),
        CURVES: pd.DataFrame([("r", 1, 0.0, 0.5), ("r", 2, 0.0, 0.6)], columns=list(CURVE_COLUMNS)),
    }
    good = {}
    for name, table in tables.items():
        out = io.BytesIO()
        table.to_parquet(out, index=False)
        good[name] = out.getvalue()

    def check(hit: tuple[str, Damage]) -> None:
        made.put(good | {hit[0]: hit[1].of(good[hit[0]])}, tmp_path)
        import_rows(tmp_path)

    hits = st.sampled_from((RUNS, CURVES)).flatmap(
        lambda name: st.tuples(st.just(name), damage(good[name]))
    )
    attack("published parquet", level, tmp_path, hits, check)


def test_a_study_of_endless_repeats_is_refused_at_once(tmp_path: Path) -> None:
    """A study file of a hundred bytes cannot fill the memory with trials."""
    text = 'sources = ["speech@1"]\ntargets = ["emg@1"]\nrepeats = 1000000000000\n'
    with pytest.raises(SpecError, match="trials"):
        expand(read_study_text(text, tmp_path / "s.toml"))
