"""What a step minimises: one function from a model and the rows of a batch to a loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from tsxfer.models.base import Model
from tsxfer.models.draws import Chance, Streams
from tsxfer.train import distort
from tsxfer.train.batch import Batch

Objective = Callable[[Model, Batch, Tensor, Chance], Tensor]
"""``(model, training part, rows of the batch, random stream) -> loss``."""


def task_loss(
    output: Tensor, y: Tensor, kind: str = "task", weights: Tensor | None = None
) -> Tensor:
    """Squared error for numbers, cross-entropy for classes; ``squared``: on one-hot classes too.

    Args:
        output: ``(n, outputs)``.
        y: ``(n,)`` numbers or class codes.
        kind: ``task`` or ``squared``.
        weights: ``(class,)``, what a window of each class counts in the cross-entropy.
    """
    if y.is_floating_point():
        return functional.mse_loss(output[:, 0], y)
    if kind == "squared":
        return functional.mse_loss(output, functional.one_hot(y, output.shape[1]).float())
    return functional.cross_entropy(output, y, weight=weights)


def constant_loss(y: Tensor, outputs: int, kind: str = "task") -> float:
    """The least loss of an answer that is the same for all windows."""
    if y.is_floating_point():
        return float(y.var(correction=0))
    shares = torch.bincount(y, minlength=outputs).float() / len(y)
    answer = shares if kind == "squared" else shares.clamp_min(1e-12).log()
    return float(task_loss(answer.expand(len(y), -1), y, kind))


@dataclass(frozen=True, slots=True)
class Labels:
    """The loss on labels; see `of_labels`. Equal ones do the same, so that replicas share one."""

    kind: str = "task"
    augment: bool = False
    moved: bool = True

    def __call__(self, model: Model, part: Batch, rows: Tensor, random: Chance) -> Tensor:
        """The loss of a batch."""
        x = part.x[rows]
        x = distort.light(x, random, moved=self.moved) if self.augment else x
        return task_loss(model(x, part.extra[rows]).float(), part.y[rows], self.kind)


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """The loss on class labels in which a window counts what its class does.

    Attributes:
        weights: See `task_loss`; on the device of the model.
    """

    weights: Tensor

    def __call__(self, model: Model, part: Batch, rows: Tensor, random: Chance) -> Tensor:
        """The loss of a batch."""
        del random
        output = model(part.x[rows], part.extra[rows]).float()
        return task_loss(output, part.y[rows], weights=self.weights)


def of_labels(kind: str = "task", *, augment: bool = False, moved: bool = True) -> Objective:
    """The loss on labels; with `augment`, of windows that each step distorts differently.

    Args:
        kind: See `task_loss`.
        augment: See `tsxfer.train.distort.light`.
        moved: See there.
    """
    return Labels(kind, augment, moved)


@dataclass(frozen=True, slots=True)
class Anchored:
    """An objective, and half the squared distance of parameters from where they were (L2-SP).

    Attributes:
        inner: The objective.
        names: Of the parameters.
        pairs: Each as it is now, and as it was.
        weight: Of the distance.
    """

    inner: Objective
    names: tuple[str, ...]
    pairs: tuple[tuple[Tensor, Tensor], ...]
    weight: float

    def __call__(self, model: Model, part: Batch, rows: Tensor, random: Chance) -> Tensor:
        """The loss of a batch."""
        away = torch.stack([(now - before).square().sum() for now, before in self.pairs]).sum()
        return self.inner(model, part, rows, random) + 0.5 * self.weight * away


def anchored(objective: Objective, model: Model, names: Sequence[str], weight: float) -> Objective:
    """Adds half the squared distance of these parameters from where they are now (L2-SP)."""
    held = dict(model.named_parameters())
    there = tuple(name for name in names if name in held)
    pairs = tuple((held[name], held[name].detach().clone()) for name in there)
    return Anchored(objective, there, pairs, weight)


def pooled(objective: Objective, others: Sequence[tuple[Model, Batch]], batch: int) -> Objective:
    """Adds the loss of other models, which share parameters with the first, on their own data.

    Each step draws `batch` rows of each, with replacement: an epoch is a pass over the first.
    """

    def loss(model: Model, part: Batch, rows: Tensor, random: Chance) -> Tensor:
        assert not isinstance(random, Streams)  # noqa: S101  (models that share stack with no other)
        total = objective(model, part, rows, random)
        for other, data in others:
            drawn = torch.empty(batch, device=rows.device).uniform_(generator=random)
            total = total + objective(other, data, (drawn * len(data.y)).long(), random)
        return total

    return loss
