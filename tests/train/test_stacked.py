"""Replicas as one network give the numbers of replicas in turns, within the rounding of sums."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from tsxfer.core.specs import Recipe
from tsxfer.core.strategy import STRATEGIES, named
from tsxfer.models.base import build
from tsxfer.train import objectives, reuse, unlabelled
from tsxfer.train.batch import Batch
from tsxfer.train.loop import Fit, Replica, Rules, Run, Stepper, fit, turns
from tsxfer.train.method import Method
from tsxfer.train.norms import train_mode
from tsxfer.train.stacked import form
from tsxfer.train.stacked.stack import Memory, Stack
from tsxfer.train.stacked.stepper import Stacked

MODELS = ("convnetquake", "magnet", "mlstm_fcn", "tcn", "resnet", "inception_time")
UNLABELLED: Any = {"masked": unlabelled.Masked, "contrastive": unlabelled.Contrastive}
RECIPE = Recipe(epochs=2, batch=8, rate=1e-3)
LENGTH = 32


def _batch(seed: int, count: int) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 2, LENGTH, generator=draw)
    return Batch(x, torch.randn(count, 1, generator=draw), (x[:, 0].mean(1) > 0).long())


def _score(output: NDArray[np.float32]) -> tuple[float, float]:
    value = -float(np.square(output).mean())
    return value, value


def _replica(name: str, number: int, **how: Any) -> Replica:
    strategy, goal = how.get("strategy"), how.get("objective", "labels")
    model = build(name, channels=2, length=LENGTH, extra=1, outputs=2, seed=number)
    train = _batch(number, 20)
    if goal != "labels":
        method = UNLABELLED[goal](2, LENGTH)
        torch.manual_seed(number)
        model.head = method.head(model.backbone.features + 1)
        objective = method.objective()
    else:
        objective = objectives.of_labels(how.get("kind", "task"), augment=how.get("augment", False))
    held = _batch(100 + number, 10)

    def loss(output: NDArray[np.float32]) -> tuple[float, float]:
        value = -float(objectives.task_loss(torch.from_numpy(output), held.y))
        return value, value

    start = reuse.scratch(model)
    if strategy is not None:
        source = build(name, channels=2, length=LENGTH, extra=1, outputs=2, seed=50 + number)
        start = reuse.take_over(model, reuse.tensors(source), strategy=strategy, seed=number)
        anchor = strategy.anchor
        if anchor:
            objective = objectives.anchored(objective, model, start.audit["copied"], anchor)
    return Replica(
        model=model,
        train=train,
        validation=held,
        score=loss if goal == "labels" else _score,
        order=np.random.default_rng(number),
        dropout=number,
        rates=start.rates(0.3 if number % 2 else 1.0) if strategy else {},
        thaws=start.thaws(RECIPE.epochs) if strategy else {},
        objective=objective,
    )


def _trained(stepper: Stepper, name: str, rules: Rules, **how: Any) -> tuple[list[Fit], Any]:
    pack = [_replica(name, number, **how) for number in range(3)]
    fits = fit(pack, rules, stepper)
    return fits, [{n: t.clone() for n, t in r.model.state_dict().items()} for r in pack]


RULES = Rules(RECIPE)


def _hold(name: str, rules: Rules = RULES, near: float = 2e-3, **how: Any) -> None:
    stepper = Stacked()
    (found, weights), (expected, others) = (
        _trained(one, name, rules, **how) for one in (stepper, turns)
    )
    assert stepper.refused == ""
    for a, b in zip(found, expected, strict=True):
        assert a.samples == b.samples
        assert a.monitor == pytest.approx(b.monitor, rel=near, abs=near)
        assert _told(a) == pytest.approx(_told(b), rel=near, abs=near)
    for one, other in zip(weights, others, strict=True):
        for tensor in one:
            assert torch.allclose(one[tensor], other[tensor], rtol=near, atol=near), tensor


def _told(found: Fit) -> list[float]:
    return [] if found.learned is None else [float(v) for v in astuple(found.learned)]


@pytest.mark.parametrize("name", MODELS)
def test_each_model_trains_stacked_as_in_turns(name: str) -> None:
    """Full and incomplete batches, own orders, dropout streams and starts: the same training."""
    _hold(name, near=1e-2 if name == "inception_time" else 2e-3)


@pytest.mark.parametrize("words", [*STRATEGIES, "first_2", "first_1_frozen", "copy+spread+rescale"])
def test_each_strategy_trains_stacked_as_in_turns(words: str) -> None:
    """Frozen, thawing, anchored and low-rank tensors, each replica with its own rates."""
    strategy = named(words)
    if strategy.learn == "probe":
        return  # no steps
    _hold("mlstm_fcn" if strategy.renormalised else "convnetquake", strategy=strategy)


@pytest.mark.parametrize("learn", ["frozen", "lp_ft"])
def test_normalisation_that_stays_does_so_in_a_stack(learn: str) -> None:
    """Frozen weights of normalisation keep their statistics too, and thaw with them."""
    _hold("resnet", strategy=replace(named(learn), copied="backbone"))


@pytest.mark.parametrize(
    "how",
    [
        {"kind": "squared"},
        {"augment": True},
        {"objective": "masked"},
        {"objective": "contrastive"},
    ],
)
def test_each_objective_trains_stacked_as_in_turns(how: dict[str, Any]) -> None:
    """Each replica draws distortions and hidden stretches from its own stream."""
    _hold("tcn", **how)


def test_the_studys_dropout_at_prediction_is_each_ones_own() -> None:
    """Left on, it draws from the replica's stream as in turns, since each evaluates alone."""
    _hold("magnet", Rules(RECIPE, drop_last=True, always_drop=True))


