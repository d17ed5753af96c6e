"""A linear head in closed form on features that stay: the linear probe, and random convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tsxfer.train import loop, ridge, zero_shot


class Solved(nn.Module):
    """A ridge as a head: what it was fitted to and the network around it stay as they are."""

    mean: Tensor
    inverse: Tensor
    weights: Tensor
    offset: Tensor

    def __init__(self, fitted: ridge.Ridge) -> None:
        super().__init__()
        held = {
            "mean": fitted.scale.mean,
            "inverse": fitted.scale.inverse,
            "weights": fitted.weights,
            "offset": fitted.offset,
        }
        for name, array in held.items():
            self.register_buffer(name, torch.from_numpy(np.array(array, np.float32)))

    def forward(self, features: Tensor) -> Tensor:
        """``(batch, feature)`` to ``(batch, outputs)``; see `tsxfer.train.ridge.Scale`."""
        scaled = (features - self.mean) * self.inverse
        output: Tensor = scaled.clamp(-ridge.CLIP, ridge.CLIP) @ self.weights + self.offset
        return output


def fit(pack: Sequence[loop.Replica]) -> list[loop.Fit]:
    """Solve each replica's head; the penalty is the one with the best validation value.

    A head that is a source's own stays as it is.
    """
    return [
        zero_shot.judged(one) if isinstance(one.model.head, zero_shot.Adopted) else _fit(one)
        for one in pack
    ]


def _fit(replica: loop.Replica) -> loop.Fit:
    model = replica.model
    outputs = loop.predict(model, replica.validation.x[:1], replica.validation.extra[:1]).shape[1]
    model.head = nn.Identity()  # the features themselves
    parts = (replica.train, replica.validation)
    features, held = (loop.predict(model, part.x, part.extra) for part in parts)
    goal = _goal(replica.train.y.cpu().numpy(), outputs)
    blind = replica.score(np.tile(goal.mean(axis=0), (len(held), 1)).astype(np.float32))
    if not np.isfinite(features).all() or not np.isfinite(held).all():
        return loop.Fit([0.0], [blind[0]], [blind[1]], diverged=True)
    solved = ridge.fit(features, goal, held, lambda output: replica.score(output)[0])
    model.head = Solved(solved).to(replica.train.x.device)
    value, metric = replica.score(solved.predict(held))
    return loop.Fit([0.0, float(len(features))], [blind[0], value], [blind[1], metric], best=1)


def _goal(y: NDArray[Any], outputs: int) -> NDArray[np.float64]:
    return y.astype(np.float64)[:, None] if y.dtype.kind == "f" else ridge.one_hot(y, outputs)
