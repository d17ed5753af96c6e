"""How alike two networks see the same windows, layer by layer, and how far weights went."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tsxfer.models.base import Model
from tsxfer.train.low_rank import plain_name
from tsxfer.train.start import as_in_training, listening

Grams = dict[str, Tensor]
VARIES = 1e-6  # deviation over size below which an output is the same for all windows
FEWEST = 4  # windows; the debiased estimate divides by n - 3


def grams(model: Model, x: Tensor) -> Grams:
    """Inner products of all pairs of windows in each layer's output, first layer to last.

    Normalisation uses the statistics of these windows, as in the first steps of training; nothing
    in the model changes.

    Args:
        model: Any network.
        x: Windows ``(n, channel, time)``.

    Returns:
        ``(n, n)`` by the name of the layer within the backbone.
    """
    own = {module: name for name, module in model.backbone.named_modules()}
    found: Grams = {}

    def listen(layer: nn.Module, output: Tensor) -> None:
        each = output.reshape(len(x), -1).double()  # channels that pass alone are put together
        apart = each - each.mean(dim=0)
        varies = float(apart.square().mean()) > VARIES**2 * float(each.square().mean())
        found[own[layer]] = (apart @ apart.T).cpu() * varies

    with as_in_training(model), torch.no_grad(), listening(model, listen):
        model.features(x)
    return found


def alike(first: Tensor, second: Tensor) -> float | None:
    """Linear CKA of two layers from their inner products, both ``(n, n)``, debiased.

    1 where one is the other turned and scaled, about 0 where they share nothing, a little below 0
    by chance. Debiased (Song et al. 2012, eq. 5, in Kornblith et al. 2019's index), since with
    fewer windows than outputs the plain index is near 1 for random networks too.

    Returns:
        None where a layer's output is the same for all windows, or with fewer than four windows.
    """
    n = len(first)
    if n < FEWEST:
        return None
    cross = _hsic(first, second)
    size = _hsic(first, first) * _hsic(second, second)
    return cross / size**0.5 if size > 0 else None


def _hsic(first: Tensor, second: Tensor) -> float:
    """Unbiased estimate of the Hilbert-Schmidt independence criterion, times n (n - 3)."""
    n = len(first)
    a, b = (gram - torch.diag(gram.diag()) for gram in (first, second))
    rows = float(a.sum(dim=0) @ b.sum(dim=0))
    whole = float(a.sum() * b.sum()) / ((n - 1) * (n - 2))
    return float((a * b).sum()) + whole - 2 * rows / (n - 2)


def travel(begin: Mapping[str, Tensor], end: Mapping[str, Tensor], layer: str) -> float | None:
    """Distance of a layer's weights from where they began, relative to their size there.

    Args:
        begin: Tensors of a model by name.
        end: Those after training.
        layer: Within the backbone.

    Returns:
        None where the layer has no weights, or only zeros to begin with.
    """
    ahead = f"backbone.{layer}."
    then, now = ({plain_name(n): t.double().cpu() for n, t in of.items()} for of in (begin, end))
    names = [n for n in then if n.startswith(ahead) and n in now]
    size = sum(float(then[n].square().sum()) for n in names) ** 0.5
    far = sum(float((now[n] - then[n]).square().sum()) for n in names) ** 0.5
    return far / size if size else None
