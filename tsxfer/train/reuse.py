"""What a model takes over from a source: copied, renewed and frozen tensors, audited."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tsxfer.errors import SpecError
from tsxfer.keys import stream
from tsxfer.models.base import Model

Weights = dict[str, Tensor]


def transferred(model: Model) -> list[str]:
    """Names of the parameters that transfer copies."""
    prefixes = tuple(f"backbone.{prefix}" for prefix in model.backbone.transferred)
    return [name for name, _ in model.named_parameters() if name.startswith(prefixes)]


def started(model: Model, source: Weights, start: str, *names: str | int) -> Weights:
    """What the copied tensors start from: the source's as they fit, or a placebo of the same scale.

    Args:
        model: That will copy them.
        source: Trained weights.
        start: ``weights``; ``permuted``: the same values in another order, tensor by tensor;
            ``moments``: normal values with each tensor's mean and standard deviation.
        names: Of the random stream: what a placebo may depend on.
    """
    if start == "weights":
        return source
    placebo = _permuted if start == "permuted" else _moments
    parameters = dict(model.named_parameters())
    return {
        name: placebo(_fitted(name, source, parameters[name]), stream(start, *names, name))
        for name in transferred(model)
    }


def _permuted(tensor: Tensor, draw: np.random.Generator) -> Tensor:
    order = torch.from_numpy(draw.permutation(tensor.numel()))
    return tensor.reshape(-1)[order].reshape(tensor.shape)


def _moments(tensor: Tensor, draw: np.random.Generator) -> Tensor:
    """Normal values, shifted and scaled to the very moments; equal values stay what they are."""
    values = draw.normal(size=tuple(tensor.shape))
    drawn = torch.from_numpy((values - values.mean()) / (values.std() or 1.0))
    exact = tensor.double()
    return (drawn * exact.std(correction=0) + exact.mean()).to(tensor.dtype)


def copy_convolutions(model: Model, source: Weights) -> dict[str, list[str]]:
    """Copy the source's convolutions into `model`; everything else keeps its fresh weights.

    A kernel whose input width differs (the first layer, where channel counts differ) becomes the
    mean over the source's channels, repeated; from one channel that is the study's rule
    (section 3.1).

    Returns:
        The audit: ``copied`` and ``renewed`` tensor names.

    Raises:
        SpecError: If a tensor is missing or cannot be fitted.
    """
    copied = transferred(model)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if name in copied:
                tensor.copy_(_fitted(name, source, tensor))
    renewed = [name for name, _ in model.named_parameters() if name not in copied]
    return {"copied": copied, "renewed": renewed}


def take_over(model: Model, source: Weights, frozen: bool) -> dict[str, list[str]]:
    """Copy the source's convolutions and, where they are frozen, keep training off them.

    Returns:
        The audit of `copy_convolutions`, with ``frozen`` tensor names.
    """
    audit = copy_convolutions(model, source)
    audit["frozen"] = audit["copied"] if frozen else []
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in audit["frozen"])
    return audit


def _fitted(name: str, source: Weights, wanted: Tensor) -> Tensor:
    given = source.get(name)
    if given is not None and given.shape == wanted.shape:
        return given
    if given is not None and given.ndim == 3 and given[:, :1].shape == wanted[:, :1].shape:
        return given.mean(dim=1, keepdim=True).expand_as(wanted)
    shape = "missing" if given is None else tuple(given.shape)
    raise SpecError(
        f"tensor {name} of the source is {shape}, the target needs {tuple(wanted.shape)}",
        mend="use the same model for source and target",
    )


def check_frozen(model: Model, names: list[str], source: Weights) -> None:
    """Demand that frozen tensors still hold the source's bits.

    Raises:
        SpecError: If one moved; that is a fault of tsxfer, never of the user.
    """
    state = dict(model.named_parameters())
    moved = [
        n for n in names if not torch.equal(state[n].cpu(), _fitted(n, source, state[n].cpu()))
    ]
    if moved:
        raise SpecError(f"frozen tensors changed while training: {', '.join(moved)}")
