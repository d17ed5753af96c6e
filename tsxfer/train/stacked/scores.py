"""Scores of all replicas of a stack, made on their device of counts and sums.

Counts by class are whole numbers, so that scores of classes are those of `tsxfer.metrics` to the
bit. Errors are made of the same float32 answers in float64, and summed in another order: within
1e-12 of a score's size. A loss is a float32 mean in another order: within 1e-5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import vmap

from tsxfer.train.judging import Scores, Unit, question_of
from tsxfer.train.loop import Run
from tsxfer.train.objectives import task_loss


def refusal(runs: Sequence[Run], anywhere: bool = False) -> str:
    """Why scores are the host's business; empty where the device makes them.

    Args:
        runs: Replicas of a stack.
        anywhere: On a CPU too, where output is there already and rows keep their bits.
    """
    kind = runs[0].replica.train.x.device.type
    if kind != "cuda" and not (anywhere and kind == "cpu"):
        return f"raw output is on the {kind} as it is"
    asked = [question_of(run.replica.score) for run in runs]
    if any(one is None for one in asked):
        return "a score that is a function of its own"
    if len({one.form for one in asked if one}) > 1:
        return "replicas are scored in other ways"
    return ""


class Judges:
    """What is known of the validation part of each replica, on their device.

    Args:
        runs: Replicas that `refusal` does not name.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._device = runs[0].replica.train.x.device
        found = [question_of(run.replica.score) for run in runs]
        self._asked = [one for one in found if one is not None]
        self._first = self._asked[0]
        self._truth = self._put([one.truth for one in self._asked])
        self._y = torch.stack([run.replica.validation.y for run in runs])
        self._units = [one.unit for one in self._asked if one.unit is not None]
        self._scale = self._scales(self._units) if self._units else None

    @property
    def by_loss(self) -> bool:
        """Whether the loss is asked for, and the kernels' penalty with it."""
        return self._first.monitor == "loss"

    def _put(self, arrays: Sequence[NDArray[np.generic]]) -> Tensor:
        return torch.from_numpy(np.stack(arrays)).to(self._device)

    def _scales(self, units: Sequence[Unit]) -> tuple[Tensor, ...]:
        one = self._put([np.array([[u.sd], [u.mean]]) for u in units])
        spread, centre = ([getattr(u, name) for u in units] for name in ("spread", "centre"))
        return one[:, 0], one[:, 1], self._put(spread).double(), self._put(centre).double()

    def terms(self, output: Tensor, penalty: Tensor | None) -> Tensor:
        """``(replica, k)`` float64: what `Question.answer` reads.

        Args:
            output: ``(replica, n, outputs)`` raw validation output.
            penalty: ``(replica,)`` of the kernels, where the loss is asked for.
        """
        parts = self._by_class(output) if self._scale is None else self._by_error(output)
        return torch.cat([parts, self._loss(output, penalty)[:, None]], dim=1)

    def _by_class(self, output: Tensor) -> Tensor:
        codes = torch.arange(output.shape[2], device=self._device)
        claimed = output.argmax(dim=2)[..., None] == codes
        hits = claimed & (self._truth[..., None] == codes)
        return torch.cat([hits.sum(dim=1), claimed.sum(dim=1)], dim=1).double()

    def _by_error(self, output: Tensor) -> Tensor:
        assert self._scale is not None  # noqa: S101  (asked of numbers alone)
        sd, mean, spread, centre = self._scale
        answers = ((output[..., 0].double() * sd + mean) * spread + centre).float()
        errors = answers.double() - self._truth.double()
        if self._first.metric in ("rmse", "r2"):
            return errors.square().mean(dim=1, keepdim=True)
        away = errors.abs()
        return _median(away) if self._first.metric == "medae" else away.mean(dim=1, keepdim=True)

    def _loss(self, output: Tensor, penalty: Tensor | None) -> Tensor:
        if not self.by_loss:
            return output.new_zeros(len(output), dtype=torch.float64)
        kind = self._first.kind
        losses = vmap(lambda one, y: task_loss(one, y, kind))(output, self._y).double()
        return losses if penalty is None else losses + penalty.double()

    def answers(self, terms: NDArray[np.float64]) -> list[Scores]:
        """The scores of each replica, on the host."""
        return [one.answer(mine) for one, mine in zip(self._asked, terms, strict=True)]


def _median(x: Tensor) -> Tensor:
    """As `numpy.median` over the last axis: NaN where there is one."""
    count = x.shape[1]
    middle = [x.kthvalue(place, dim=1).values for place in ((count + 1) // 2, count // 2 + 1)]
    found = (middle[0] + middle[1]) / 2
    return found.masked_fill(x.isnan().any(dim=1), torch.nan)[:, None]
