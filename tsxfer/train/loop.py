"""Fit a pack of models: data on the device, no loader, no synchronisation inside an epoch.

The loop sees training and validation arrays only; test labels are out of its reach. Its unit is the
pack: replicas that share shapes and rules, each with its own data order, dropout stream, schedule
and early stop. Here they take turns epoch by epoch, so a pack gives the bits of its replicas alone.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
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


Score = Callable[[NDArray[np.float32]], tuple[float, float]]
"""Raw validation output ``(n, outputs)`` to what is monitored (larger is better) and the metric."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One training of a pack.

    Attributes:
        model: On the device; changed in place, ends at its best checkpoint.
        train: What it learns from.
        validation: What the checkpoint is chosen on.
        score: Scores raw validation output.
        order: Stream of the batch order.
        dropout: Seed of the dropout stream.
        slow: Names of parameters whose rate is multiplied by `multiplier`.
        multiplier: See `slow`.
    """

    model: Model
    train: Batch
    validation: Batch
    score: Score
    order: np.random.Generator
    dropout: int
    slow: list[str]
    multiplier: float


@dataclass(frozen=True, slots=True)
class Rules:
    """What all replicas of a pack share.

    Attributes:
        recipe: Rates, budget and patience.
        drop_last: Leave incomplete batches out, as the study did.
        always_drop: Dropout stays on at prediction where the study left it on.
    """

    recipe: Recipe
    drop_last: bool = False
    always_drop: bool = False


@dataclass(slots=True)
class Fit:
    """What training gave; the model holds the weights of the best monitored validation value.

    Attributes:
        samples: Training instances seen at each evaluation, from 0.
        monitor: Monitored value at each evaluation, larger is better.
        metric: Primary metric at each evaluation, in its own unit and direction.
        best: Index of the chosen evaluation.
        steps: Optimiser steps taken.
        diverged: Training met a value that is not finite.
    """

    samples: list[float] = field(default_factory=list)
    monitor: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    best: int = 0
    steps: int = 0
    diverged: bool = False


def steps_per_epoch(count: int, batch: int, drop_last: bool) -> int:
    """Optimiser steps of one pass."""
    return max(1, count // batch) if drop_last else math.ceil(count / batch)


def fit(pack: Sequence[Replica], rules: Rules) -> list[Fit]:
    """Train with Adam, a plateau schedule and early stopping on the monitored value."""
    runs = [_Run(replica, rules) for replica in pack]
    for _ in range(rules.recipe.epochs):
        for run in runs:
            if not run.stopped:
                run.epoch()
    for run in runs:
        run.replica.model.load_state_dict(run.best_state)
    return [run.out for run in runs]


class _Run:
    """The state of one replica between epochs."""

    def __init__(self, replica: Replica, rules: Rules) -> None:
        self.replica, self.rules, self.out = replica, rules, Fit()
        self.groups = _groups(replica, rules.recipe.rate)
        # Keras' epsilon.
        self.optimiser = torch.optim.Adam([dict(g) for g in self.groups], eps=1e-7, fused=True)
        self.per_epoch = steps_per_epoch(len(replica.train.y), rules.recipe.batch, rules.drop_last)
        self.random = _seeded(replica.dropout, replica.train.x.device)
        self.stale, self.waited, self.rate = 0, 0, 1.0
        self.plateau, self.stopped = -math.inf, False
        self.best_state: dict[str, Tensor] = {}
        with self._own_stream():
            self._evaluate(0)

    def epoch(self) -> None:
        """One pass over the training instances, then the schedule."""
        with self._own_stream():
            self._pass()
        value, best = self.out.monitor[-1], self.out.best == len(self.out.monitor) - 1
        if not math.isfinite(value):
            self.out.diverged = self.stopped = True
            return
        self.stale = 0 if best else self.stale + 1
        self.stopped = self.stale >= self.rules.recipe.patience
        self._schedule(value)

    def _pass(self) -> None:
        recipe, train = self.rules.recipe, self.replica.train
        permutation = torch.from_numpy(self.replica.order.permutation(len(train.y)))
        permutation = permutation.to(train.x.device)
        first = self.out.steps == 0
        early = {self.per_epoch // k for k in (8, 4, 2)} - {0} if first else set()
        self.replica.model.train()
        for step in range(self.per_epoch):
            rows = permutation[step * recipe.batch :][: recipe.batch]
            _step(self.replica.model, self.optimiser, train, rows, recipe.loss)
            self.out.steps += 1
            if step + 1 in early:
                self._evaluate((step + 1) * recipe.batch)
                self.replica.model.train()
        seen = self.per_epoch * recipe.batch if self.rules.drop_last else len(train.y)
        self._evaluate(self.out.steps // self.per_epoch * seen)

    def _evaluate(self, seen: int) -> None:
        replica, out = self.replica, self.out
        part = replica.validation
        value, metric = replica.score(
            predict(replica.model, part.x, part.extra, always_drop=self.rules.always_drop)
        )
        out.samples.append(float(seen))
        out.monitor.append(value)
        out.metric.append(metric)
        if not self.best_state or value > out.monitor[out.best]:
            out.best = len(out.monitor) - 1
            self.best_state = copy.deepcopy(replica.model.state_dict())

    def _schedule(self, value: float) -> None:
        """Keras' ReduceLROnPlateau: less rate after some epochs without a gain above the delta."""
        recipe = self.rules.recipe
        if value > self.plateau + recipe.plateau_delta:
            self.plateau, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= recipe.plateau_patience:
            self.waited = 0
            self.rate = max(self.rate * recipe.plateau_factor, recipe.min_rate / recipe.rate)
            for group, start in zip(self.optimiser.param_groups, self.groups, strict=True):
                group["lr"] = float(str(start["lr"])) * self.rate

    @contextmanager
    def _own_stream(self) -> Iterator[None]:
        """Draw dropout from this replica's stream, so that its neighbours do not matter."""
        device = self.replica.train.x.device
        cuda = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda):
            _set_random(self.random, device)
            yield
            self.random = _random(device)


