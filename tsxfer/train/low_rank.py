"""Low-rank learning beside kernels that stay (LoRA, Hu et al. 2022), where a layer allows it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

ALLOWED = (nn.Conv1d, nn.Linear)
_INSIDE, _KEPT = ".parametrizations.", ".original"


class Product(nn.Module):
    """Adds ``up @ down`` to a weight of `shape`; `up` starts at zero: nothing changes at first."""

    def __init__(self, shape: torch.Size, rank: int) -> None:
        super().__init__()
        rows, columns = shape[0], shape[1:].numel()
        self.down = nn.Parameter(torch.empty(min(rank, rows, columns), columns))
        self.up = nn.Parameter(torch.zeros(rows, len(self.down)))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)  # as nn.Linear starts

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with the product added, in its own shape."""
        return weight + (self.up @ self.down).view_as(weight)


def add(model: nn.Module, names: Iterable[str], rank: int, seed: int) -> list[str]:
    """Give each weight of a convolution or dense layer among `names` a product that learns.

    Returns:
        The weights that got one; other layer types (an LSTM, normalisation) only stay.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return [name for name in names if _add(model, name, rank)]


def _add(model: nn.Module, name: str, rank: int) -> bool:
    parent, _, what = name.rpartition(".")
    layer = model.get_submodule(parent)
    if what != "weight" or not isinstance(layer, ALLOWED):
        return False
    parametrize.register_parametrization(layer, what, Product(layer.weight.shape, rank))
    return True


def plain_name(name: str) -> str:
    """The name that a weight has without its product."""
    parent, inside, what = name.partition(_INSIDE)
    return f"{parent}.{what.removesuffix(_KEPT)}" if inside and what.endswith(_KEPT) else name


def merge(model: nn.Module) -> None:
    """Turn each weight and its product into one plain weight."""
    for layer in list(model.modules()):
        if isinstance(layer, ALLOWED) and parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
