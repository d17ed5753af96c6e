"""Kernels fitted to other channel counts: what each way keeps, and what stays apart."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from tests.small import filled, job
from tsxfer.core.models_index import model_names
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.core.strategy import CHANNELS, Channels, Strategy, named
from tsxfer.errors import SpecError
from tsxfer.models.base import Model, build
from tsxfer.running import setup
from tsxfer.running.runner import run, run_pack
from tsxfer.store.workspace import Workspace
from tsxfer.train import channels, reuse, weights

RECIPE = Recipe(epochs=1)
SOURCE = Trial(dataset="speech+sim@1", model="convnetquake", size="200", repeat=0, recipe=RECIPE)
SCRATCH = Trial(dataset="emg+sim@1", model="convnetquake", size="200", repeat=0, recipe=RECIPE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with small simulated sets and one pretrained source of one channel."""
    workspace = filled(Workspace(tmp_path_factory.mktemp("workspace")), 1200)
    assert run(job(workspace, SOURCE, keep=True)).status == "done"
    return workspace


def _model(name: str, count: int, seed: int = 0, apart: bool = False) -> Model:
    return build(name, channels=count, length=80, extra=1, outputs=3, seed=seed, apart=apart)


def _weights(model: Model) -> reuse.Weights:
    return {name: tensor.detach().clone() for name, tensor in reuse.tensors(model).items()}


def _transfer(way: Channels, start: str = "weights", **parts: object) -> Trial:
    strategy = Strategy(channels=way, **parts)  # type: ignore[arg-type]
    return replace(SCRATCH, reuse=Reuse(SOURCE, start=start, strategy=strategy))  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [1, 2, 3, 8])
@pytest.mark.parametrize("target", [1, 2, 3, 8])
def test_each_fitting_keeps_what_it_says(source: int, target: int) -> None:
    """One signal on all channels gives what it gave divided or spread, C/S as much repeated."""
    draw = torch.Generator().manual_seed(0)
    kernel = torch.randn(16, source, 5, generator=draw, dtype=torch.float64)
    signal = torch.randn(1, 1, 40, generator=draw, dtype=torch.float64)
    before = functional.conv1d(signal.expand(1, source, 40), kernel)

    def after(way: Channels) -> torch.Tensor:
        fitted = channels.WAYS[way](kernel, target)
        return functional.conv1d(signal.expand(1, target, 40), fitted)

    assert torch.allclose(after("divided"), before)
    assert torch.allclose(after("spread"), before)
    assert torch.allclose(after("repeat") * source / target, before)


def test_spread_filters_read_one_channel_each_and_together_all() -> None:
    """From one channel, filter f reads channel f mod 8 with the source's kernel alone."""
    kernel = torch.randn(32, 1, 3)
    fitted = channels.spread(kernel, 8)
    for f in range(32):
        assert torch.equal(fitted[f, f % 8], kernel[f, 0])
    assert fitted.count_nonzero() == kernel.count_nonzero()
    assert (channels.spread(torch.ones(32, 3, 3), 8).sum(dim=(0, 2)) == 36).all()  # all alike


@pytest.mark.parametrize("name", model_names())
@pytest.mark.parametrize("way", CHANNELS)
def test_every_model_takes_one_channel_to_eight_in_each_way(name: str, way: Channels) -> None:
    """What is copied is the source's as fitted, the audit names that, the rest is fresh."""
    source, strategy = _weights(_model(name, 1, seed=1)), Strategy(channels=way)
    model = _model(name, 8, apart=way == "independent")
    before = _weights(model)
    start = reuse.take_over(model, source, strategy=strategy)
    first = [n for n, t in before.items() if channels.differs(source.get(n), t)]
    assert bool(first) == (way != "independent")
    assert start.audit.get(way, []) == ([] if way == "fresh" else first)
    assert (
        set(start.audit["copied"]) >= set(reuse.transferred(model)) - set(first) or way == "fresh"
    )
    for name_, tensor in reuse.tensors(model).items():
        copied = name_ in start.audit["copied"]
        wanted = channels.fitted(name_, source[name_], tensor, way) if copied else before[name_]
        assert torch.equal(tensor, wanted)
    assert way != "fresh" or not set(first) & set(start.audit["copied"])


