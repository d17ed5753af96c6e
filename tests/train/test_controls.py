"""Placebo starts, shuffled labels and the rest of a target: what they keep and what they break."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.small import filled, job
from tsxfer.core.specs import NOISE, Recipe, Reuse, Trial
from tsxfer.core.strategy import named
from tsxfer.data import catalogue
from tsxfer.data.task import load_task
from tsxfer.errors import DataError
from tsxfer.models.base import Model, build
from tsxfer.running.runner import run
from tsxfer.store.workspace import Workspace
from tsxfer.train import reuse, weights

RECIPE = Recipe(epochs=1)
SOURCE = Trial(dataset="local_eq+sim@1", model="convnetquake", size="200", repeat=0, recipe=RECIPE)
SCRATCH = Trial(dataset="emg+sim@1", model="convnetquake", size="200", repeat=0, recipe=RECIPE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with small simulated sets."""
    return filled(Workspace(tmp_path_factory.mktemp("workspace")), 1200)


def _model(seed: int, channels: int = 8) -> Model:
    return build("convnetquake", channels=channels, length=80, extra=1, outputs=4, seed=seed)


def _trained(channels: int = 8) -> reuse.Weights:
    return {name: p.detach() for name, p in _model(2, channels).named_parameters()}


@pytest.mark.parametrize("channels", [3, 8])
def test_permuted_tensors_hold_the_same_values_in_another_order(channels: int) -> None:
    """Sorted values are the source's, tensor by tensor, before fitting; the order is not."""
    plain, placebo = _model(1), _model(1)
    source = _trained(channels)
    shuffled = reuse.started(source, "permuted", "k", 0)
    reuse.take_over(plain, reuse.started(source, "weights"))
    audit = reuse.take_over(placebo, shuffled).audit
    a, b = dict(plain.named_parameters()), dict(placebo.named_parameters())
    for name in audit["copied"]:
        assert torch.equal(source[name].flatten().sort()[0], shuffled[name].flatten().sort()[0])
        assert a[name].unique().numel() < 3 or not torch.equal(a[name], b[name])
    assert all(torch.equal(a[name], b[name]) for name in audit["renewed"])


def test_a_random_start_has_the_moments_of_each_tensor() -> None:
    """Mean and standard deviation are the source's; the values are others, and normal."""
    model, source = _model(1), _trained()
    found = reuse.started(source, "moments", "k", 0)
    assert set(found) == {n for n in source if n.startswith("backbone.")}
    for name in reuse.transferred(model):
        tensor = found[name]
        assert tensor.mean().item() == pytest.approx(source[name].mean().item(), abs=1e-6)
        assert tensor.std(correction=0).item() == pytest.approx(
            source[name].std(correction=0).item(), abs=1e-6
        )
    kernel = next(n for n, t in found.items() if t.numel() > 2000)
    z = (found[kernel] - found[kernel].mean()) / found[kernel].std()
    assert abs(float((z**4).mean()) - 3) < 0.5  # the source's own start is uniform or trained
    assert not torch.equal(found[kernel], source[kernel])


def test_a_placebo_depends_on_source_and_repeat_alone() -> None:
    """The same names give the same start, another repeat or source gives another."""
    model, source = _model(1), _trained()
    kernel = reuse.transferred(model)[0]
    for start in ("permuted", "moments"):
        first = reuse.started(source, start, "k", 0)[kernel]
        assert torch.equal(first, reuse.started(source, start, "k", 0)[kernel])
        assert not torch.equal(first, reuse.started(source, start, "k", 1)[kernel])
        assert not torch.equal(first, reuse.started(source, start, "j", 0)[kernel])


def test_shuffled_labels_keep_their_histogram_and_nothing_else(place: Workspace) -> None:
    """The same windows and label counts in each part; about as many labels fit as by chance."""
    true = load_task(place, SCRATCH)
    task = load_task(place, replace(SCRATCH, recipe=replace(RECIPE, labels="shuffled")))
    assert np.array_equal(task.train.x, true.train.x)
    assert task.subset.digest == true.subset.digest
    for a, b in ((task.train_y, true.train_y), (task.validation_y, true.validation_y)):
        assert np.array_equal(np.bincount(a), np.bincount(b))
        assert 0.1 < np.mean(a == b) < 0.45  # four classes
    assert np.array_equal(task.truth, task.validation_y)
    assert np.array_equal(task.test.open("c"), true.test.open("c"))


