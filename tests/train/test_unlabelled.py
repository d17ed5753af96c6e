"""Sources that learn without labels, from several data sets at once, or one after the other."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.small import filled, job
from tsxfer.core.doors import OBJECTIVES, facts
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.data.task import SealedTest
from tsxfer.errors import SpecError
from tsxfer.models.base import build
from tsxfer.running import setup
from tsxfer.running.runner import run, run_pack
from tsxfer.store.rows import from_record, to_line
from tsxfer.store.workspace import Workspace
from tsxfer.train import distort, loop, reuse, unlabelled, weights
from tsxfer.train import pretext as pretexts

RECIPE = Recipe(epochs=2)
SCRATCH = Trial(dataset="emg+sim@1", model="convnetquake", size="150", repeat=0, recipe=RECIPE)
SOURCE = Trial(dataset="local_eq+sim@1", model="convnetquake", size="150", repeat=0, recipe=RECIPE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with small simulated sets."""
    return filled(Workspace(tmp_path_factory.mktemp("workspace")), 600)


_job = partial(job, keep=True)


def _blind(objective: str, trial: Trial = SOURCE) -> Trial:
    return replace(trial, recipe=replace(RECIPE, objective=objective))  # type: ignore[arg-type]


def _part(count: int = 40, channels: int = 2, length: int = 100) -> loop.Batch:
    draw = torch.Generator().manual_seed(0)
    time = torch.arange(length) / length
    pitch = 2 + 6 * torch.rand(count, channels, 1, generator=draw)
    x = torch.sin(6.28 * pitch * time + 6 * torch.rand(count, channels, 1, generator=draw))
    return loop.Batch(x, torch.rand(count, 1, generator=draw), torch.zeros(count))