def test_fresh_renews_the_bias_of_the_layer_too() -> None:
    """A bias belongs to the kernel beside it, so neither is copied."""
    start = reuse.take_over(
        _model("convnetquake", 8),
        _weights(_model("convnetquake", 1, 1)),
        strategy=named("copy+fresh"),
    )
    first = {"backbone.convolutions.0.weight", "backbone.convolutions.0.bias"}
    assert first <= set(start.audit["renewed"])
    assert "backbone.convolutions.1.bias" in start.audit["copied"]


@pytest.mark.parametrize("name", model_names())
def test_independent_channels_do_not_see_each_other(name: str) -> None:
    """Another signal on one channel changes its own features: a block of the backbone's width."""
    model = _model(name, 4, apart=True).eval()
    x = torch.randn(2, 4, 80)
    other = x.clone()
    other[:, 2] = torch.randn(2, 80)
    same = (model.features(x) == model.features(other)).view(2, 4, -1).all(dim=2)
    assert same.tolist() == [[True, True, False, True]] * 2
    assert model(x, torch.zeros(2, 1)).shape == (2, 3)


def test_ways_are_trials_of_their_own_that_train(place: Workspace) -> None:
    """Five fittings from one source give five rows; frozen ones keep the bits that were fitted."""
    trials = [_transfer(way) for way in CHANNELS] + [_transfer("spread", learn="frozen")]
    rows = [run(job(place, trial)) for trial in trials]
    assert [row.status for row in rows] == ["done"] * 6
    assert len({row.key for row in rows}) == len({tuple(row.curve["score"]) for row in rows}) == 6
    assert rows[2].audit["spread"] == ["backbone.convolutions.0.weight"]


def test_independent_packs_give_the_numbers_of_their_trials_alone(place: Workspace) -> None:
    """Repeats together and apart have the same scores."""
    trials = [replace(_transfer("independent"), repeat=repeat) for repeat in (0, 1)]
    together = run_pack([job(place, trial) for trial in trials])
    assert [row.scores for row in together] == [run(job(place, t)).scores for t in trials]


def test_an_untrained_source_is_what_the_source_began_with(place: Workspace) -> None:
    """Its tensors are those of the source's network at its first step, fitted by the same rule."""
    found = setup.untrained(SOURCE, place)
    began = setup.begin(SOURCE, place, "cpu").replicas[0].model
    for name, tensor in reuse.tensors(began).items():
        assert name.startswith("head.") or torch.equal(found[name], tensor)
    begun = setup.begin(_transfer("spread", "untrained"), place, "cpu")
    kernel = dict(begun.replicas[0].model.named_parameters())["backbone.convolutions.0.weight"]
    assert torch.equal(
        kernel.detach(), channels.spread(found["backbone.convolutions.0.weight"], 8).detach()
    )
    trained = weights.load(place.weights(SOURCE.key))
    assert not torch.equal(
        trained["backbone.convolutions.0.weight"], found["backbone.convolutions.0.weight"]
    )


def test_placebos_are_made_before_they_are_fitted(place: Workspace) -> None:
    """A permuted source of one channel is repeated on all of the target's, as the weights are."""
    begun = setup.begin(_transfer("repeat", "permuted"), place, "cpu")
    kernel = dict(begun.replicas[0].model.named_parameters())["backbone.convolutions.0.weight"]
    assert torch.equal(kernel, kernel[:, :1].expand_as(kernel))
    source = weights.load(place.weights(SOURCE.key))["backbone.convolutions.0.weight"]
    assert torch.equal(kernel[:, 0].flatten().sort()[0], source.flatten().sort()[0])
    assert not torch.equal(kernel[:, :1], source)


def test_the_paper_profile_repeats(tmp_path: Path) -> None:
    """Another fitting under the paper profile is refused with what mends it."""
    with pytest.raises(SpecError, match="'spread' is not of the paper profile") as caught:
        replace(_transfer("spread"), profile="paper")
    assert "--profile strict" in (caught.value.mend or "")
