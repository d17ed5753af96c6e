"""Normalisation layers with statistics: when they learn, and where their statistics come from."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tsxfer.errors import SpecError
from tsxfer.models.base import Model


def layers(model: nn.Module) -> list[_BatchNorm]:
    """Normalisation layers of a model."""
    return [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]


def needed(model: Model) -> list[_BatchNorm]:
    """The layers of `layers`, where a study counts on them.

    Raises:
        SpecError: If the model has none.
    """
    found = layers(model)
    if not found:
        raise SpecError(
            f"{type(model.backbone).__name__} has no normalisation layer to take statistics for",
            mend="leave strategies with renorm and the baseline renormalised out, or use --model "
            "mlstm_fcn, resnet or inception_time",
        )
    return found


def train_mode(model: nn.Module) -> None:
    """Training mode, but normalisation whose weights stay keeps its statistics too."""
    model.train()
    for layer in layers(model):
        layer.train(_learns(layer))


def _learns(layer: _BatchNorm) -> bool:
    return not layer.affine or layer.weight.requires_grad


def lag(model: Model, x: Tensor) -> float:
    """How far running variances are from what windows ``(n, channel, time)`` give.

    They move by 1 % a step towards those of a batch (Keras' momentum), so that after few steps
    they are still, in part, those that the network began with. Layers that stay as they were copied
    are left out: they answer in training as they do afterwards.

    Returns:
        The factor between them, at least 1: the median over the channels of a layer, of the worst
        layer; 1 without such layers.
    """
    factors = [1.0]

    def compare(layer: nn.Module, given: tuple[Tensor]) -> None:
        assert isinstance(layer, _BatchNorm)  # noqa: S101  (of `layers`)
        if layer.running_var is not None:
            there = given[0].float().transpose(0, 1).flatten(1).var(dim=1, correction=0)
            between = ((layer.running_var + layer.eps) / (there + layer.eps)).log()
            factors.append(float(between.abs().median().exp()))

    learning = [layer for layer in layers(model) if _learns(layer)]
    hooks = [layer.register_forward_pre_hook(compare) for layer in learning]
    if hooks:
        model.eval()
        with torch.no_grad():
            model.features(x)
    for hook in hooks:
        hook.remove()
    return max(factors)


def renormalise(model: Model, x: Tensor, few: int = 256) -> list[str]:
    """Take statistics from windows ``(n, channel, time)``, a plain mean over batches of `few`.

    Returns:
        The names of what was taken.

    Raises:
        SpecError: If the model has no normalisation layer.
    """
    found = needed(model)
    model.eval()
    before = [layer.momentum for layer in found]
    for layer in found:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    with torch.no_grad():
        for part in torch.split(x, few):
            model.features(part)
    for layer, momentum in zip(found, before, strict=True):
        layer.momentum = momentum
    ends = ("running_mean", "running_var")
    return [name for name, _ in model.named_buffers() if name.endswith(ends)]
