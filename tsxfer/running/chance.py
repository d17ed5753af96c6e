"""Whether replicas of a pack draw the random numbers that they would draw alone, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.func import vmap

from tsxfer.models import draws
from tsxfer.models.draws import Chance, Streams
from tsxfer.train import recording

REPLICAS, STEPS, SHAPE = 3, 3, (8, 4, 64)  # a batch, filters, samples
Draw = Callable[[Tensor, Chance], Tensor]
DRAWS: dict[str, Draw] = {
    "dropout": lambda x, chance: draws.kept(x, 0.8, chance),
    "normal": draws.normal,
    "uniform": lambda x, chance: draws.uniform(x, tuple(x.shape), chance),
}


def other_draws(device: str) -> str:
    """Which draws of a pack differ from those in turns; empty where none does.

    On CUDA the pack's steps are recorded and replayed, as in training. One more step is taken
    afterwards without a recording: streams must stand where they would.

    Args:
        device: As of `tsxfer.running.device.device_of`.

    Raises:
        SpoiledError: If the draws cannot be recorded.
    """
    there = torch.device(device)
    one, other = _streams(there), _streams(there)
    turns = [_alone(there, one) for _ in range(STEPS + 1)]
    pack = _together(there, other)
    for place, name in enumerate(DRAWS):
        for step, (a, b) in enumerate(zip(pack, turns, strict=True)):
            if not torch.equal(a[place], b[place]):
                after = " after a replay" if step == STEPS else ""
                return f"{name} of step {step + 1}{after} is not that of turns"
    if any(torch.equal(drawn[0], drawn[1]) for drawn in turns[0]):
        return "two replicas draw the same numbers"
    return ""


def _streams(there: torch.device) -> list[torch.Generator]:
    return [torch.Generator(there).manual_seed(number) for number in range(REPLICAS)]


def _windows(there: torch.device, *more: int) -> Tensor:
    """Blank windows, in memory as a network of the package has them there."""
    if there.type != "cpu":
        return torch.zeros(*more, *SHAPE, device=there)
    batch, filters, samples = SHAPE
    return torch.zeros(*more, batch, samples, filters).transpose(-1, -2)


def _alone(there: torch.device, streams: Sequence[torch.Generator]) -> list[Tensor]:
    """One step in turns: ``(replica, *SHAPE)`` for each kind of draw."""
    x = _windows(there)
    each = [[draw(x, stream) for draw in DRAWS.values()] for stream in streams]
    return [torch.stack(drawn) for drawn in zip(*each, strict=True)]


def _together(there: torch.device, streams: list[torch.Generator]) -> list[list[Tensor]]:
    """The same steps of a stack; all but the last replayed where steps are recorded."""
    x, chance = _windows(there, REPLICAS), Streams(tuple(streams))
    held = [torch.zeros(REPLICAS, *SHAPE, device=there) for _ in DRAWS]

    def body() -> None:
        for kept, draw in zip(held, DRAWS.values(), strict=True):
            kept.copy_(vmap(partial(_drawn, draw, chance))(x))

    take = _replayed(body, streams, there) if there.type == "cuda" else body
    found = []
    for step in [take] * STEPS + [body]:
        step()
        found.append([kept.clone() for kept in held])
    return found


def _drawn(draw: Draw, chance: Chance, x: Tensor) -> Tensor:
    return draw(x, chance)


def _replayed(
    body: recording.Body, streams: list[torch.Generator], there: torch.device
) -> recording.Body:
    """A recording of a step, which was tried before; the streams are where they were."""
    before = [stream.get_state() for stream in streams]
    with recording.lane(there, 0):
        body()
    for stream, state in zip(streams, before, strict=True):
        stream.set_state(state)
    return recording.record([body], streams, there)[0]
