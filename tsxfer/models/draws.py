"""Random numbers of a step: from one stream, or for stacked replicas from the stream of each.

Stacked replicas (`tsxfer.train.stacked`) compute as one network under `torch.func.vmap`. What is
random is then drawn replica by replica from the streams that they would have alone, so that a
stack draws the numbers that its replicas draw one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of stacked replicas, in order."""

    each: tuple[torch.Generator, ...]


Chance = torch.Generator | Streams | None
Fill = Callable[[Tensor, torch.Generator | None], object]
"""Fills a tensor in place from a stream."""


def normal(x: Tensor, chance: Chance) -> Tensor:
    """Standard normal, of the shape of `x`."""
    return _drawn(x, tuple(x.shape), lambda out, one: out.normal_(generator=one), chance)


def uniform(x: Tensor, shape: tuple[int, ...], chance: Chance) -> Tensor:
    """Uniform in [0, 1), of a shape, on the device and of the type of `x`."""
    return _drawn(x, shape, lambda out, one: out.uniform_(generator=one), chance)


def kept(x: Tensor, share: float, chance: Chance, together: bool = True) -> Tensor:
    """1 with probability `share`, else 0, of the shape of `x`.

    Args:
        x: Any shape.
        share: In (0, 1].
        chance: One stream, or one for each stacked replica.
        together: Alone on a CPU, `x` of three axes would come with its filters together in memory
            (`tsxfer.models.layers.convolve`): elements are drawn in the order of memory, so that a
            stack draws them so.
    """

    def fill(out: Tensor, one: torch.Generator | None) -> object:
        return out.bernoulli_(share, generator=one)

    if together and isinstance(chance, Streams) and x.ndim == 3 and x.device.type == "cpu":
        batch, filters, steps = x.shape
        return _drawn(x, (batch, steps, filters), fill, chance).transpose(1, 2)
    if isinstance(chance, Streams):
        return _drawn(x, tuple(x.shape), fill, chance)
    alone = torch.empty_like(x)
    fill(alone, chance)
    return alone


def _drawn(x: Tensor, shape: tuple[int, ...], fill: Fill, chance: Chance) -> Tensor:
    if isinstance(chance, Streams):
        apply: Callable[..., Tensor] = _Draw.apply
        return apply(x, shape, fill, chance.each)
    alone = torch.empty(shape, dtype=x.dtype, device=x.device)
    fill(alone, chance)
    return alone


class _Draw(torch.autograd.Function):
    """What stacked replicas draw; outside of `vmap` it has no meaning."""

    @staticmethod
    def forward(*_: Any) -> Tensor:
        """Never called: `vmap` calls the rule below."""
        raise RuntimeError("streams of several replicas outside of a stack")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing to keep."""

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Any,
        x: Tensor,
        shape: tuple[int, ...],
        fill: Fill,
        each: tuple[torch.Generator, ...],
    ) -> tuple[Tensor, int]:
        """``(replica, ...)``, each from its own stream."""
        del in_dims
        out = torch.empty((info.batch_size, *shape), dtype=x.dtype, device=x.device)
        for row, one in zip(out, each, strict=True):
            fill(row, one)
        return out, 0
