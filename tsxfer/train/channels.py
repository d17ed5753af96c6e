"""What a first kernel becomes where source and target differ in channels: five methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from tsxfer.core.strategy import Channels
from tsxfer.errors import SpecError

Fit = Callable[[Tensor, int], Tensor]
"""From a source's kernel ``(filter, channel, time)`` and the target's channels to its kernel."""


def repeat(given: Tensor, channels: int) -> Tensor:
    """The mean over the source's channels for each of the target's (the study, section 3.1)."""
    return given.mean(dim=1, keepdim=True).repeat(1, channels, 1)


def divided(given: Tensor, channels: int) -> Tensor:
    """The sum over the source's channels, divided: the same signal on all gives what it gave."""
    return given.sum(dim=1, keepdim=True).repeat(1, channels, 1) / channels


def spread(given: Tensor, channels: int) -> Tensor:
    """Source channel s of filter f reads target channel (f * S + s) mod C alone.

    Each source kernel keeps its size, and filters tell channels apart. Source channels that meet
    on one of the target's, where that has fewer, add up.
    """
    filters, sources, _ = given.shape
    reads = torch.arange(filters * sources, device=given.device).view(filters, sources) % channels
    out = given.new_zeros(filters, channels, given.shape[2])
    return out.scatter_add_(1, reads[:, :, None].expand_as(given), given)


WAYS: Mapping[Channels, Fit] = {
    "repeat": repeat,
    "divided": divided,
    "spread": spread,
    "fresh": repeat,  # its first layers are not copied, see `tsxfer.train.reuse.chosen`
    "independent": repeat,  # onto one channel: the mean
}


def differs(given: Tensor | None, wanted: Tensor) -> bool:
    """Whether it is a kernel that fits but for its channels."""
    return (
        given is not None
        and given.ndim == 3
        and given.shape != wanted.shape
        and given[:, :1].shape == wanted[:, :1].shape
    )


def fitted(name: str, given: Tensor | None, wanted: Tensor, way: Channels = "repeat") -> Tensor:
    """A source's tensor in the shape that the target needs.

    Args:
        name: In messages.
        given: The source's, None where it has none of that name.
        wanted: Of the target's shape.
        way: A name in `WAYS`.

    Raises:
        SpecError: If it is missing, or differs in more than channels.
    """
    if given is not None and given.shape == wanted.shape:
        return given
    if given is not None and differs(given, wanted):
        return WAYS[way](given, wanted.shape[1])
    shape = "missing" if given is None else tuple(given.shape)
    raise SpecError(
        f"tensor {name} of the source is {shape}, the target needs {tuple(wanted.shape)}",
        mend="use the same model for source and target",
    )
