"""What each strategy copies, keeps still and lets learn, and when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tsxfer.core.specs import Recipe
from tsxfer.core.strategy import STRATEGIES, Strategy, named
from tsxfer.errors import SpecError
from tsxfer.models.base import Model, build
from tsxfer.train import loop, low_rank, norms, objectives, probe, reuse, ridge
from tsxfer.train.graphs import Body, Graphs

RECIPE = Recipe(epochs=6, batch=16, patience=6, rate=0.01)
LAYERS = {"convnetquake": 9, "magnet": 2, "mlstm_fcn": 3, "tcn": 9}


def _model(name: str, seed: int, outputs: int = 2) -> Model:
    return build(name, channels=2, length=24, extra=1, outputs=outputs, seed=seed)


def _part(seed: int, count: int = 48) -> loop.Batch:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 2, 24, generator=draw)
    y = (x[:, 0].mean(1) > 0).long()
    return loop.Batch(x, torch.randn(count, 1, generator=draw), y)


def _source(name: str, seed: int = 7) -> reuse.Weights:
    model = _model(name, seed, outputs=3)
    part = _part(seed, 8)
    model(part.x, part.extra)  # statistics that are not the fresh ones
    return {n: t.detach().clone() for n, t in reuse.tensors(model).items()}


def _replica(name: str, strategy: Strategy, seed: int = 0, multiplier: float = 1.0) -> loop.Replica:
    model = _model(name, seed)
    start = reuse.take_over(model, _source(name), strategy=strategy, seed=seed)
    held, asked = _part(100 + seed, 30), iter(range(1000))

    def score(output: NDArray[np.float32]) -> tuple[float, float]:
        """The last checkpoint is the best, so that all stages show in the weights."""
        loss = float(objectives.task_loss(torch.from_numpy(output), held.y))
        return float(next(asked)), loss

    objective = objectives.of_labels()
    if strategy.anchor:
        objective = objectives.anchored(objective, model, start.audit["copied"], strategy.anchor)
    return loop.Replica(
        model=model,
        train=_part(seed),
        validation=held,
        score=score,
        order=np.random.default_rng(seed),
        dropout=seed,
        rates=start.rates(multiplier),
        thaws=start.thaws(30),
        objective=objective,
    )


def _values(model: Model) -> reuse.Weights:
    named_values = {low_rank.plain_name(n): t for n, t in reuse.tensors(model).items()}
    return {n: t.detach().clone() for n, t in named_values.items()}


def _moved(before: reuse.Weights, after: reuse.Weights) -> set[str]:
    return {n for n in before if n in after and not torch.equal(before[n], after[n])}


@pytest.mark.parametrize("name", LAYERS)
def test_blocks_are_counted_from_the_input(name: str) -> None:
    """The layer curve has a point for each block of layers, and one too many is refused."""
    model, source = _model(name, 0), _source(name)
    for count in range(1, LAYERS[name] + 1):
        copied = [
            n for names in reuse.chosen(model, source, named(f"first_{count}")) for n in names
        ]
        assert len(reuse.blocks(copied)) == count
        assert copied == reuse.transferred(model)[: len(copied)]
    with pytest.raises(SpecError, match=f"use first_1 to first_{LAYERS[name]}"):
        reuse.chosen(model, source, named(f"first_{LAYERS[name] + 1}"))


@pytest.mark.parametrize("name", LAYERS)
def test_the_whole_backbone_is_copied_with_its_statistics(name: str) -> None:
    """`full` copies what `copy` leaves: normalisation, recurrent layers, running statistics."""
    model, source = _model(name, 0), _source(name)
    start = reuse.take_over(model, source, strategy=named("full"))
    held = reuse.tensors(model)
    assert set(start.audit["copied"]) == {n for n in held if n.startswith("backbone.")}
    assert all(torch.equal(held[n], source[n]) for n in start.audit["copied"])
    assert {n.partition(".")[0] for n in start.audit["renewed"]} == {"head"}


@pytest.mark.parametrize("strategy", [s for n, s in STRATEGIES.items() if n != "renorm"])
@pytest.mark.parametrize("name", ["convnetquake", "mlstm_fcn"])
def test_what_is_to_stay_stays_and_the_rest_learns(name: str, strategy: Strategy) -> None:
    """After training, still tensors hold the source's bits, statistics too; the others moved."""
    replica = _replica(name, strategy)
    start = reuse.take_over(_model(name, 0), _source(name), strategy=strategy)
    before = _values(replica.model)
    if strategy.learn == "probe":
        probe.fit([replica])
    else:
        loop.fit([replica], loop.Rules(RECIPE))
    moved = _moved(before, _values(replica.model))
    still = set(start.audit["frozen"])
    assert bool(still) == strategy.still
    assert not moved & still
    reuse.check_frozen(replica.model, start)
    if strategy.learn != "probe":  # there the head is another
        assert any("head" in n for n in moved)
    if not strategy.still:
        assert moved & set(start.audit["copied"])


