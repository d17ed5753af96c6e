"""Fit one model: data on the device, no loader, no synchronisation inside an epoch.

The loop sees training and validation arrays only; test labels are out of its reach.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tsxfer.models.base import Model
from tsxfer.specs import Recipe


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays of one part, as tensors on the device.

    Attributes:
        x: ``(n, channel, time)``.
        extra: ``(n, 0 or 1)``.
        y: ``(n,)`` class codes (int64) or scaled labels (float32).
    """

    x: Tensor
    extra: Tensor
    y: Tensor


@dataclass(slots=True)
class Fit:
    """What training gave; the model holds the weights of the best validation score.

    Attributes:
        samples: Training instances seen at each evaluation, from 0.
        scores: Validation score at each evaluation.
        best: Index of the chosen evaluation.
        steps: Optimiser steps taken.
        diverged: Training met a loss that is not finite.
    """

    samples: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best: int = 0
    steps: int = 0
    diverged: bool = False


Score = Callable[[NDArray[np.float32]], float]
"""Raw validation output ``(n, outputs)`` to the score; larger is better."""


def steps_per_epoch(count: int, batch: int, drop_last: bool) -> int:
    """Optimiser steps of one pass."""
    return max(1, count // batch) if drop_last else math.ceil(count / batch)


def fit(
    model: Model,
    train: Batch,
    validation: Batch,
    score: Score,
    recipe: Recipe,
    *,
    order: np.random.Generator,
    slow: list[str],
    multiplier: float,
    drop_last: bool,
) -> Fit:
    """Train with Adam, a plateau schedule and early stopping on the validation score.

    Args:
        model: On the device; changed in place, ends at its best checkpoint.
        train: What it learns from.
        validation: What the checkpoint is chosen on.
        score: Scores raw validation output, larger is better.
        recipe: Rates, budget and patience.
        order: Stream of the batch order.
        slow: Names of parameters whose rate is multiplied by `multiplier`.
        multiplier: See `slow`.
        drop_last: Leave incomplete batches out, as the study did.
    """
    groups = _groups(model, slow, recipe.rate, multiplier)
    optimiser = torch.optim.Adam(groups, eps=1e-7, fused=True)  # Keras' epsilon
    per_epoch = steps_per_epoch(len(train.y), recipe.batch, drop_last)
    out = Fit()
    best_state = _evaluate(model, validation, score, out, 0, None)
    stale, rate = 0, 1.0
    for _ in range(recipe.epochs):
        permutation = torch.from_numpy(order.permutation(len(train.y))).to(train.x.device)
        early = {max(1, per_epoch // 4), max(1, per_epoch // 2)} if out.steps == 0 else set()
        model.train()
        for step in range(per_epoch):
            _step(model, optimiser, train, permutation[step * recipe.batch :][: recipe.batch])
            out.steps += 1
            if step + 1 in early and step + 1 < per_epoch:
                seen = (step + 1) * recipe.batch
                best_state = _evaluate(model, validation, score, out, seen, best_state)
                model.train()
        before = out.best
        seen = len(train.y) if not drop_last else per_epoch * recipe.batch
        epoch = out.steps // per_epoch
        best_state = _evaluate(model, validation, score, out, epoch * seen, best_state)
        if not math.isfinite(out.scores[-1]):
            out.diverged = True
            break
        improved = out.best != before or (epoch == 1 and out.best == len(out.scores) - 1)
        stale = 0 if improved else stale + 1
        if stale >= recipe.patience:
            break
        if stale and stale % recipe.plateau_patience == 0:
            rate = max(rate * recipe.plateau_factor, recipe.min_rate / recipe.rate)
            for group, start in zip(optimiser.param_groups, groups, strict=True):
                group["lr"] = float(str(start["start"])) * rate
    model.load_state_dict(best_state)
    return out


def _groups(model: Model, slow: list[str], rate: float, by: float) -> list[dict[str, object]]:
    fast = [p for n, p in model.named_parameters() if p.requires_grad and n not in slow]
    lagging = [p for n, p in model.named_parameters() if p.requires_grad and n in slow]
    groups: list[dict[str, object]] = [{"params": fast, "lr": rate, "start": rate}]
    if lagging:
        groups.append({"params": lagging, "lr": rate * by, "start": rate * by})
    return groups


def _step(model: Model, optimiser: torch.optim.Adam, train: Batch, rows: Tensor) -> None:
    output = model(train.x[rows], train.extra[rows])
    loss = _loss(output, train.y[rows])
    if model.backbone.kernel_l2:
        loss = loss + model.penalty()
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def _loss(output: Tensor, y: Tensor) -> Tensor:
    if y.is_floating_point():
        return functional.mse_loss(output[:, 0], y)
    return functional.cross_entropy(output, y)


def _evaluate(
    model: Model,
    validation: Batch,
    score: Score,
    out: Fit,
    seen: int,
    best: dict[str, Tensor] | None,
) -> dict[str, Tensor]:
    value = score(predict(model, validation.x, validation.extra))
    out.samples.append(float(seen))
    out.scores.append(value)
    if best is None or value > out.scores[out.best]:
        out.best = len(out.scores) - 1
        return copy.deepcopy(model.state_dict())
    return best


def predict(model: Model, x: Tensor, extra: Tensor, batch: int = 512) -> NDArray[np.float32]:
    """Raw outputs ``(n, outputs)`` with the model in evaluation mode."""
    model.eval()
    with torch.inference_mode():
        parts = [
            model(a, b)
            for a, b in zip(torch.split(x, batch), torch.split(extra, batch), strict=True)
        ]
        return torch.cat(parts).float().cpu().numpy()
