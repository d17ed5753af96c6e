"""Weights made elsewhere in a study: pairs, controls, keys, labels and what they may have seen."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import save_file

from tests.small import filled, job
from tsxfer.api.engine import How
from tsxfer.api.planning import planned
from tsxfer.api.training import train
from tsxfer.checks.found import Found
from tsxfer.checks.reproduce import RerunOptions, fitting, reproduce
from tsxfer.core.cautions import Caution
from tsxfer.core.expansion import expand
from tsxfer.core.names import is_given
from tsxfer.core.results import Result
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.core.study import Study
from tsxfer.data import overlap
from tsxfer.errors import DataError, SpecError, StoreError
from tsxfer.models.base import build
from tsxfer.own import weights
from tsxfer.running.engines import wire
from tsxfer.running.engines.flight import fly
from tsxfer.running.fingerprints import fingerprints
from tsxfer.running.given import check
from tsxfer.running.runner import run
from tsxfer.running.supply import Pack, Supply
from tsxfer.store import given
from tsxfer.store.workspace import Workspace
from tsxfer.train import reuse

TARGET = "finance+sim@1"
ONE_STEP = Recipe(epochs=1)


def _saved(path: Path, channels: int = 1, **facts: str) -> Path:
    model = build("convnetquake", channels=channels, length=50, extra=0, outputs=1, seed=5)
    held = {f"module.{n}": t.clone() for n, t in reuse.tensors(model.backbone).items()}
    save_file(held, path, facts)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a small target and a prepared set that weights may have learned from."""
    folder = tmp_path_factory.mktemp("given")
    return filled(Workspace(folder / "ws"), 700, ("finance+sim", "emg+sim"))


@pytest.fixture(scope="module")
def stranger(place: Workspace) -> given.Given:
    """Weights of which nobody has said what they learned from."""
    return weights.bring(str(_saved(place.root / "x.safetensors")), (), place)