def test_a_moved_frozen_tensor_is_found_out() -> None:
    """The audit would see a strategy that froze nothing."""
    model = _model("tcn", 0)
    start = reuse.take_over(model, _source("tcn"), strategy=named("frozen"))
    with torch.no_grad():
        next(iter(model.parameters())).add_(1e-7)
    with pytest.raises(SpecError, match="changed while training"):
        reuse.check_frozen(model, start)


def _history(strategy: Strategy, epochs: int) -> tuple[list[set[str]], reuse.Start]:
    """Copied parameters that moved in each epoch."""
    replica = _replica("convnetquake", strategy)
    start = reuse.take_over(_model("convnetquake", 0), _source("convnetquake"), strategy=strategy)
    run = loop.Run(replica, loop.Rules(RECIPE))
    moved = []
    for _ in range(epochs):
        before = _values(replica.model)
        run.begin_epoch()
        norms.train_mode(replica.model)
        loop.turns([run], 0, run.per_epoch)
        run.reach(run.per_epoch)
        moved.append(_moved(before, _values(replica.model)) & set(start.audit["copied"]))
    return moved, start


def test_the_head_learns_first_then_all() -> None:
    """LP-FT: copied layers stand still for a stage, and all of them learn after it."""
    moved, start = _history(Strategy("backbone", learn="head_first", stage=3), 5)
    assert moved[:3] == [set(), set(), set()]
    assert moved[3] == moved[4] == set(start.audit["copied"])


def test_blocks_thaw_from_the_last_to_the_first() -> None:
    """Gradual unfreezing: one block more each stage, and never one before its turn."""
    moved, start = _history(Strategy("backbone", learn="gradual", stage=1), 10)
    layers = [set(names) for names in start.layers]
    for epoch, found in enumerate(moved):
        assert found <= set().union(*layers[len(layers) - epoch :])
    assert moved[0] == set()
    assert moved[-1] & layers[0]