def _seeded(seed: int, device: torch.device) -> Tensor:
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        return _random(device)


def _random(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random(state: Tensor, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)


def _groups(replica: Replica, rate: float) -> list[dict[str, object]]:
    named = [(n, p) for n, p in replica.model.named_parameters() if p.requires_grad]
    lagging = [p for n, p in named if n in replica.slow] if replica.multiplier != 1 else []
    held = {id(p) for p in lagging}
    groups: list[dict[str, object]] = [
        {"params": [p for _, p in named if id(p) not in held], "lr": rate}
    ]
    if lagging:
        groups.append({"params": lagging, "lr": rate * replica.multiplier})
    return groups


def _step(model: Model, optimiser: torch.optim.Adam, train: Batch, rows: Tensor, kind: str) -> None:
    output = model(train.x[rows], train.extra[rows])
    loss = task_loss(output, train.y[rows], kind)
    if model.backbone.kernel_l2:
        loss = loss + model.penalty()
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def task_loss(output: Tensor, y: Tensor, kind: str = "task") -> Tensor:
    """Squared error for numbers, cross-entropy for classes; ``squared``: on one-hot classes too."""
    if y.is_floating_point():
        return functional.mse_loss(output[:, 0], y)
    if kind == "squared":
        return functional.mse_loss(output, functional.one_hot(y, output.shape[1]).float())
    return functional.cross_entropy(output, y)


def predict(
    model: Model, x: Tensor, extra: Tensor, batch: int = 512, *, always_drop: bool = False
) -> NDArray[np.float32]:
    """Raw outputs ``(n, outputs)`` with the model in evaluation mode."""
    model.eval()
    if always_drop and model.backbone.dropout_in_study:
        for layer in model.modules():
            if isinstance(layer, nn.Dropout):
                layer.train()
    with torch.inference_mode():
        parts = [
            model(a, b)
            for a, b in zip(torch.split(x, batch), torch.split(extra, batch), strict=True)
        ]
        return torch.cat(parts).float().cpu().numpy()