def _study(*names: str, **changes: object) -> Study:
    plain = Study(
        name="s",
        sources=names,
        targets=(TARGET,),
        sizes=("n=60",),
        repeats=3,
        recipe=ONE_STEP,
        channels={TARGET: 1, **dict.fromkeys(names, 1)},
        given=dict.fromkeys(filter(is_given, names), 1),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def _ran(place: Workspace, trial: Trial) -> Result:
    return run(job(place, trial))


def test_nothing_of_them_is_trained_and_pairs_are_whole(stranger: given.Given) -> None:
    """Each repeat has its scratch twin; no trial has the weights as its data."""
    trials = expand(_study(stranger.name, controls=("permuted", "untrained")))
    keys = {t.key for t in trials}
    assert not any(t.given for t in trials)
    assert len(trials) == 3 * 4
    assert all(t.twin().key in keys for t in trials if t.reuse)


def test_several_trainings_are_taken_in_turn(stranger: given.Given) -> None:
    """Repeat i starts from training i modulo how many there are."""
    study = replace(_study(stranger.name, repeats=5), given={stranger.name: 2})
    starts = [t.reuse.source.repeat for t in expand(study) if t.reuse]
    assert starts == [0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    "asked", [{"controls": ("shuffled",)}, {"objectives": ("masked",)}, {"combine": ("average",)}]
)
def test_what_would_train_them_is_refused(asked: dict, stranger: given.Given) -> None:
    """Shuffled labels, objectives and combinations are of sources that are trained here."""
    with pytest.raises(SpecError, match="trained elsewhere"):
        _study(stranger.name, "emg+sim@1", **asked)


def test_a_transfer_copies_them_and_says_so(place: Workspace, stranger: given.Given) -> None:
    """Tensors are the file's, the row holds their hash, and its labels what is not known."""
    origin = Trial(stranger.name, "convnetquake", "all", 0)
    frozen = replace(Reuse(origin).strategy, learn="frozen")
    trial = Trial(TARGET, "convnetquake", "n=60", 0, ONE_STEP, reuse=Reuse(origin, strategy=frozen))
    row = _ran(place, trial)
    assert row.status == "done"
    assert "backbone.convolutions.0.weight" in row.audit["frozen"]  # to the bit, by check_frozen
    assert row.data[stranger.name] == stranger.digest
    assert row.data == fingerprints(place, trial)
    assert Caution.UNKNOWN_OVERLAP.of(stranger.name) in row.labels
    assert Caution.PRETRAINED.of(stranger.said) in row.labels
    assert row.overlap[-1].unknown


def test_workers_of_a_cluster_and_a_reproduction_start_from_them(
    place: Workspace, stranger: given.Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by a relative path and run in another folder, through JSON: the very same numbers."""
    origin = Trial(stranger.name, "convnetquake", "all", 0)
    trial = Trial(TARGET, "convnetquake", "n=60", 1, ONE_STEP, reuse=Reuse(origin))
    monkeypatch.chdir(place.root.parent)
    pack = (job(Workspace(Path(place.root.name)), trial),)
    cluster = Elsewhere(tmp_path)
    (row,) = fly(Supply([pack]), cluster)
    assert row.status == "done"
    assert row.data[stranger.name] == stranger.digest
    assert row.audit["copied"]
    rows = fitting([Found("s", row, None)], place, RerunOptions())
    (made,) = reproduce(rows, place, RerunOptions())
    assert made.agreement.verdict == "identical"
    given_folder = place.root / given.FOLDER / stranger.name
    given_folder.rename(tmp_path / "away")
    with pytest.raises(SpecError, match="are not in this workspace"):
        list(fly(Supply([pack]), cluster))
    (tmp_path / "away").rename(given_folder)


class Elsewhere:
    """A cluster of one worker, which starts in another folder; texts alone cross."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def most(self) -> int:
        """One pack at a time."""
        return 1

    def start(self, packs: Sequence[Pack], busy: int) -> dict[str, list[Pack]]:
        """The text is the handle."""
        del busy
        return {wire.to_text(pack): [pack] for pack in packs}

    def ended(self, running: Sequence[str], seconds: float) -> list[str]:
        """All at once."""
        del seconds
        return list(running)

    def answers(self, handle: str) -> list[str] | None:
        """What the worker says."""
        with contextlib.chdir(self.folder):
            return [wire.work(handle)]

    def stop(self, running: Sequence[str]) -> None:
        """Nothing runs on."""


def test_controls_start_elsewhere(place: Workspace, stranger: given.Given) -> None:
    """A permuted and an untrained start are other starts of the same network."""
    origin = Trial(stranger.name, "convnetquake", "all", 0)
    rows = [
        _ran(
            place, Trial(TARGET, "convnetquake", "n=60", 0, ONE_STEP, reuse=Reuse(origin, start=s))
        )
        for s in ("weights", "permuted", "untrained")  # type: ignore[arg-type]
    ]
    assert all(row.status == "done" for row in rows)
    assert len({row.begin for row in rows}) == 3


def test_what_they_are_said_of_is_compared(place: Workspace) -> None:
    """Of a prepared set all windows count: a target that was learned from is refused."""
    path = str(_saved(place.root / "seen.safetensors", channels=8))
    fair = weights.bring(path, ("emg+sim",), place)
    unfair = weights.bring(path, ("finance+sim", "emg+sim"), place)
    half = weights.bring(path, ("emg+sim", "AudioSet"), place)
    found = {}
    for card in (fair, unfair, half):
        trial = expand(_study(card.name))[-1]
        found[card.name] = overlap.of_trial(place, trial)[-1]
    assert (found[fair.name].refused, found[fair.name].unknown) == (False, False)
    assert found[unfair.name].windows == found[unfair.name].test
    assert found[half.name].unknown
    with pytest.raises(DataError, match="has seen"):
        overlap.refuse(place, expand(_study(unfair.name)))


def test_simulated_weights_stay_simulated(place: Workspace) -> None:
    """The label is not lost on the way through a file."""
    card = weights.bring(str(_saved(place.root / "own.safetensors")), ("speech+sim@1",), place)
    assert Caution.SIMULATED in card.warnings


def test_changed_files_and_other_models_are_refused(place: Workspace) -> None:
    """Before anything is trained: a file that is not its card's, a model that does not fit."""
    card = weights.bring(str(_saved(place.root / "y.safetensors", channels=2)), ("a",), place)
    trials = expand(_study(card.name))
    assert "module.* -> backbone.*" in check(trials, place)[0]
    with pytest.raises(SpecError, match=r"as tcn: the weights .* no tensor in common") as caught:
        check(expand(_study(card.name, models=("tcn",))), place)
    assert caught.value.mend == "they fit --model convnetquake"
    _saved(place.root / given.FOLDER / card.name / "any-0.safetensors", channels=3)
    with pytest.raises(StoreError, match="not those of its card"):
        check(trials, place)
    (place.root / given.FOLDER / card.name / given.CARD).write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        given.read(card.name, place)


def test_plan_refuses_what_run_refuses_and_nothing_is_left(
    stranger: given.Given, place: Workspace, tmp_path: Path
) -> None:
    """In the same words, before the target's data is made; no study is left in the results."""
    elsewhere = Workspace(tmp_path / "ws")
    shutil.copytree(place.root / given.FOLDER, elsewhere.root / given.FOLDER)
    misfit = _study(stranger.name, models=("tcn",))
    with pytest.raises(SpecError, match="no tensor in common") as planning:
        planned(misfit, elsewhere)
    assert not elsewhere.has(TARGET)
    with pytest.raises(SpecError) as running:
        train(misfit, place, How("cpu", progress=False))
    assert str(planning.value) == str(running.value)
    wrong = _study(stranger.name, overlap="label")
    with pytest.raises(SpecError, match="gpu"):
        train(wrong, place, How("gpu", progress=False))
    assert not any(one.results(misfit.name).exists() for one in (place, elsewhere))


def test_plan_shows_how_names_were_mapped(
    stranger: given.Given, place: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """As run does, where the weights fit; the analysis is declared then."""
    planned(_study(stranger.name), place)
    assert f"{stranger.name} as convnetquake: 18 tensors, module.*" in capsys.readouterr().err


def test_a_model_that_was_kept_says_what_it_has_seen(tmp_path: Path) -> None:
    """Its header names target and source, and whether they were simulated."""
    facts = {"model": "tcn", "target": "mine+own@1", "source": "emg+sim@1", "simulated": True}
    path = _saved(tmp_path / "weights.safetensors", **{"tsxfer.row": json.dumps(facts)})
    card = weights.bring(str(path), (), Workspace(tmp_path / "ws"))
    assert (card.model, card.simulated) == ("tcn", True)
    assert card.trained_on == ("mine+own@1", "emg+sim@1")
