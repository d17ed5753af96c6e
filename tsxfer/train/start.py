"""The start of a network: what its layers give on training windows, and layers scaled by that."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tsxfer.core.seen import Begin
from tsxfer.models.base import Model
from tsxfer.train import norms

WINDOWS = 256  # that are looked at
READ = (nn.Conv1d, nn.Linear, nn.LSTM, nn.GRU)
TRIES = 5  # of the scale of one layer: what follows it (ReLU, normalisation) is not linear
NEAR = 0.05  # a deviation this close to 1 is 1

Told = Callable[[nn.Module, Tensor], None]


def windows(x: Tensor) -> Tensor:
    """Up to `WINDOWS` of ``(n, channel, time)``, evenly over all: neighbours are much alike."""
    step = -(-len(x) // WINDOWS)
    return x[::step]


def begin(model: Model, x: Tensor) -> Begin:
    """What a network does with windows ``(n, channel, time)`` before it is trained on them.

    Normalisation uses the statistics of these windows, as in the first steps of training; nothing
    in the model changes, and no random number is drawn.
    """
    rms: dict[nn.Module, float] = {}
    filters: list[Tensor] = []

    def listen(layer: nn.Module, output: Tensor) -> None:
        rms[layer] = float(output.float().square().mean().sqrt())
        if isinstance(layer, nn.Conv1d):
            filters.append((output > 0).any(dim=2).any(dim=0))

    with as_in_training(model), torch.no_grad(), listening(model, listen):
        features = model.features(windows(x)).float()
    dead = 1 - float(torch.cat(filters).float().mean()) if filters else 0.0
    deviation, rank = _spread(features.cpu().double())
    return Begin(tuple(_short(value) for value in rms.values()), deviation, rank, _short(dead))


def _spread(features: Tensor) -> tuple[float, float]:
    """Deviation over mean, and effective rank, of features ``(n, d)``."""
    means = features.mean(dim=0)
    centred = features - means
    size = means.square().mean().sqrt() or torch.tensor(1.0)
    values = torch.linalg.svdvals(centred)
    shares = values[values > values.max() * 1e-12] / values.sum().clamp_min(1e-300)
    rank = float((-(shares * shares.log()).sum()).exp()) if len(shares) else 0.0
    return _short(float(centred.square().mean().sqrt() / size)), _short(rank)


def rescale(model: Model, x: Tensor) -> list[str]:
    """Scale convolutions, first to last, until each one's output deviates by 1.

    As LSUV (Mishkin and Matas 2016), but deviations are taken from each filter's own mean, since
    the sizes of constants say nothing about the window, and kernels keep their directions, since
    they are the source's. Biases stay. A layer whose output does not vary at all is left as it is.

    Args:
        model: Changed in place.
        x: Training windows ``(n, channel, time)``; labels are not used.

    Returns:
        Names of the kernels that were scaled.
    """
    order: dict[nn.Module, None] = {}
    few = windows(x)
    with as_in_training(model), torch.no_grad():
        with listening(model, lambda layer, _: order.setdefault(layer)):
            model.features(few)
        kinds = [layer for layer in order if isinstance(layer, nn.Conv1d)]
        scaled = [layer for layer in kinds if _scaled(model, layer, few)]
    own = {module: name for name, module in model.named_modules()}
    return [f"{own[layer]}.weight" for layer in scaled]


def _scaled(model: Model, layer: nn.Conv1d, x: Tensor) -> bool:
    """Scale one layer; whether that was possible."""
    found: list[float] = []

    def listen(told: nn.Module, output: Tensor) -> None:
        if told is layer:
            found.append(float(output.float().var(dim=(0, 2), correction=0).mean().sqrt()))

    for _ in range(TRIES):
        with listening(model, listen):
            model.features(x)
        deviation = found[-1]
        if not 0 < deviation < float("inf"):
            return False
        if abs(deviation - 1) < NEAR:
            break
        _kernel(layer).div_(deviation)
    return True


def _kernel(layer: nn.Conv1d) -> Tensor:
    """Its own kernel, without what learns beside it (`tsxfer.train.low_rank`)."""
    if not parametrize.is_parametrized(layer, "weight"):
        return layer.weight
    own: Tensor = layer.get_parameter("parametrizations.weight.original")
    return own


@contextmanager
def listening(model: Model, told: Told) -> Iterator[None]:
    """Call `told` with each layer of the backbone that is computed, and its output."""

    def hook(layer: nn.Module, _: Any, output: Any) -> None:
        told(layer, output[0] if isinstance(output, tuple) else output)

    layers = [layer for layer in model.backbone.modules() if isinstance(layer, READ)]
    handles = [layer.register_forward_hook(hook) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def as_in_training(model: Model) -> Iterator[None]:
    """Normalisation by the windows' own statistics where it trains, not kept; no dropout."""
    held = norms.layers(model)
    before = [(layer.momentum, copy.deepcopy(layer.num_batches_tracked)) for layer in held]
    norms.train_mode(model)
    trains = [layer for layer in held if layer.training]
    model.eval()
    for layer in trains:
        layer.train()
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, (momentum, count) in zip(held, before, strict=True):
            layer.momentum = momentum
            if count is not None and layer.num_batches_tracked is not None:
                layer.num_batches_tracked.copy_(count)
        model.eval()


def _short(value: float) -> float:
    """Three digits: rows are many."""
    return float(f"{value:.3g}")
