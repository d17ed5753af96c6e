"""The two files become exactly the rows of a study, or a sentence says what is wrong with them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tsxfer.core.expansion import expand
from tsxfer.core.study_files import study_toml
from tsxfer.errors import DataError
from tsxfer.paper import importing
from tsxfer.store.rows import Store

Frames = dict[str, Any]
EPOCHS = 4


def _frames() -> Frames:
    """Two targets, one model, two runs, two multipliers: 4 scratch runs and 8 fine-tuned."""
    runs = []
    for target, run in itertools.product(("lomax", "emg"), (0, 1)):
        source = "emg" if target == "lomax" else "lomax"
        for multiplier in (None, 0.5, 1.0):
            tail = "" if multiplier is None else f"-{multiplier}"
            runs.append(
                {
                    "id": f"tcn-{target}1k5_{run}{tail}",
                    "model": "tcn",
                    "source": "none" if multiplier is None else source,
                    "target": target,
                    "size": 1500,
                    "run": run,
                    "lr_multiplier": multiplier,
                    "best_epoch": 2,
                    "last_epoch": EPOCHS,
                }
            )
    curves = []
    for i, one in enumerate(runs):
        for epoch in range(1, EPOCHS + 1):
            value = round(0.1 * i + 0.01 * epoch, 3)
            regression = one["target"] == "lomax"
            curves.append(
                {
                    "id": one["id"],
                    "epoch": epoch,
                    "mae": value if regression else None,
                    "f1": None if regression else value,
                }
            )
    return {
        "runs": pd.DataFrame(runs),
        "curves": pd.DataFrame(curves).astype({"mae": "float32", "f1": "float32"}),
    }


def _write(folder: Path, frames: Frames) -> Path:
    pytest.importorskip("pyarrow", reason="writing Parquet needs pyarrow")
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


def test_rows_are_the_trials_of_the_study(tmp_path: Path) -> None:
    """Every trial but the pretrainings has one row, in order, with the score of its best epoch."""
    study, rows = importing.import_rows(_write(tmp_path, _frames()))
    trials = [t for t in expand(study) if not (t.reuse is None and t.size == "all")]
    assert [row.trial for row in rows] == trials
    assert len(rows) == 12
    assert len(expand(study)) == 12 + 2
    first = rows[0]
    assert first.trial.dataset == "lomax+published@1"
    assert first.scores == {"mae": 0.02}
    assert first.curve == {
        "samples": [1472.0, 2944.0, 4416.0, 5888.0],
        "score": [0.01, 0.02, 0.03, 0.04],
    }
    assert {"published", "curve on test", "leaky split"} <= set(first.labels)


def test_only_classification_carries_the_unequal_loss(tmp_path: Path) -> None:
    """Scratch classifiers are said to minimise squared error, regressions did so anyway."""
    _, rows = importing.import_rows(_write(tmp_path, _frames()))
    for row in rows:
        classes = row.trial.dataset.startswith("emg")
        assert ("squared-error scratch" in row.labels) == classes
        assert row.loss == ("cross-entropy" if classes and row.trial.reuse else "squared error")
        assert bool(row.chance) == classes


def test_shuffled_files_give_the_same_rows(tmp_path: Path) -> None:
    """Neither the order of runs nor that of epochs in the files matters."""
    straight, shuffled = tmp_path / "a", tmp_path / "b"
    straight.mkdir()
    shuffled.mkdir()
    frames = {name: frame.sample(frac=1, random_state=3) for name, frame in _frames().items()}
    assert importing.import_rows(_write(straight, _frames())) == importing.import_rows(
        _write(shuffled, frames)
    )


def test_rows_survive_the_store(tmp_path: Path) -> None:
    """What is imported reads back the same from a results folder."""
    study, rows = importing.import_rows(_write(tmp_path, _frames()))
    store = Store(tmp_path / "results")
    for row in rows:
        store.append(row)
    assert store.rows() == {row.key: row for row in rows}
    assert "published" in study_toml(study)


def _drop_run(frames: Frames) -> None:
    frames["curves"] = frames["curves"][frames["curves"]["id"] != "tcn-emg1k5_1-0.5"]
    frames["runs"] = frames["runs"][frames["runs"]["id"] != "tcn-emg1k5_1-0.5"]


def _repeat_run(frames: Frames) -> None:
    frames["runs"] = pd.concat([frames["runs"], frames["runs"].head(1)])


def _rename_repeat(frames: Frames) -> None:
    frames["runs"].loc[1, "lr_multiplier"] = 1.0


def _set(frame: str, row: int, column: str, value: object) -> Callable[[Frames], None]:
    def change(frames: Frames) -> None:
        frames[frame].loc[row, column] = value

    return change


def _lose(frame: str, column: str) -> Callable[[Frames], None]:
    def change(frames: Frames) -> None:
        frames[frame] = frames[frame].drop(columns=column)

    return change


def _lose_point(frames: Frames) -> None:
    frames["curves"] = frames["curves"].drop(index=2)


def _lose_end(frames: Frames) -> None:
    frames["curves"] = frames["curves"].drop(index=3)


def _empty(frames: Frames) -> None:
    frames["runs"] = frames["runs"].head(0)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (_drop_run, "lacks 1 of 12 runs"),
        (_repeat_run, "1 id occur twice"),
        (_rename_repeat, "are the same run"),
        (_set("runs", 0, "model", "resnet"), "model 'resnet' is not known"),
        (_set("runs", 0, "target", "lomaxx"), "target 'lomaxx' is not known"),
        (_set("runs", 0, "best_epoch", 9), "best_epoch lies in 1"),
        (_set("runs", 1, "lr_multiplier", -1.0), "lr_multiplier is above 0"),
        (_set("runs", 1, "lr_multiplier", None), "lr_multiplier is above 0"),
        (_set("runs", 0, "run", -1), "run counts from 0"),
        (_set("curves", 0, "mae", float("nan")), "has no number"),
        (_set("curves", 0, "id", "stray"), "curve of stray"),
        (_lose("runs", "size"), "lacks the columns size"),
        (_lose("curves", "f1"), "lacks the columns f1"),
        (_lose_point, "does not hold epochs 1 to 4"),
        (_lose_end, "does not hold epochs 1 to 4"),
        (_empty, "has no row"),
    ],
)
def test_faults_are_told(tmp_path: Path, fault: Callable[[Frames], None], says: str) -> None:
    """Each planted fault is refused with the file, what is wrong in it, and what mends it."""
    frames = _frames()
    fault(frames)
    with pytest.raises(DataError, match=says) as told:
        importing.import_rows(_write(tmp_path, frames))
    assert told.value.where.startswith(str(tmp_path))
    assert told.value.mend


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """An empty folder names what it should hold."""
    with pytest.raises(DataError, match=r"no runs\.parquet"):
        importing.import_rows(tmp_path)


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    """Bytes that are no Parquet give one sentence, not a trace."""
    _write(tmp_path, _frames())
    (tmp_path / "runs.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match="no readable Parquet"):
        importing.import_rows(tmp_path)


def test_without_a_reader_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no Parquet reader is installed, the message says what to install."""

    def refuse(*_: object) -> None:
        raise ImportError

    (tmp_path / "runs.parquet").touch()
    monkeypatch.setattr(pd, "read_parquet", refuse)
    with pytest.raises(DataError, match="Parquet") as told:
        importing.import_rows(tmp_path)
    assert "pyarrow" in told.value.mend