def test_bf16_holds_in_a_stack() -> None:
    """Products in bfloat16, weights and Adam in float32."""
    _hold("tcn", Rules(replace(RECIPE, precision="bf16")), near=5e-2)


def test_stopped_replicas_leave_the_stack() -> None:
    """Early stops, a plateau schedule and stacking anew: the same curve for each replica."""
    recipe = replace(RECIPE, epochs=7, rate=3e-3, patience=1, plateau_patience=1)
    found = _trained(Stacked(), "convnetquake", Rules(recipe))[0]
    expected = _trained(turns, "convnetquake", Rules(recipe))[0]
    assert len({f.steps for f in expected}) > 1
    for a, b in zip(found, expected, strict=True):
        assert (a.steps, a.best) == (b.steps, b.best)
        assert a.monitor == pytest.approx(b.monitor, rel=0.02, abs=0.02)
        assert _told(a) == pytest.approx(_told(b), rel=0.02, abs=0.02)


def test_the_penalty_is_the_same_gradient_without_a_graph() -> None:
    """2 · weight · kernel beside the loss's own gradient, where in turns it is in the loss."""
    pack = [_replica("convnetquake", number) for number in range(2)]
    runs = [Run(replica, RULES) for replica in pack]
    for replica in pack:
        train_mode(replica.model)
    stack = Stack(runs, [Memory(), Memory()])
    rows = torch.arange(8).repeat(2, 1)
    grads = stack._views(stack.gradient(rows))
    for place, replica in enumerate(pack):
        model = replica.model
        loss = replica.objective(model, replica.train, rows[place], runs[place].random)
        names = [n for n, _ in model.named_parameters()]
        whole = torch.autograd.grad(loss + model.penalty(), list(model.parameters()))
        for name, grad in zip(names, whole, strict=True):
            assert torch.allclose(grads[name][place], grad, rtol=1e-4, atol=1e-6), name


def _squares(model: nn.Module, part: Batch, rows: torch.Tensor, _: object) -> torch.Tensor:
    found: torch.Tensor = model(part.x[rows], part.extra[rows]).square().mean()
    return found


