"""Recorded steps give the bits of replicas in turns; a recording is played by hand here."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tsxfer.core.specs import Recipe
from tsxfer.models.base import Model, build
from tsxfer.models.draws import Chance
from tsxfer.train.batch import Batch
from tsxfer.train.graphs import Body, Graphs
from tsxfer.train.loop import Fit, Replica, Rules, Stepper, fit, turns

MODELS = ("convnetquake", "magnet", "mlstm_fcn", "tcn")
Tensors = list[torch.Tensor]
RECIPE = Recipe(epochs=9, batch=16, patience=2, plateau_patience=1, rate=0.01)


def _by_hand(
    bodies: Sequence[Body], generators: Sequence[torch.Generator], *_: object
) -> tuple[Body, None]:
    """A recording that calls what it holds."""
    assert len(generators) == len(bodies)
    return lambda: [body() for body in bodies] and None, None


def _batch(seed: int, count: int) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 2, 24, generator=draw)
    return Batch(x, torch.randn(count, 1, generator=draw), (x[:, 0].mean(1) > 0).long())


def _replica(name: str, number: int, count: int) -> Replica:
    model = build(name, channels=2, length=24, extra=1, outputs=2, seed=number)
    held = _batch(100 + number, 30)

    def score(output: NDArray[np.float32]) -> tuple[float, float]:
        right = float((output.argmax(1) == held.y.numpy()).mean())
        return right, right

    slow = [n for n, _ in model.named_parameters() if "head" not in n]
    order = np.random.default_rng(number)
    rates = dict.fromkeys(slow, 0.3) if number % 2 else {}
    return Replica(
        model=model,
        train=_batch(number, count),
        validation=held,
        score=score,
        order=order,
        dropout=number,
        rates=rates,
    )


def _trained(
    name: str, stepper: Stepper, count: int, numbers: Sequence[int]
) -> tuple[list[Fit], Tensors]:
    pack = [_replica(name, number, count) for number in numbers]
    fits = fit(pack, Rules(RECIPE), stepper)
    return fits, [_flat(replica.model) for replica in pack]


def _flat(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([t.flatten().float() for t in model.state_dict().values()])


@pytest.mark.parametrize(
    ("name", "count"),
    [("convnetquake", 64), ("convnetquake", 11), *((name, 75) for name in MODELS)],
)
def test_recorded_steps_equal_steps_in_turns(name: str, count: int) -> None:
    """Full and incomplete batches, early stops, recording anew: the same bits in each replica."""
    stepper = Graphs(_by_hand)
    fits, weights = _trained(name, stepper, count, range(4))
    alone = [_trained(name, turns, count, [number]) for number in range(4)]
    assert not stepper.refused
    for found, weight, (expected, expected_weight) in zip(fits, weights, alone, strict=True):
        assert found == expected[0]
        assert torch.equal(weight, expected_weight[0])


def test_replicas_stop_at_their_own_time() -> None:
    """Otherwise the test above would not see masking and recording anew."""
    fits, _ = _trained("convnetquake", turns, 75, range(4))
    assert len({f.steps for f in fits}) > 1


def test_what_cannot_be_recorded_is_taken_in_turns_and_says_so() -> None:
    """The numbers are the same and the reason is kept."""

    def refuse(*_: object) -> tuple[Body, None]:
        raise RuntimeError("operation not permitted when stream is capturing")

    stepper = Graphs(refuse)
    fits, _ = _trained("magnet", stepper, 75, range(2))
    assert fits == _trained("magnet", turns, 75, range(2))[0]
    assert "not permitted" in stepper.refused


def test_a_refusal_in_the_middle_of_warming_up_leaves_no_trace() -> None:
    """The last batch is refused after a full one was tried: the numbers are those in turns."""
    tried: list[int] = []
    replica = _replica("magnet", 0, 75)

    def once(model: Model, part: Batch, rows: torch.Tensor, random: Chance) -> torch.Tensor:
        tried.append(len(rows))
        if tried == [16, 11]:
            raise RuntimeError("no plan for it")
        return replica.objective(model, part, rows, random)

    stepper = Graphs(_by_hand)
    found = fit([replace(replica, objective=once)], Rules(RECIPE), stepper)
    assert stepper.refused == "no plan for it"
    assert found == _trained("magnet", turns, 75, [0])[0]


def test_too_wide_a_pack_is_said_to_be_so() -> None:
    """Memory is the runner's business: it halves the pack."""

    def full(*_: object) -> tuple[Body, None]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        _trained("convnetquake", Graphs(full), 75, range(2))


@pytest.mark.parametrize("counts", [(75, 72), (72, 75)])
def test_replicas_with_other_last_batches_are_recorded_apart(counts: tuple[int, int]) -> None:
    """As many steps an epoch, but other widths of the last batch: each keeps all its rows."""
    pack = [_replica("convnetquake", n, count) for n, count in enumerate(counts)]
    fits = fit(pack, Rules(RECIPE), Graphs(_by_hand))
    alone = [_trained("convnetquake", turns, count, [n]) for n, count in enumerate(counts)]
    assert fits == [found[0][0] for found in alone]
    for replica, found in zip(pack, alone, strict=True):
        assert torch.equal(_flat(replica.model), found[1][0])


def test_all_widths_are_warmed_up_and_nothing_stays_of_it() -> None:
    """Plans of the last batch exist before it is recorded, on the stream of each replica."""
    widths: list[int] = []
    pack = [_replica("magnet", n, 75) for n in range(2)]
    handles = [
        r.model.register_forward_hook(lambda _, x, __: widths.append(len(x[0]))) for r in pack
    ]

    def seen(*_: object) -> tuple[Body, None]:
        before.append([w for w in widths if w in (16, 11)])
        raise RuntimeError("enough")

    before: list[list[int]] = []
    fit(pack, Rules(Recipe(epochs=1, batch=16)), Graphs(seen))
    assert before == [[16, 11] * 2]
    for handle in handles:
        handle.remove()


def test_both_widths_are_recorded_in_one_pool() -> None:
    """A full batch and the last one are never taken at the same time; nor are old recordings."""
    pools: list[object] = []

    def by_hand(bodies: Sequence[Body], _: object, __: object, pool: object) -> tuple[Body, str]:
        pools.append(pool)
        return bodies[0], "pool"

    fit([_replica("convnetquake", 0, 75)], Rules(replace(RECIPE, epochs=1)), Graphs(by_hand))
    assert pools == [None, "pool"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", MODELS)
def test_a_cuda_graph_equals_steps_in_turns(name: str) -> None:
    """On the device itself, within the rounding of atomics."""

    def trained(stepper: Stepper) -> tuple[list[Fit], Tensors]:
        pack = [_replica(name, number, 75) for number in range(4)]
        moved = [_moved(r) for r in pack]
        fits = fit(moved, Rules(RECIPE), stepper)
        return fits, [_flat(replica.model) for replica in moved]

    stepper = Graphs()
    recorded, plain = trained(stepper), trained(turns)
    assert not stepper.refused
    for a, b in zip(recorded[1], plain[1], strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-4)


def _moved(replica: Replica) -> Replica:
    def there(batch: Batch) -> Batch:
        return Batch(batch.x.cuda(), batch.extra.cuda(), batch.y.cuda())

    return replace(
        replica,
        model=replica.model.cuda(),
        train=there(replica.train),
        validation=there(replica.validation),
    )
