"""Looking inside a transfer: the very trainings of the rows, and what the report makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.rows import study as made
from tests.small import filled, job
from tsxfer.checks.inside import look_inside
from tsxfer.core.results import Result
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.core.strategy import Strategy, named
from tsxfer.errors import SpecError, StoreError
from tsxfer.report import files, html
from tsxfer.report.build import build
from tsxfer.report.sections import sections
from tsxfer.running.runner import run
from tsxfer.stats.why import Layer, Why, keep
from tsxfer.store.workspace import Workspace

SOURCE = Trial("finance+sim@1", "convnetquake", "n=100", 0, Recipe(epochs=1))
TWIN = Trial("emg+sim@1", "convnetquake", "n=100", 0, Recipe(rate=3e-3, batch=16, epochs=6))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a trained source of one channel and a target of eight."""
    space = Workspace(tmp_path_factory.mktemp("inside"))
    space.make()
    filled(space, 400, ("emg+sim", "finance+sim"))
    run(job(space, SOURCE, keep=True))
    return space


def _rows(place: Workspace, strategy: str = "copy") -> tuple[Result, Result]:
    transfer = replace(TWIN, reuse=Reuse(SOURCE, strategy=named(strategy)))
    return run(job(place, transfer)), run(job(place, TWIN))


def test_layers_are_those_of_the_rows(place: Workspace) -> None:
    """Trained again, curves are the rows'; each layer is there, copied, in its block, and moved."""
    transfer, scratch = _rows(place)
    why = look_inside(transfer, scratch, place, "cpu")
    assert why.distance == 0
    assert [layer.block for layer in why.layers] == list(range(1, 10))
    assert all(layer.copied and layer.travel for layer in why.layers)
    first = why.layers[0]
    assert first.source_start is not None  # repeated kernels read the mean as the source did
    assert first.source_start == pytest.approx(1, abs=1e-6)


def test_layers_that_are_not_copied_have_no_source(place: Workspace) -> None:
    """Of first_2, layers from the third on are compared with their own start alone."""
    transfer, scratch = _rows(place, "first_2")
    layers = look_inside(transfer, scratch, place, "cpu").layers
    assert [layer.copied for layer in layers] == [True, True, *[False] * 7]
    assert [layer.source_end is None for layer in layers] == [False, False, *[True] * 7]
    assert all(layer.start_end is not None for layer in layers)


def test_what_cannot_be_looked_into_is_refused(place: Workspace, tmp_path: Path) -> None:
    """A scratch run, a head in closed form, and a source without weights are told as that."""
    transfer, scratch = _rows(place)
    with pytest.raises(SpecError, match="is no transfer"):
        look_inside(scratch, scratch, place, "cpu")
    assert transfer.trial.reuse is not None
    closed = replace(transfer.trial.reuse, strategy=Strategy("backbone", learn="probe"))
    with pytest.raises(SpecError, match="takes no steps"):
        look_inside(
            replace(transfer, trial=replace(transfer.trial, reuse=closed)), scratch, place, "cpu"
        )
    bare = Workspace(tmp_path)
    bare.make()
    bare.data("x").parent.mkdir(parents=True, exist_ok=True)
    for name in ("emg+sim@1", "finance+sim@1"):
        bare.data(name).symlink_to(place.data(name).resolve())
    with pytest.raises(StoreError, match="are not there"):
        look_inside(transfer, scratch, bare, "cpu")


def test_the_report_shows_what_was_seen(tmp_path: Path) -> None:
    """Table and figure stand in the report while the rows are the same, beside gains of first_K."""
    trials, rows = made(3, [0.5, 0.52, 0.51], [0.6, 0.61, 0.63])
    pairs = [t for t in trials if t.reuse]
    for trial in pairs:
        assert trial.reuse is not None
        first = replace(trial, reuse=replace(trial.reuse, strategy=Strategy(blocks=1)))
        score = {"macro_f1": 0.55}
        trials.append(first)
        rows[first.key] = replace(rows[trial.key], trial=first, scores=score)
    layer = Layer("conv1", 1, True, 1.0, 0.5, 0.4, 0.6, 0.1, 0.2, 0.3)
    row, twin = rows[pairs[0].key], rows[pairs[0].twin().key]
    scores = (twin.scores["macro_f1"], row.scores["macro_f1"])
    keep(Why(row.key, twin.key, scores, 0, 200, 0.0, (layer,)), tmp_path)
    report = build("s", trials, rows, folder=tmp_path)
    (found,) = report.explained
    assert found.first == {1: pytest.approx(0.04)}
    table = next(s for s in sections(report) if s.title == "Inside the network")
    assert table.rows[0][1:3] == ("conv1", "1")
    assert table.rows[0][-1] == "+0.040"
    assert "inside the network" in html.render(report)
    assert "Inside the network" in files.markdown(report)
    changed = {**rows, row.key: replace(row, scores={"macro_f1": 0.7})}
    assert build("s", trials, changed, folder=tmp_path).explained == ()