@pytest.mark.parametrize("epochs", [1, 2, 8, 30])
def test_short_budgets_have_shorter_stages(epochs: int) -> None:
    """However few the epochs, the first block learns for a third of them, and the order holds."""
    strategy = Strategy("backbone", learn="gradual", stage=5)
    start = reuse.take_over(_model("tcn", 0), _source("tcn"), strategy=strategy)
    at = [start.thaws(epochs)[names[0]] for names in start.layers]
    assert at == sorted(at, reverse=True)
    assert at[0] <= epochs * 2 / 3
    head = reuse.take_over(_model("tcn", 0), _source("tcn"), strategy=named("lp_ft"))
    assert set(head.thaws(epochs).values()) == {min(2, epochs * 2 // 3)}


def test_a_new_stage_has_its_own_patience() -> None:
    """Layers that thaw late are not cut off by epochs in which they could not learn."""
    strategy = Strategy("backbone", learn="head_first", stage=4)
    replica = _replica("convnetquake", strategy)
    silent = loop.Replica(
        model=replica.model,
        train=replica.train,
        validation=replica.validation,
        score=lambda _: (0.0, 0.0),
        order=replica.order,
        dropout=0,
        thaws=replica.thaws,
    )
    rules = loop.Rules(Recipe(epochs=20, batch=16, patience=3))
    assert loop.fit([silent], rules)[0].steps == 3 * 3  # three epochs of three steps: before it
    longer = loop.Rules(Recipe(epochs=20, batch=16, patience=5))
    assert loop.fit([silent], longer)[0].steps == 3 * (4 + 5)


def test_rates_fall_from_the_head_to_the_input() -> None:
    """Each block learns at the decayed rate of the one above it, times the multiplier."""
    model = _model("convnetquake", 0)
    start = reuse.take_over(model, _source("convnetquake"), strategy=Strategy(rate_decay=0.5))
    rates = start.rates(0.2)
    assert rates["backbone.convolutions.8.weight"] == pytest.approx(0.1)
    assert rates["backbone.convolutions.0.bias"] == pytest.approx(0.2 * 0.5**9)
    assert not any(n.startswith("head") for n in rates)


def test_an_anchor_holds_weights_near_their_source() -> None:
    """The stronger L2-SP pulls, the less the copied weights have moved after training."""
    source, moved = _source("tcn"), []
    for anchor in (0.0, 1.0, 100.0):
        replica = _replica("tcn", Strategy(anchor=anchor))
        loop.fit([replica], loop.Rules(RECIPE))
        held = reuse.tensors(replica.model)
        names = reuse.transferred(replica.model)
        moved.append(sum(float((held[n] - source[n]).detach().square().sum()) for n in names))
    assert moved[0] > 2 * moved[1] > 4 * moved[2] > 0


def test_low_rank_learning_adds_a_product_of_that_rank() -> None:
    """The kernel ends as the source's plus a matrix of that rank; merging changes no output."""
    strategy = Strategy(learn="low_rank", rank=2)
    replica = _replica("mlstm_fcn", strategy)
    model, source = replica.model, _source("mlstm_fcn")
    part = _part(5)
    fresh = _model("mlstm_fcn", 0)
    reuse.take_over(fresh, source)
    assert torch.equal(  # at first it changes nothing
        model.eval()(part.x, part.extra), fresh.eval()(part.x, part.extra)
    )
    loop.fit([replica], loop.Rules(RECIPE))
    before = model.eval()(part.x, part.extra)
    low_rank.merge(model)
    assert torch.equal(model.eval()(part.x, part.extra), before)
    name = "backbone.convolutions.1.weight"
    change = (reuse.tensors(model)[name] - source[name]).flatten(1)
    assert torch.linalg.matrix_rank(change, rtol=1e-3) == 2
    assert set(dict(model.named_parameters())) == set(dict(fresh.named_parameters()))


def test_low_rank_leaves_recurrent_layers_still() -> None:
    """Where a layer type allows no product, its tensors are frozen and the audit says so."""
    model = _model("magnet", 0)
    start = reuse.take_over(model, _source("magnet"), strategy=named("lora"))
    assert start.audit["low_rank"] == ["backbone.conv1.weight", "backbone.conv2.weight"]
    assert any("lstm" in n for n in start.audit["frozen"])


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_a_probe_is_the_ridge_of_scikit_learn(kind: str) -> None:
    """Closed form, on standardised features; the penalty is the best on validation."""
    from sklearn.linear_model import Ridge

    outputs = 2 if kind == "classes" else 1
    model = _model("tcn", 3, outputs)
    reuse.take_over(model, _source("tcn"), strategy=named("probe"))
    part, held = _part(0, 90), _part(1, 60)
    if kind == "numbers":
        part, held = (loop.Batch(b.x, b.extra, b.x[:, 0].mean(1)) for b in (part, held))
    asked: list[NDArray[np.float32]] = []

    def score(output: NDArray[np.float32]) -> tuple[float, float]:
        asked.append(output)
        loss = float(objectives.task_loss(torch.from_numpy(output), held.y, "squared"))
        return -loss, loss

    replica = loop.Replica(
        model=model,
        train=part,
        validation=held,
        score=score,
        order=np.random.default_rng(0),
        dropout=0,
    )
    fit = probe.fit([replica])[0]
    model.eval()
    with torch.no_grad():
        a, b = (torch.cat([model.backbone(p.x), p.extra], 1).double().numpy() for p in (part, held))
    goal = 2 * np.eye(2)[part.y.numpy()] - 1 if kind == "classes" else part.y.numpy()[:, None]
    mean, sd = a.mean(0), a.std(0)
    expected = [
        Ridge(alpha=p * a.shape[1])
        .fit((a - mean) / sd, goal)
        .predict((b - mean) / sd)
        .reshape(60, -1)
        for p in sorted(ridge.PENALTIES, reverse=True)
    ]
    for ours, theirs in zip(asked[1:], expected, strict=False):  # the first is the blind answer
        assert np.allclose(ours, theirs, atol=1e-3)
    losses = [
        float(objectives.task_loss(torch.from_numpy(e.astype(np.float32)), held.y, "squared"))
        for e in expected
    ]
    assert fit.metric[1] == pytest.approx(min(losses), rel=1e-3)
    assert (fit.samples, fit.steps) == ([0.0, 90.0], 0)
    best = expected[int(np.argmin(losses))]
    assert np.allclose(loop.predict(model, held.x, held.extra), best, atol=1e-3)


def test_features_that_are_not_finite_are_a_failed_run() -> None:
    """A source that diverged gives a failed row and no crash in the solver."""
    replica = _replica("tcn", named("probe"))
    with torch.no_grad():
        next(iter(replica.model.parameters())).fill_(float("nan"))
    assert probe.fit([replica])[0].diverged


def test_statistics_are_those_of_the_target() -> None:
    """Renormalised layers hold mean and variance of the target's training windows."""
    model, part = _model("mlstm_fcn", 0), _part(4, 300)
    reuse.take_over(model, _source("mlstm_fcn"), strategy=named("renorm"))
    norms.renormalise(model, part.x)
    norm = norms.layers(model)[0]
    seen: list[torch.Tensor] = []
    norm.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    with torch.no_grad():
        model.eval().backbone(part.x)
    # a plain mean over a batch of 256 and one of 44
    means = torch.stack([seen[0][:256].mean((0, 2)), seen[0][256:].mean((0, 2))]).mean(0)
    assert norm.running_mean is not None
    assert torch.allclose(norm.running_mean, means, atol=1e-5)
    assert norm.momentum == 0.01
    with pytest.raises(SpecError, match="no normalisation layer"):
        norms.renormalise(_model("tcn", 0), part.x)


def test_frozen_normalisation_keeps_its_statistics() -> None:
    """A layer whose weights stay normalises as the source did, while training too."""
    model = _model("mlstm_fcn", 0)
    reuse.take_over(model, _source("mlstm_fcn"), strategy=Strategy("backbone", learn="frozen"))
    norms.train_mode(model)
    assert not any(norm.training for norm in norms.layers(model))
    plain = _model("mlstm_fcn", 0)
    norms.train_mode(plain)
    assert all(norm.training for norm in norms.layers(plain))


def test_averages_are_tensor_by_tensor() -> None:
    """The mean where shapes agree; a first layer of another width stays the first source's."""
    a, b = _source("tcn", 1), _source("tcn", 2)
    first = "backbone.blocks.0.first.weight"
    b[first] = torch.zeros(24, 5, 8)
    mean = reuse.averaged([a, b])
    assert torch.equal(mean[first], a[first])
    deep = "backbone.blocks.3.first.weight"
    assert torch.allclose(mean[deep], (a[deep] + b[deep]) / 2)


def _by_hand(bodies: Sequence[Body], *_: object) -> tuple[Body, None]:
    return lambda: [body() for body in bodies] and None, None


@pytest.mark.parametrize("name", ["lp_ft", "gradual", "rate_decay", "l2_sp", "lora"])
def test_a_pack_with_a_strategy_gives_the_bits_of_its_replicas_alone(name: str) -> None:
    """Recorded or in turns, stages included; a recording ends with its stage."""
    strategy = named(name)

    def trained(
        seeds: Sequence[int], stepper: loop.Stepper
    ) -> list[tuple[loop.Fit, reuse.Weights]]:
        pack = [_replica("mlstm_fcn", strategy, seed, 0.5) for seed in seeds]
        fits = loop.fit(pack, loop.Rules(RECIPE), stepper)
        return [(fit, _values(one.model)) for fit, one in zip(fits, pack, strict=True)]

    stepper = Graphs(_by_hand)
    together = trained(range(3), stepper)
    assert not stepper.refused
    for seed, (fit, weights) in enumerate(together):
        [(alone, expected)] = trained([seed], loop.turns)
        assert fit == alone
        assert not _moved(expected, weights)


def test_augmented_windows_change_and_prices_keep_their_last_value_near() -> None:
    """Light distortion moves windows in time unless labels are counted from the last value."""
    from tsxfer.train import distort

    x = torch.sin(torch.arange(200.0))[None, None].repeat(50, 2, 1)
    random = torch.Generator().manual_seed(0)
    moved, kept = (distort.light(x, random, moved=flag) for flag in (True, False))
    assert float((kept - x).abs().max()) < 0.12
    assert float((moved - x).abs().mean()) > 0.1
    assert moved.shape == x.shape
    assert not torch.equal(distort.light(x, random, moved=True), moved)


def test_every_head_can_be_solved() -> None:
    """The probe's head is the solved one, whatever the head was; nothing in it learns."""
    replica = _replica("convnetquake", named("probe"))
    probe.fit([replica])
    assert isinstance(replica.model.head, probe.Solved)
    assert not list(replica.model.head.parameters())