@pytest.mark.parametrize("objective", ["masked", "contrastive"])
def test_a_source_learns_and_opens_no_label(
    place: Workspace, objective: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is whole, better than the blind answer, and the seal of the test labels holds."""

    def refuse(*_: object) -> None:
        raise AssertionError("a label was opened")

    monkeypatch.setattr(SealedTest, "open", refuse)
    trial = _blind(objective)
    recipe = replace(trial.recipe, epochs=20, patience=20, rate=0.003, batch=32)
    trial = replace(trial, recipe=recipe)
    row = run(_job(place, trial))
    assert row.status == "done", row.error
    assert row.metric == facts(OBJECTIVES, objective)["metric"]
    better = row.scores[row.metric] - row.chance[row.metric]
    assert better < -0.05 if objective == "masked" else better > 0.02
    assert from_record(json.loads(to_line(row))) == row
    assert row.labels == ("simulated",)


@pytest.mark.parametrize("objective", ["masked", "contrastive"])
def test_labels_change_nothing_in_an_unlabelled_source(
    place: Workspace, tmp_path: Path, objective: str
) -> None:
    """With every label of the data set replaced, the same weights come out."""
    first = run(_job(place, _blind(objective)))
    kept = weights.load(place.weights(first.key))
    other = Workspace(tmp_path / "w")
    shutil.copytree(place.root / "data", other.root / "data")
    folder = other.data(SOURCE.dataset)
    labels = np.load(folder / "y.npy")
    np.save(folder / "y.npy", labels[::-1] + 1)
    facts = json.loads((folder / "meta.json").read_text())
    del facts["arrays"]  # else the changed array is found out
    (folder / "meta.json").write_text(json.dumps(facts))
    second = run(_job(other, _blind(objective)))
    assert second.scores == first.scores
    for name, tensor in weights.load(other.weights(second.key)).items():
        assert torch.equal(tensor, kept[name])


@pytest.mark.parametrize("objective", ["masked", "contrastive"])
@pytest.mark.parametrize("model", ["convnetquake", "magnet", "mlstm_fcn", "tcn"])
def test_every_backbone_learns_without_labels(model: str, objective: str) -> None:
    """Some steps lower the validation loss on windows that have something to learn."""
    part = _part()
    method = pretexts.of(objective, 2, 100)
    made = build(model, channels=2, length=100, extra=1, outputs=3, seed=0)
    torch.manual_seed(0)
    made.head = method.head(made.backbone.features + 1)
    asked, score, blind = method.pretext(part, 1)
    replica = loop.Replica(
        model=made,
        train=part,
        validation=asked,
        score=score,
        order=np.random.default_rng(0),
        dropout=0,
        objective=method.objective(),
    )
    fit = loop.fit([replica], loop.Rules(Recipe(epochs=25, batch=20, patience=25, rate=0.003)))[0]
    assert fit.monitor[fit.best] > fit.monitor[0]
    assert np.isfinite(blind)


def test_what_is_hidden_is_not_seen() -> None:
    """Hidden stretches reach the network as zeros, the rest as it is, and only they are judged."""
    method, part = unlabelled.Masked(2, 100), _part(8)
    hidden = torch.zeros(8, method.count)
    hidden[:, 3] = 1
    seen = method.hide(part.x, hidden)
    at = slice(3 * method.width, 4 * method.width)
    assert torch.equal(seen[:, :, at], torch.zeros_like(seen[:, :, at]))
    rest = torch.ones(100, dtype=torch.bool)
    rest[at] = False
    assert torch.equal(seen[:, :, rest], part.x[:, :, rest])
    truth = method.spectra(part.x)
    answer = torch.zeros_like(truth)
    answer[:, 3] = truth[:, 3]
    assert float(method.error(answer.flatten(1), truth, hidden)) == 0
    assert float(method.error(torch.zeros_like(truth), truth, hidden)) > 0.1


def test_the_amplitude_gives_no_window_away() -> None:
    """Views of a window share no number beside it that would tell them from the others."""
    method, part = unlabelled.Contrastive(2, 100), _part()
    asked, _, _ = method.pretext(part, 0)
    assert float(asked.extra.abs().max()) == 0
    assert len(asked.x) == 2 * len(part.x)
    model = build("tcn", channels=2, length=100, extra=1, outputs=3, seed=0)
    torch.manual_seed(0)
    model.head = method.head(model.backbone.features + 1)
    rows = torch.arange(10)

    def loss(part: loop.Batch) -> float:
        random = torch.Generator().manual_seed(3)
        return float(method.objective()(model, part, rows, random).detach())

    assert loss(part) == loss(replace(part, extra=part.extra * 100))


def test_perfect_and_blind_answers_are_told_apart() -> None:
    """Equal projections of two views score 1; one projection for all is a guess among 2 n - 1."""
    method = unlabelled.Contrastive(2, 100)
    _, score, blind = method.pretext(_part(64), 0)
    own = np.eye(64, dtype=np.float32)
    assert score(np.concatenate([own, own]))[1] == 1
    assert blind == pytest.approx(1 / 127)


def test_views_keep_shape_and_change_values() -> None:
    """A view is a window of the same shape, another each time, the same from the same stream."""
    x = _part().x
    random = torch.Generator().manual_seed(0)
    a, b = distort.view(x, random), distort.view(x, random)
    again = distort.view(x, torch.Generator().manual_seed(0))
    assert a.shape == x.shape
    assert torch.equal(a, again)
    assert not torch.equal(a, b)
    assert bool(torch.isfinite(a).all())


def test_a_window_of_few_samples_is_no_fault() -> None:
    """Short windows are cut into stretches of one sample, and views stay in bounds."""
    part = _part(6, 1, 5)
    for objective in ("masked", "contrastive"):
        asked, score, _ = pretexts.of(objective, 1, 5).pretext(part, 0)
        assert np.isfinite(score(np.ones((len(asked.x), 5), np.float32))[0])


def test_a_pooled_source_learns_from_all(place: Workspace) -> None:
    """One source's kernels depend on the others' windows; heads and others stay out of the file."""
    pooled = replace(SOURCE, pool=("emg+sim@1", "finance+sim@1"))
    row = run(_job(place, pooled))
    assert row.status == "done", row.error
    assert set(row.data) == {SOURCE.dataset, *pooled.pool}
    alone = run(_job(place, SOURCE))
    kept, single = (weights.load(place.weights(r.key)) for r in (row, alone))
    assert kept.keys() == single.keys()
    name = "backbone.convolutions.4.weight"
    assert not torch.equal(kept[name], single[name])
    moved = run(_job(place, replace(SCRATCH, reuse=Reuse(pooled)), keep=False))
    assert moved.status == "done"
    assert len(moved.audit["copied"]) == 18


def test_pooled_models_share_what_transfer_copies(place: Workspace) -> None:
    """One parameter object in all of them, but for the first layer of another width."""
    begun = setup.begin(replace(SOURCE, pool=("emg+sim@1",)), place, "cpu")
    model = begun.replicas[0].model
    other = model.pooled[0]  # type: ignore[index]
    names = reuse.transferred(other)
    shared = [n for n in names if other.get_parameter(n) is model.get_parameter(n)]
    assert set(names) - set(shared) == {"backbone.convolutions.0.weight"}
    owned = [n for n, _ in model.named_parameters() if n.startswith("pooled.")]
    assert owned
    assert not any(n.endswith("convolutions.3.weight") for n in owned)


def test_a_source_continues_from_another(place: Workspace) -> None:
    """One after the other: convolutions start from the first source's, the head is new."""
    run(_job(place, SOURCE))
    later = replace(SOURCE, dataset="finance+sim@1", after=SOURCE)
    row = run(_job(place, later))
    assert row.status == "done", row.error
    assert len(row.audit["copied"]) == 18
    assert {n.partition(".")[0] for n in row.audit["renewed"]} == {"head"}
    assert set(row.data) == {"finance+sim@1", SOURCE.dataset}
    averaged = replace(SCRATCH, reuse=Reuse(SOURCE, also=(later,)))
    moved = run(_job(place, averaged, keep=False))
    assert moved.status == "done", moved.error
    assert moved.trial.source == "local_eq+sim@1 & finance+sim@1"


def test_a_missing_ancestor_is_named(place: Workspace) -> None:
    """Of several sources, the failed row says which one has no weights."""
    assert run(_job(place, SOURCE)).status == "done"  # in whatever order tests come
    gone = replace(SOURCE, repeat=9)
    row = run(_job(place, replace(SCRATCH, reuse=Reuse(SOURCE, also=(gone,)))))
    assert row.status == "failed"
    assert "repeat 9" in row.error


def test_every_strategy_runs_on_equal_terms(place: Workspace) -> None:
    """Subset, budget, split and test are the scratch run's in each strategy, and scores differ."""
    from tsxfer.core.strategy import STRATEGIES

    run(_job(place, SOURCE))
    base = replace(SCRATCH, recipe=replace(RECIPE, epochs=5))  # stages have ended by then
    scratch = run(_job(place, base, keep=False))
    seen = set()
    others = ("renorm", "zero_shot")  # which need a normalisation, and classes of the source
    for name, strategy in STRATEGIES.items():
        if name in others:
            continue
        row = run(_job(place, replace(base, reuse=Reuse(SOURCE, strategy=strategy)), keep=False))
        assert row.status == "done", (name, row.error)
        for what in ("subset", "sizes", "ledger", "split", "alignment", "metric"):
            assert getattr(row, what) == getattr(scratch, what)
        assert row.cost["way"] == ("closed form" if name == "probe" else "turns")
        seen.add((tuple(row.curve["score"]), name if name in ("full", "copy") else ""))
    assert len(seen) == len(STRATEGIES) - len(others)


def test_renormalising_needs_a_layer_for_it(place: Workspace) -> None:
    """A model without normalisation says so and names models that have it."""
    run(_job(place, SOURCE))
    from tsxfer.core.strategy import named

    with pytest.raises(SpecError, match="mlstm_fcn"):
        run(_job(place, replace(SCRATCH, reuse=Reuse(SOURCE, strategy=named("renorm")))))
    mlstm = replace(SOURCE, model="mlstm_fcn", recipe=Recipe(epochs=1))
    run(_job(place, mlstm))
    target = replace(SCRATCH, model="mlstm_fcn", reuse=Reuse(mlstm, strategy=named("renorm")))
    row = run(_job(place, target, keep=False))
    assert len(row.audit["renormalised"]) == 6
    assert set(row.audit["renormalised"]) <= set(row.audit["frozen"])


def test_baselines_of_a_backbone(place: Workspace) -> None:
    """Random convolutions take no step; the strong scratch tries rates of all layers."""
    random = run(_job(place, replace(SCRATCH, baseline="random_convolutions"), keep=False))
    assert (random.status, random.cost["steps"]) == ("done", 0)
    assert random.audit["copied"] == []
    recipe = replace(RECIPE, tune=(0.3, 1.0, 3.0), augment="light")
    strong = run(_job(place, replace(SCRATCH, recipe=recipe, baseline="strong"), keep=False))
    assert strong.status == "done"
    assert strong.ledger["tries"] == 3
    assert strong.chosen["rate_multiplier"] in recipe.tune


def test_packs_of_unlabelled_sources_give_the_same_bits(place: Workspace) -> None:
    """Chance of masks and views is each replica's own."""
    for objective in ("masked", "contrastive"):
        pack = [replace(_blind(objective), repeat=number) for number in (3, 4)]
        together = run_pack([_job(place, trial) for trial in pack])
        for row in together:
            place.weights(row.key).unlink()
            assert run(_job(place, row.trial)).curve == row.curve
