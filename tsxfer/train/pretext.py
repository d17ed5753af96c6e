"""Objectives of pretraining without labels: what one is, its name, and users' own under guard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tsxfer.core.doors import OBJECTIVES, asked
from tsxfer.core.guard import AWAY_FROM_0, broken, guarded
from tsxfer.models.base import Model
from tsxfer.models.draws import Chance
from tsxfer.train.batch import Batch
from tsxfer.train.loop import Score
from tsxfer.train.objectives import Objective

Floats = NDArray[np.float32]


class Unlabelled(Protocol):
    """One method of learning without labels: a head, a loss and a pretext task.

    It is made for windows of a shape: ``Kind(channels, length)``.
    """

    def head(self, width: int) -> nn.Module:
        """What takes the head's place: ``(batch, width)`` features to what is learned."""

    def objective(self) -> Objective:
        """What a step minimises."""

    def pretext(self, part: Batch, seed: int) -> tuple[Batch, Score, float]:
        """A fixed pretext task: its input, its score function, and a trivial prediction's score."""


Made = TypeVar("Made", bound=type)


def objective(name: str = "", *, metric: str, loss: str) -> Callable[[Made], Made]:
    """Register a class (see `Unlabelled`) as an objective of pretraining without labels.

    Args:
        name: Of the objective, where it is not that of the class in small letters.
        metric: What its pretext task is scored on, a name in `tsxfer.metrics`.
        loss: What a row says was minimised.
    """
    del name  # read from the file

    def register(kind: Made) -> Made:
        kind.facts = {"metric": metric, "loss": loss}  # type: ignore[attr-defined]
        return kind

    return register


def of(name: str, channels: int, length: int) -> Unlabelled:
    """The objective of that name (`Recipe.objective`) for windows of this shape.

    Raises:
        SpecError: If there is none, or a user's own breaks its contract.
    """
    plain, options = asked(OBJECTIVES, name)
    kind = OBJECTIVES.get(plain)
    if not OBJECTIVES.plugin_digest(plain):
        return cast("Unlabelled", kind(channels, length))
    what, place = f"objective {name}", OBJECTIVES.place(plain)
    with guarded(what, place):
        inner = kind(channels, length, **options)
    return Watched(inner, what, place)


def _shape(part: object) -> str:
    """Shapes of a window and of what stands beside it, in words."""
    if not isinstance(part, Batch):
        return type(part).__name__
    return f"windows {tuple(part.x.shape[1:])} with {tuple(part.extra.shape[1:])} beside them"


class Watched:
    """A user's objective, held to the contract: its faults are named with file and line."""

    def __init__(self, inner: Unlabelled, what: str, place: str) -> None:
        self.inner, self._what, self._place = inner, what, place

    def head(self, width: int) -> nn.Module:
        """See `Unlabelled.head`; what it gives is asked for two rows."""
        with guarded(self._what, self._place), torch.random.fork_rng(devices=[]):
            made = self.inner.head(width)
        if not isinstance(made, nn.Module):
            raise self._broken(f"head gives {type(made).__name__}", "return a torch.nn.Module")
        with guarded(self._what, self._place), torch.no_grad():
            made.eval()(torch.zeros(2, width))
        return made.train()

    def objective(self) -> Objective:
        """See `Unlabelled.objective`."""
        with guarded(self._what, self._place):
            inner = self.inner.objective()

        def loss(model: Model, part: Batch, rows: Tensor, random: Chance) -> Tensor:
            assert isinstance(random, torch.Generator)  # noqa: S101  (a user's is not stacked)
            with guarded(self._what, self._place):
                made = inner(model, part, rows, random)
            if not isinstance(made, Tensor) or made.ndim or not made.requires_grad:
                raise self._broken("loss gives no scalar that weights learn from", "take the mean")
            if made.device.type == "cpu" and not torch.isfinite(made):  # a GPU would wait
                raise self._broken(f"loss is not finite: {made.item()}", AWAY_FROM_0)
            return made

        return loss

    def pretext(self, part: Batch, seed: int) -> tuple[Batch, Score, float]:
        """See `Unlabelled.pretext`; it sees no label."""
        with guarded(self._what, self._place):
            asked, inner, blind = self.inner.pretext(
                replace(part, y=torch.zeros_like(part.y)), seed
            )

        if not isinstance(asked, Batch) or _shape(asked) != _shape(part):
            raise self._broken(
                f"pretext asks for {_shape(asked)}", f"return a Batch as {_shape(part)}"
            )
        if not isinstance(blind, int | float | np.number) or not np.isfinite(blind):
            raise self._broken(f"pretext gives {blind!r} to a trivial answer", "give a number")

        def score(output: Floats) -> tuple[float, float]:
            if not np.isfinite(output).all():
                raise self._broken("makes outputs that are not finite (NaN)", AWAY_FROM_0)
            with guarded(self._what, self._place):
                value, shown = inner(output)
            if not np.isfinite([value, shown]).all():
                raise self._broken(f"score gives {value}, {shown}", "return two finite numbers")
            return float(value), float(shown)

        return asked, score, float(blind)

    def _broken(self, fault: str, mend: str) -> Exception:
        return broken(self._what, self._place, fault, mend)
