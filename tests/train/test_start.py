"""What is seen of a network before training, layers scaled by what they give, stuck runs."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.small import filled, job
from tsxfer.core.models_index import model_names
from tsxfer.core.seen import Learned
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.core.strategy import Strategy, named
from tsxfer.errors import SpecError
from tsxfer.models.base import Model, build
from tsxfer.running.runner import run
from tsxfer.store.rows import from_record, to_line
from tsxfer.store.workspace import Workspace
from tsxfer.train import norms, reuse, start

RECIPE = Recipe(epochs=2)
SOURCE = Trial(dataset="speech+sim@1", model="convnetquake", size="200", repeat=0, recipe=RECIPE)
SCRATCH = Trial(dataset="emg+sim@1", model="convnetquake", size="200", repeat=0, recipe=RECIPE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with small simulated sets and one pretrained source."""
    workspace = filled(Workspace(tmp_path_factory.mktemp("workspace")), 1200)
    assert run(job(workspace, SOURCE, keep=True)).status == "done"
    return workspace


def _model(name: str) -> Model:
    return build(name, channels=3, length=80, extra=1, outputs=3, seed=0)


def _windows(count: int = 40) -> torch.Tensor:
    return torch.randn(count, 3, 80, generator=torch.Generator().manual_seed(1))


def _shrunk(model: Model, times: float) -> Model:
    """As a source that taught nothing leaves it: small kernels, and biases that are not."""
    with torch.no_grad():
        for name, tensor in model.backbone.named_parameters():
            tensor.fill_(0.1) if name.endswith("bias") else tensor.mul_(times)
    return model


@pytest.mark.parametrize("name", model_names())
def test_looking_changes_nothing_and_sees_every_layer(name: str) -> None:
    """State, mode and random streams are as before; each layer has a size, features have a rank."""
    model, x = _model(name), _windows()
    before = {n: t.clone() for n, t in model.state_dict().items()}
    chance = torch.get_rng_state()
    seen = start.begin(model, x)
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())
    assert torch.equal(chance, torch.get_rng_state())
    assert all(n.momentum != 0 for n in start.norms.layers(model))
    assert seen == start.begin(model, x)
    assert len(seen.rms) >= 3
    assert all(value > 0 for value in seen.rms)
    assert 1 < seen.rank < 40
    assert not seen.blind
    assert 0 <= seen.dead < 0.5


def test_sizes_are_those_of_the_activations() -> None:
    """The first is the root mean square of the first convolution's output, by hand."""
    model, x = _model("magnet"), _windows()
    first = torch.nn.functional.conv1d(x, model.backbone.conv1.weight, padding=1)  # type: ignore[arg-type, union-attr]
    by_hand = first.detach().square().mean().sqrt().item()
    assert start.begin(model, x).rms[0] == pytest.approx(by_hand, rel=0.01)


def test_a_shrunken_network_is_blind_until_it_is_rescaled() -> None:
    """Deviation over mean falls below the bound with small kernels and comes back by scaling."""
    model, x = _shrunk(_model("convnetquake"), 0.05), _windows()
    assert start.begin(model, x).blind
    names = start.rescale(model, x)
    assert names == [f"backbone.convolutions.{i}.weight" for i in range(9)]
    after = start.begin(model, x)
    assert not after.blind
    assert after.deviation > 0.1


@pytest.mark.parametrize("name", model_names())
def test_rescaled_kernels_keep_their_directions(name: str) -> None:
    """Each kernel is the one before times one number; biases and other layers are untouched."""
    model = _model(name)
    before = {n: t.detach().clone() for n, t in model.named_parameters()}
    scaled = start.rescale(model, _windows())
    for n, tensor in model.named_parameters():
        if n in scaled:
            ratio = tensor / before[n]
            assert torch.allclose(ratio[before[n] != 0], ratio.flatten()[0], rtol=1e-4)
        else:
            assert torch.equal(tensor, before[n])
    assert set(scaled) <= {n for n, t in before.items() if t.ndim == 3}


def test_a_dead_network_is_left_as_it_is() -> None:
    """Kernels of zero vary nowhere, so nothing is scaled, divided by zero or not finite."""
    model = _shrunk(_model("convnetquake"), 0.0)
    assert start.rescale(model, _windows()) == []
    seen = start.begin(model, _windows())
    assert (seen.rank, seen.deviation, seen.blind) == (0.0, 0.0, True)


