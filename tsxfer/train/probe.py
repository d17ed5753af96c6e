"""A linear head in closed form on features that stay: the linear probe, and random convolutions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tsxfer.errors import SpecError
from tsxfer.models.base import Model
from tsxfer.train import loop

Matrix = NDArray[np.float64]
PENALTIES = tuple(10.0**power for power in range(-4, 5))  # in units of the number of windows


def fit(pack: Sequence[loop.Replica], rules: loop.Rules) -> list[loop.Fit]:
    """Solve each replica's head; the penalty is the one with the best validation value."""
    del rules  # no step is taken
    return [_fit(replica) for replica in pack]


def _fit(replica: loop.Replica) -> loop.Fit:
    model = replica.model
    _, outputs = _ends(model)
    model.head = nn.Sequential()  # the features themselves
    parts = (replica.train, replica.validation)
    features, held = (loop.predict(model, part.x, part.extra).astype(np.float64) for part in parts)
    goal = _goal(replica.train.y.cpu().numpy(), outputs)
    scored = []
    for weight, bias in ridge(features, goal, PENALTIES):
        value, metric = replica.score((held @ weight + bias).astype(np.float32))
        scored.append((value, metric, weight, bias))
    value, metric, weight, bias = max(scored, key=lambda one: one[0])
    model.head = _head(weight, bias).to(replica.train.x.device)
    nothing = replica.score(np.tile(goal.mean(axis=0), (len(held), 1)).astype(np.float32))
    return loop.Fit(
        samples=[0.0, float(len(features))], monitor=[nothing[0], value],
        metric=[nothing[1], metric], best=1, diverged=not np.isfinite(value),
    )  # fmt: skip


def _ends(model: Model) -> tuple[int, int]:
    last = list(model.head.children())[-1]
    if not isinstance(last, nn.Linear):
        raise SpecError("a head that does not end in a dense layer cannot be solved")
    return last.in_features, last.out_features


def _goal(y: NDArray[np.generic], outputs: int) -> Matrix:
    """Numbers as they are, classes as 0 and 1 in a column each."""
    if y.dtype.kind == "f":
        return y.astype(np.float64)[:, None]
    return np.asarray(np.eye(outputs)[y])


def ridge(
    features: Matrix, goal: Matrix, penalties: Sequence[float]
) -> list[tuple[Matrix, Matrix]]:
    """Ridge regression on standardised features, one solution a penalty.

    Args:
        features: ``(n, feature)``.
        goal: ``(n, output)``.
        penalties: Times n, on the squared weights of standardised features.

    Returns:
        ``(feature, output)`` weights and ``(output,)`` bias on the features as they were given.
    """
    mean, sd = features.mean(axis=0), features.std(axis=0)
    sd = np.where(sd > 1e-12 * (1 + np.abs(mean)), sd, np.inf)  # a constant tells nothing
    u, s, v = np.linalg.svd((features - mean) / sd, full_matrices=False)
    centre = goal.mean(axis=0)
    turned = u.T @ (goal - centre)
    found = []
    for penalty in penalties:
        shrunk = (s / (s**2 + penalty * len(features)))[:, None] * turned
        weight = (v.T @ shrunk) / sd[:, None]
        found.append((weight, centre - mean @ weight))
    return found


def _head(weight: Matrix, bias: Matrix) -> nn.Sequential:
    layer = nn.Linear(*weight.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.T))
        layer.bias.copy_(torch.from_numpy(bias))
    return nn.Sequential(layer)
