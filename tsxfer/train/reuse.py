"""What a model takes over from a source: copied, renewed and frozen tensors, audited."""

from __future__ import annotations

import torch
from torch import Tensor

from tsxfer.errors import SpecError
from tsxfer.models.base import Model

Weights = dict[str, Tensor]


def transferred(model: Model) -> list[str]:
    """Names of the parameters that transfer copies."""
    prefixes = tuple(f"backbone.{prefix}" for prefix in model.backbone.transferred)
    return [name for name, _ in model.named_parameters() if name.startswith(prefixes)]


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
