"""Any ``torch.nn.Module`` as a backbone: a function that makes it, under ``@backbone``."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tsxfer.errors import SpecError
from tsxfer.models.base import Backbone

Maker = Callable[[int, int], nn.Module]
"""``(channels, length)`` to a module from ``(batch, channel, time)`` to ``(batch, feature)``."""


def backbone(
    *, transferred: tuple[str, ...] = ("",), hidden_layer: bool = False
) -> Callable[[Maker], type[Backbone]]:
    """Turn a function that makes a module into a backbone.

    Args:
        transferred: Prefixes of parameter names of the module that transfer copies, e.g.
            ``("0.",)``; the whole module by default. Copied shapes must not depend on the window's
            length.
        hidden_layer: The head has one dense ReLU layer as wide as its input.

    Returns:
        A decorator; what it returns is registered like any other backbone.
    """

    def register(make: Maker) -> type[Backbone]:
        class Wrapped(Backbone):
            def __init__(self, channels: int, length: int) -> None:
                super().__init__()
                self.net = make(channels, length)
                self.features = _width(self.net, channels, length, make.__name__)

            def forward(self, x: Tensor) -> Tensor:
                features: Tensor = self.net(x)
                return features

        Wrapped.transferred = tuple(f"net.{prefix}" for prefix in transferred)
        Wrapped.hidden_layer = hidden_layer
        Wrapped.__name__ = Wrapped.__qualname__ = make.__name__
        Wrapped.__doc__ = make.__doc__
        return Wrapped

    return register


def _width(net: nn.Module, channels: int, length: int, name: str) -> int:
    """Features that a module gives, by trying two windows of zeros."""
    training = net.training
    try:
        with torch.no_grad():
            shape = tuple(net.eval()(torch.zeros(2, channels, length)).shape)
    except (RuntimeError, ValueError, AttributeError, TypeError) as error:
        raise SpecError(
            f"{name} cannot read windows of {channels} x {length}: {str(error).splitlines()[0]}",
            where=name,
            mend="it must map (batch, channel, time) to (batch, feature)",
        ) from error
    net.train(training)
    if len(shape) != 2 or shape[0] != 2:
        raise SpecError(
            f"{name} gives {shape} for two windows, not (2, feature)",
            where=name,
            mend="end it with a pooling over time and nn.Flatten()",
        )
    return int(shape[1])
