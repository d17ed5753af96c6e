"""Heads: what reads the features and gives the answer; both arms of a comparison get the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from tsxfer.core.declared import Value
from tsxfer.core.doors import HEADS, asked
from tsxfer.core.guard import broken, guarded
from tsxfer.models.layers import own_stream

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
    made, again = (_made(found, what, place, drawn, (width, outputs), options) for _ in range(2))
    with guarded(what, place), torch.random.fork_rng(devices=[]):
        given = made(torch.zeros(2, width))
    _refuse_output(given, outputs, what, place)
    _refuse_chance(made, again, width, what, place)
    made.register_forward_hook(_Shape(what, place, outputs))
    return made


def _made(
    found: Callable[..., nn.Module],
    what: str,
    place: str,
    drawn: torch.Tensor,
    shape: tuple[int, int],
    options: Mapping[str, Value],
) -> nn.Module:
    """A user's head from a state of PyTorch's global stream, which stays as it is."""
    with guarded(what, place), torch.random.fork_rng(devices=[]):
        torch.random.set_rng_state(drawn)
        made = found(*shape, **options)
    if not isinstance(made, nn.Module):
        raise broken(what, place, f"gives {type(made).__name__}", "return a torch.nn.Module")
    return made


def _refuse_output(given: torch.Tensor, outputs: int, what: str, place: str) -> None:
    shape = tuple(given.shape)
    if shape != (2, outputs):
        raise broken(what, place, f"gives {shape} for two rows", f"return (batch, {outputs})")
    if not torch.isfinite(given).all():
        mend = "start its weights with finite numbers"
        raise broken(what, place, "gives numbers that are not finite (NaN) for two rows", mend)


def _refuse_chance(made: nn.Module, again: nn.Module, width: int, what: str, place: str) -> None:
    """Refuse a head that starts otherwise when made again, or draws from a shared stream."""
    pairs = zip(made.parameters(), again.parameters(), strict=True)
    if any(not torch.equal(a, b) for a, b in pairs):
        mend = "draw from PyTorch's global stream, which is set for it, and keep no count"
        raise broken(what, place, "starts otherwise when made again: arms would differ", mend)
    own_stream(again, 0, torch.device("cpu"))
    with guarded(what, place), torch.random.fork_rng(devices=[]):
        before = torch.random.get_rng_state()
        again(torch.zeros(2, width))
        drew = not torch.equal(before, torch.random.get_rng_state())
    if drew:
        fault = "draws from PyTorch's global stream, which what trains beside it would change"
        raise broken(what, place, fault, "use nn.Dropout for all chance")


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
