"""Weights through a store: pretrained once, used by workspaces that share nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsxfer.core.results import Result
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.data import catalogue, prepare
from tsxfer.errors import SpecError, StoreError
from tsxfer.keys import stream
from tsxfer.running import remote
from tsxfer.running.runner import Job, run
from tsxfer.store.workspace import Workspace

SOURCE = Trial(
    dataset="emg+sim@1", model="convnetquake", size="300", repeat=0, recipe=Recipe(epochs=1)
)


def _job(root: Path, trial: Trial, store: Path, keep: bool = False) -> Job:
    return Job(
        trial=trial,
        workspace=str(root),
        study="study",
        device="cpu",
        keep_weights=keep,
        threads=1,
        weights=f"file://{store}",
    )


def _with_data(root: Path, seed: str = "remote") -> Path:
    dataset = catalogue.find("emg+sim")
    assert dataset.simulate is not None
    made = dataset.simulate(1200, stream("test", seed))
    prepare.prepare(dataset, [made], Workspace(root).data(dataset.card.id))
    return root


def test_another_workspace_takes_the_pretraining_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second workspace trains nothing for the source, and a third only the transfer."""
    store = tmp_path / "store"
    first, second, third = (_with_data(tmp_path / name) for name in "abc")
    made = run(_job(first, SOURCE, store, keep=True))
    assert [file.name.partition("-")[0] for file in store.iterdir()] == [SOURCE.key]
    transfer = Trial(**{**_fields(SOURCE), "repeat": 1, "reuse": Reuse(SOURCE)})
    moved = run(_job(third, transfer, store))
    assert moved.audit["copied"]
    assert moved.scores == run(_job(first, transfer, store)).scores
    monkeypatch.setattr("tsxfer.running.runner._train", _refuse)
    assert run(_job(second, SOURCE, store, keep=True)) == made


def test_weights_from_other_data_are_not_taken(tmp_path: Path) -> None:
    """A workspace whose data of the same name differs trains for itself, and both are kept."""
    store = tmp_path / "store"
    a = run(_job(_with_data(tmp_path / "a"), SOURCE, store, keep=True))
    b = run(_job(_with_data(tmp_path / "b", "other"), SOURCE, store, keep=True))
    assert a.data != b.data
    assert a.scores != b.scores
    assert len(list(store.iterdir())) == 2


def _refuse(pack: list[Job], _refused: str) -> list[Result]:
    assert not pack, "it was trained"
    return []


def _fields(trial: Trial) -> dict[str, object]:
    return {name: getattr(trial, name) for name in trial.__slots__}


def test_what_the_store_has_not_is_left_missing(tmp_path: Path) -> None:
    """Nothing appears, not even a part of a file."""
    remote.pull(f"file://{tmp_path}/none", "key", tmp_path / "w" / "key.safetensors")
    assert not (tmp_path / "w").exists()


def test_a_url_without_a_driver_is_said(tmp_path: Path) -> None:
    """An unknown protocol names the extra to install."""
    with pytest.raises(SpecError, match="nosuch") as caught:
        remote.pull("nosuch://bucket/x", "key", tmp_path / "key.safetensors")
    assert "tsxfer[remote]" in caught.value.mend


def test_a_store_that_refuses_is_said(tmp_path: Path) -> None:
    """A file where the folder should be: a message with the address, and no lost weights."""
    (tmp_path / "store").write_text("")
    weights = tmp_path / "key.safetensors"
    weights.write_text("weights")
    with pytest.raises(StoreError, match="store of weights fails"):
        remote.push(f"file://{tmp_path}/store", "key", weights)
    assert weights.exists()
