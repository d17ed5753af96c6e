"""Heads: what reads the features and gives the answer; both arms of a comparison get the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from tsxfer.core.doors import HEADS, asked
from tsxfer.core.guard import broken, guarded

Make = TypeVar("Make", bound=Callable[[int, int], nn.Module])


def head(name: str = "") -> Callable[[Make], Make]:
    """Register a function ``(width, outputs) -> module`` as a head.

    The module maps features ``(batch, width)``, the amplitude among them, to ``(batch, outputs)``.

    Args:
        name: Of the head, where it is not that of the function.
    """
    del name  # read from the file
    return lambda make: make


@head()
def linear(width: int, outputs: int) -> nn.Module:
    """One dense layer."""
    return _started(nn.Sequential(nn.Linear(width, outputs)))


@head()
def dense(width: int, outputs: int) -> nn.Module:
    """A dense ReLU layer as wide as its input, then one that answers; as in the study."""
    return _started(nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)))


def _started(made: nn.Sequential) -> nn.Sequential:
    for layer in made.children():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)  # Keras' default, as in the study
            nn.init.zeros_(layer.bias)
    return made


def make(name: str, width: int, outputs: int) -> nn.Module:
    """A fresh head; it draws from PyTorch's global stream, which its caller sets.

    Args:
        name: Of the head, with its options: ``mlp:hidden=64``.
        width: Of the features.
        outputs: Classes, or 1 for numbers.

    Raises:
        SpecError: If there is none of that name, or a user's own breaks its contract.
    """
    plain, options = asked(HEADS, name)
    found = HEADS.get(plain)
    if not HEADS.plugin_digest(plain):
        return found(width, outputs)  # type: ignore[no-any-return]
    what, place = f"head {name}", HEADS.place(plain)
    drawn = torch.random.get_rng_state()
    with guarded(what, place), torch.random.fork_rng(devices=[]):
        torch.random.set_rng_state(drawn)
        made = found(width, outputs, **options)
        shape = tuple(made(torch.zeros(2, width)).shape)
    if shape != (2, outputs):
        raise broken(what, place, f"gives {shape} for two rows", f"return (batch, {outputs})")
    made.register_forward_hook(_Shape(what, place, outputs))
    return made  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Holds a user's head to its shape for batches of every length, not for two rows alone."""

    what: str
    place: str
    outputs: int

    def __call__(self, made: nn.Module, given: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
        """A forward hook; it looks at shapes alone, which costs no wait for a GPU."""
        del made
        wanted, shape = (len(given[0]), self.outputs), tuple(out.shape)
        if shape != wanted:
            fault = f"gives {shape} for {wanted[0]} rows"
            raise broken(self.what, self.place, fault, f"return (batch, {self.outputs})")