def test_a_recorded_step_leaves_no_trace_before_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch size is tried, set back and recorded, in one pool; then the same numbers."""
    pools: list[object] = []
    done: list[object] = []

    def by_hand(bodies: Any, generators: Any, _: object, pool: object) -> tuple[Any, object]:
        assert (len(bodies), len(generators)) == (1, 3)
        pools.append(pool)
        done.append("recorded")
        return bodies[0], "pool"

    step = Stack.step
    with monkeypatch.context() as patch:
        patch.setattr(
            Stack, "step", lambda self, rows: (done.append(rows.shape[1]), step(self, rows))
        )
        found = _trained(Stacked(by_hand, epochs=True), "magnet", RULES)
    assert done[:4] == [8, "recorded", 4, "recorded"]
    expected = _trained(Stacked(), "magnet", RULES)
    assert found[0] == expected[0]
    assert pools == [None, *["pool"] * 3]  # the evaluation and a whole epoch too


def test_methods_with_hooks_are_refused_in_words() -> None:
    """They act on one network at a time; a transfer without one is stacked."""

    class Mine(Method):
        pass

    run = Run(replace(_replica("tcn", 0), method=Mine()), RULES)
    assert "hooks of its own" in form.refusal(run)
    assert form.refusal(Run(_replica("tcn", 0), RULES)) == ""


def test_what_cannot_be_stacked_is_taken_in_turns_and_says_why() -> None:
    """A loss of its own, another recurrent layer, a network that computes something else."""
    pack = [_replica("convnetquake", number) for number in range(2)]
    own = [
        replace(r, objective=lambda m, p, rows, _: m(p.x[rows], p.extra[rows]).square().mean())
        for r in pack
    ]
    stepper = Stacked()
    found = fit(own, RULES, stepper)
    assert "a function of its own" in stepper.refused
    again = [_replica("convnetquake", number) for number in range(2)]
    expected = fit(
        [replace(a, objective=b.objective) for a, b in zip(again, own, strict=True)], RULES
    )
    assert found == expected
    odd = _replica("magnet", 0)
    odd.model.backbone.beside = nn.GRU(2, 2)
    assert "recurrent layers" in form.refusal(Run(odd, RULES))


def test_a_network_that_differs_under_vmap_is_refused() -> None:
    """A module that counts its calls, say, is no network with a replica axis."""
    pack = [_replica("convnetquake", number) for number in range(2)]
    for replica in pack:
        replica.model.head = _Counts(replica.model.head)
    stepper = Stacked()
    fit(pack, RULES, stepper)
    assert "of its size from its own" in stepper.refused


class _Counts(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.calls = inner, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Another answer each time."""
        self.calls += 1
        answer: torch.Tensor = self.inner(x) + self.calls
        return answer


def test_networks_hold_tensors_of_their_own_afterwards() -> None:
    """Nothing of a stack is left in them: a file of weights holds one network."""
    pack = [_replica("mlstm_fcn", number) for number in range(2)]
    stepper = Stacked()
    fit(pack, RULES, stepper)
    assert stepper._plays == []
    held = [t for r in pack for t in r.model.state_dict().values()]
    assert len({t.untyped_storage().data_ptr() for t in held}) == len(held)


WAITS = ("cpu", "item", "tolist", "__bool__", "__float__", "__int__")


def _waits(stepper: Stepper, epochs: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a training asks the device for a number, and so waits for it."""
    made: list[str] = []
    with monkeypatch.context() as patch:
        for name in WAITS:
            real = getattr(torch.Tensor, name)

            def counted(self: Any, *given: Any, name: str = name, real: Any = real) -> Any:
                made.append(name)
                return real(self, *given)

            patch.setattr(torch.Tensor, name, counted)
        pack = [replace(_replica("convnetquake", number), score=_score) for number in range(3)]
        fit(pack, Rules(replace(RECIPE, epochs=epochs)), stepper)
    return len(made)


def test_a_stack_waits_for_the_device_once_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the validation output of all three replicas; in turns each waits for its own."""
    for stepper, expected in ((Stacked, 1), (lambda: turns, 3)):
        two, four = (_waits(stepper(), epochs, monkeypatch) for epochs in (2, 4))
        assert four - two == 2 * expected
