"""The calls from end to end on tiny data: run, resume, read, fit, predict, score."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tsxfer
from tsxfer.api.models import FittedModel
from tsxfer.api.studies import StudyResult, known_study
from tsxfer.errors import TsxferError
from tsxfer.own import budgets
from tsxfer.store.workspace import Workspace

LENGTH, COUNT = 24, 90


def _waves(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slow and fast waves of nine subjects, one channel."""
    draw = np.random.default_rng(seed)
    fast = np.arange(COUNT) % 2
    phase = np.arange(LENGTH) * np.where(fast, 0.9, 0.3)[:, None] + draw.uniform(0, 6, (COUNT, 1))
    x = np.sin(phase)[:, None] + draw.normal(0, 0.1, (COUNT, 1, LENGTH))
    return x, np.array(["slow", "fast"])[fast], np.arange(COUNT) // 10


SOURCE, TARGET = _waves(0), _waves(1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace."""
    return tmp_path_factory.mktemp("calls")


def _run(place: Path) -> StudyResult:
    return tsxfer.run(
        source={"near": SOURCE},
        target={"mine": TARGET},
        workspace=place,
        size="all",
        repeats=2,
        quick=True,
        controls="none",
        progress=False,
    )


@pytest.fixture(scope="module")
def result(place: Path) -> StudyResult:
    """A study of arrays in memory, of a few steps."""
    return _run(place)


@pytest.fixture(scope="module", autouse=True)
def _few_steps() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budgets, "QUICK_STEPS", 20)
        yield


def test_arrays_give_rows_verdicts_and_a_picture(result: StudyResult) -> None:
    """One call gives a row for each trial, a line for each comparison, and what a cell shows."""
    assert [row.status for row in result.rows] == ["done"] * 5  # pretraining, 2 twins, 2 transfers
    line = result.table.iloc[0]
    assert line["source"].startswith("near+own@")
    assert line["target"].startswith("mine+own@")
    assert result.verdicts.tolist() == [line["verdict"]]
    assert "mine+own" in result._repr_html_()
    assert result.plot("forest").to_dict()["data"]["values"][0]["difference"] == line["difference"]


def test_the_same_call_trains_nothing_again(result: StudyResult, place: Path) -> None:
    """Rows of a second call with equal arrays are those of the first, to the byte."""
    files = {p: p.read_bytes() for p in result.folder.glob("*.jsonl")}
    again = _run(place)
    assert {p: p.read_bytes() for p in again.folder.glob("*.jsonl")} == files
    assert [row.key for row in again.rows] == [row.key for row in result.rows]


def test_a_finished_study_is_read(result: StudyResult, place: Path, tmp_path: Path) -> None:
    """By its folder or its name, and as a page; another folder is refused with the right kind."""
    by_folder = tsxfer.load_study(result.folder)
    by_name = tsxfer.load_study(result.name, workspace=place)
    assert by_folder.table.equals(result.table)
    assert by_name.answer == result.answer
    assert by_name.page(tmp_path / "p.html").read_text(encoding="utf-8").startswith("<!")
    shutil.copy(result.folder / "study.toml", tmp_path / "study.toml")
    with pytest.raises(TsxferError, match="does not lie in the results of a workspace"):
        tsxfer.load_study(tmp_path)
    with pytest.raises(TsxferError, match="no study called"):
        tsxfer.load_study("nothing", workspace=place)


@pytest.mark.parametrize("ending", ["", "-zoo", "-simulated"])
def test_a_study_is_found_by_the_name_in_its_file(tmp_path: Path, ending: str) -> None:
    """A study that fell back on shipped weights or simulated data has an ending to its name."""
    folder = Workspace(tmp_path).results(f"pumps{ending}")
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text("", encoding="utf-8")
    assert known_study("pumps", Workspace(tmp_path)) == f"pumps{ending}"
    with pytest.raises(TsxferError, match="no study called") as empty:
        known_study("pumps", Workspace(tmp_path / "elsewhere"))
    assert "run one first" in empty.value.mend


def test_a_plan_counts_what_is_done(result: StudyResult, place: Path) -> None:
    """The plan of a finished study has nothing to do, and prints as the command does."""
    plan = tsxfer.plan(result.name, workspace=place)
    assert (plan.facts["done"], plan.facts["to_do"]) == (5, 0)
    assert "smallest gain" in str(plan)


@pytest.fixture(scope="module")
def model(place: Path) -> FittedModel:
    """A model fitted on a table, from scratch."""
    table = pd.DataFrame(TARGET[0][:, 0]).assign(speed=TARGET[1], subject=TARGET[2])
    return tsxfer.fit(
        table, label="speed", group="subject", workspace=place, quick=True, device="cpu"
    )


def test_a_model_predicts_and_scores(model: FittedModel, place: Path) -> None:
    """Arrays, tables and a kept folder give the same; scores are those of the labels."""
    x, y, _ = _waves(2)
    shares = model.predict_proba(x)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    names = model.predict(x)
    assert names.tolist() == [model.classes[code] for code in shares.argmax(axis=1)]
    assert model.score(x, y) > 0.8
    table = pd.DataFrame(x[:, 0]).assign(speed=y)
    kept = model.save(place / "model")
    found = tsxfer.predict(kept, table, label="speed", device="cpu")
    assert found["predicted"].tolist() == names.tolist()
    assert found.attrs["scores"]["macro_f1"] == model.score(x, y)
    assert (found.attrs["scores"]["accuracy"] == (names == y).mean()).all()


def test_bad_windows_and_labels_are_refused(model: FittedModel) -> None:
    """Another shape, a gap, a class that the model does not know, a column that is not there."""
    x, y, _ = TARGET
    with pytest.raises(TsxferError, match="windows are 2 x 24"):
        model.predict(np.concatenate([x, x], axis=1))
    with pytest.raises(TsxferError, match="missing or infinite"):
        model.predict(np.where(x > 0.9, np.nan, x))
    with pytest.raises(TsxferError, match="does not know: 'still'"):
        model.score(x, ["still", *y[1:]])
    with pytest.raises(TsxferError, match="89 labels for 90 windows"):
        model.score(x, y[1:])
    with pytest.raises(TsxferError, match="no column 'spede'"):
        tsxfer.predict(model, pd.DataFrame(x[:, 0]).assign(speed=y), label="spede")
    with pytest.raises(TsxferError, match="names a column, and arrays have none"):
        tsxfer.predict(model, x, label="y")


def test_a_look_and_a_data_set(place: Path) -> None:
    """What was given comes back, under a name that stands for it."""
    loaded = tsxfer.load_dataset({"mine": TARGET}, workspace=place)
    np.testing.assert_array_equal(loaded.x, TARGET[0].astype(np.float32))
    assert loaded.y.tolist() == TARGET[1].tolist()
    looked = tsxfer.look(loaded.name, workspace=place)
    assert looked.facts.windows == COUNT
    assert looked.name == loaded.name