@pytest.mark.parametrize("learn", ["tuned", "frozen", "low_rank"])
def test_a_rescaled_transfer_trains_and_frozen_kernels_keep_their_scale(
    place: Workspace, learn: str
) -> None:
    """The row names what was scaled; frozen tensors are checked against the scaled ones."""
    strategy = Strategy(learn=learn, channels="spread", rescaled=True)  # type: ignore[arg-type]
    row = run(job(place, replace(SCRATCH, reuse=Reuse(SOURCE, strategy=strategy))))
    assert row.status == "done"
    assert "backbone.convolutions.0.weight" in row.audit["rescaled"]


def test_scratch_is_offered_the_same(place: Workspace) -> None:
    """The baseline ``rescaled`` is scratch with scaled layers: other numbers on equal terms."""
    plain, scaled = run(job(place, SCRATCH)), run(job(place, replace(SCRATCH, baseline="rescaled")))
    assert (plain.subset, plain.ledger) == (scaled.subset, scaled.ledger)
    assert plain.curve["score"] != scaled.curve["score"]
    assert len(scaled.audit["rescaled"]) == 9


def test_scratch_with_statistics_of_its_windows(place: Workspace) -> None:
    """The baseline ``renormalised`` is scratch that begins with statistics of its own windows."""
    plain = replace(SCRATCH, model="resnet", size="60", recipe=Recipe(epochs=1))
    usual, begun = run(job(place, plain)), run(job(place, replace(plain, baseline="renormalised")))
    assert usual.status == begun.status == "done"
    assert usual.curve["score"] != begun.curve["score"]
    assert all("running" in name for name in begun.audit["renormalised"])
    assert usual.learned is not None
    assert usual.learned.lagging  # one epoch is a single step of 1 %


def test_lag_is_the_factor_between_variances() -> None:
    """By hand for one layer; statistics of the windows themselves lag by nothing."""
    model = _model("resnet")
    norms.renormalise(model, _windows())
    assert norms.lag(model, _windows()) == pytest.approx(1.0, abs=0.05)
    last = norms.layers(model)[-1]
    assert last.running_var is not None
    last.running_var.mul_(9)
    assert norms.lag(model, _windows()) == pytest.approx(9.0, rel=0.1)
    last.weight.requires_grad_(False)
    assert norms.lag(model, _windows()) == pytest.approx(1.0, abs=0.05)
    assert norms.lag(_model("convnetquake"), _windows()) == 1.0


def test_rows_hold_the_start_and_what_was_learned(place: Workspace) -> None:
    """Both come back from disk as they were, with losses of this very training."""
    row = run(job(place, SCRATCH))
    assert row.begin is not None
    assert row.learned is not None
    assert len(row.begin.rms) == 9
    assert 0 < row.learned.constant < 1.5  # four classes
    assert row.learned.epochs <= 2
    import json

    assert from_record(json.loads(to_line(row))) == row


def test_stuck_is_flat_and_early() -> None:
    """A run is stuck where its loss is that of a constant and its checkpoint is an early one."""
    assert Learned(1.2, 1.09, 1.1, 1.0).stuck
    assert not Learned(1.2, 1.0, 1.1, 1.0).stuck  # it learned
    assert not Learned(1.2, 1.09, 1.1, 12.0).stuck  # it had left its start by then


def test_names_of_parts_combine_and_read_back() -> None:
    """A name with parts is the strategy of these parts, and its words are that name again."""
    assert named("copy+spread").words == "copy+spread"
    assert named("first_2_frozen+divided+rescale").words == "first_2_frozen+divided+rescale"
    assert named("lp_ft+spread") == Strategy("backbone", learn="head_first", channels="spread")
    assert named("copy+repeat") == Strategy()
    for wrong, says in (("copy+spraed", "spread"), ("copy+spread+fresh", "leave")):
        with pytest.raises(SpecError) as caught:
            named(wrong)
        assert says in str(caught.value)


def test_fresh_start_of_a_study_is_written_to_its_file(tmp_path: Path) -> None:
    """A study with fittings reads back from its own TOML."""
    from tsxfer.core.study import Study
    from tsxfer.core.study_files import read_study, study_toml

    study = Study("s", ("a",), ("b",), strategies=(named("copy+spread"), named("frozen+rescale")))
    (tmp_path / "s.toml").write_text(study_toml(study))
    assert read_study(tmp_path / "s.toml") == study


def test_independent_and_rescaled_work_together() -> None:
    """Channels apart are scaled too."""
    model = build("tcn", channels=4, length=80, extra=1, outputs=3, seed=0, apart=True)
    source = reuse.tensors(build("tcn", channels=1, length=80, extra=1, outputs=3, seed=1))
    reuse.take_over(model, source, strategy=named("copy+independent"))
    assert start.rescale(model, torch.randn(20, 4, 80))
