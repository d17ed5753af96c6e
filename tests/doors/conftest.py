"""Small simulated data, one pretraining, and a folder for a user's files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.small import filled, job
from tsxfer.core.plugins import PLUGINS
from tsxfer.core.results import Result
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.core.strategy import named
from tsxfer.running.runner import run, run_pack
from tsxfer.store.workspace import Workspace

RECIPE = Recipe(epochs=2)
TRIAL = Trial(dataset="emg+sim@1", model="tcn", size="60", repeat=0, recipe=RECIPE)
SOURCE = replace(TRIAL, dataset="local_eq+sim@1", size="100", recipe=Recipe(epochs=1))
METHODS = Path(__file__).resolve().parents[2] / "experiments" / "methods"


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with one pretrained source."""
    made = filled(Workspace(tmp_path_factory.mktemp("doors")), 300, ("emg+sim", "local_eq+sim"))
    assert run(job(made, SOURCE, keep=True)).status == "done"
    return made


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a user's file into a folder that is known from then on."""
    monkeypatch.setenv(PLUGINS, str(tmp_path))

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return path

    return write_file


def transfer(way: str, repeat: int = 0) -> Trial:
    """A transfer from the pretrained source, in that way."""
    return replace(TRIAL, repeat=repeat, reuse=Reuse(SOURCE, strategy=named(way)))


def rows(place: Workspace, *trials: Trial) -> list[Result]:
    """Trained as one pack."""
    return run_pack([job(place, trial) for trial in trials])