def test_shuffled_prices_keep_their_level(place: Workspace) -> None:
    """What is learned is shuffled, so labels stay near their window's last close."""
    trial = Trial("finance+sim@1", "tcn", "300", 0)
    true = load_task(place, trial)
    task = load_task(place, replace(trial, recipe=Recipe(labels="shuffled")))
    assert np.allclose(np.sort(task.train_y), np.sort(true.train_y))
    assert abs(np.corrcoef(task.train_y, true.train_y)[0, 1]) < 0.3
    assert np.allclose(
        task.truth, task.scaler.unscaled(task.validation_y, task.validation), rtol=1e-6
    )
    assert np.corrcoef(task.truth, true.truth)[0, 1] > 0.9


@pytest.mark.parametrize("profile", ["strict", "paper"])
def test_the_rest_of_a_target_is_apart_from_all_else(place: Workspace, profile: str) -> None:
    """No instance of the subset, of the validation or of the test part is in the source's data."""
    trial = replace(SCRATCH, profile=profile)
    own, rest = load_task(place, trial), load_task(place, replace(trial, part="rest"))
    seen = {*rest.subset.train.tolist(), *rest.subset.validation.tolist()}
    assert len(seen) == len(rest.subset.train) + len(rest.subset.validation) > 100
    assert not seen & {*own.subset.train.tolist(), *own.subset.validation.tolist()}
    assert not seen & set(own.test.rows.tolist())
    group = np.asarray(own.prepared.array("group"))
    chosen = set(group[rest.subset.validation].tolist())
    assert not chosen & set(group[rest.subset.train].tolist())
    if profile == "strict":  # whole people are kept apart
        others = np.concatenate([own.subset.validation, own.test.rows])
        assert not set(group[list(seen)].tolist()) & set(group[others].tolist())


def test_no_rest_is_said_with_a_mend(place: Workspace) -> None:
    """A subset that is the whole pool leaves nothing, and the message says what to leave out."""
    with pytest.raises(DataError, match="leave in_domain out"):
        load_task(place, replace(SCRATCH, size="all", part="rest"))


def test_controls_have_the_terms_of_their_twin(place: Workspace) -> None:
    """Subset, budget, split and test are the scratch run's; only where weights start differs."""
    shuffled = replace(SOURCE, recipe=replace(RECIPE, labels="shuffled"))
    rest = replace(SCRATCH, part="rest")
    for source in (SOURCE, shuffled, rest):
        row = run(job(place, source, keep=True))
        assert ("shuffled labels" in row.labels) == (source is shuffled)
    starts = [
        Reuse(SOURCE),
        Reuse(SOURCE, start="permuted"),
        Reuse(SOURCE, start="moments"),
        Reuse(SOURCE, strategy=named("frozen"), start="permuted"),
        Reuse(shuffled),
        Reuse(rest),
    ]
    scratch = run(job(place, SCRATCH))
    rows = [run(job(place, replace(SCRATCH, reuse=start))) for start in starts]
    for row in rows:
        assert row.trial.twin() == SCRATCH
        for name in ("subset", "sizes", "ledger", "split", "alignment", "loss", "metric"):
            assert getattr(row, name) == getattr(scratch, name)
    assert len({tuple(row.curve["score"]) for row in rows}) == len(rows)


def test_only_true_pretrainings_are_found_by_name(place: Workspace, tmp_path: Path) -> None:
    """`fit --source` never starts from a control's source."""
    from tsxfer.errors import SpecError
    from tsxfer.keep.saved import find_source

    alone = Workspace(tmp_path)
    shuffled = replace(SOURCE, recipe=replace(RECIPE, labels="shuffled"))
    true, odd = (run(job(place, t, keep=True)) for t in (SOURCE, shuffled))
    for row in (odd, true):
        kept = place.weights(row.key)
        path = alone.weights(row.key)
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(kept.read_bytes())
        if row is odd:
            with pytest.raises(SpecError, match="no convnetquake pretrained"):
                find_source("local_eq", "convnetquake", alone)
    assert find_source("local_eq", "convnetquake", alone).path.stem == true.key
    assert weights.row(alone.weights(odd.key)) is not None


def test_noise_has_nothing_to_teach() -> None:
    """No spectrum distinguishes labels; both colours are there; the control names this set."""
    found = catalogue.find(NOISE)
    assert found.simulate is not None
    made = found.simulate(2000, np.random.default_rng(3))
    power = np.abs(np.fft.rfft(made.x[:, 0])) ** 2
    low = power[:, 1:9].sum(axis=1) / power[:, 1:].sum(axis=1)
    assert {bool(v) for v in low > 0.3} == {True, False}
    by_class = [low[made.y == name].mean() for name in np.unique(made.y)]
    assert max(by_class) - min(by_class) < 0.06
    assert np.allclose(made.x.std(axis=(1, 2)), 1, atol=0.25)
