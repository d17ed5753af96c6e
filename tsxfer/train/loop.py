"""Fit a pack of models: data on the device, no loader, no synchronisation inside an epoch.

The loop sees training and validation arrays only; test labels are out of its reach. Its unit is the
pack: replicas that share shapes and rules, each with its own data order, dropout stream, schedule
and early stop. `turns` trains them one after the other; other methods (`graphs`) give the same
numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tsxfer.core.seen import Learned
from tsxfer.core.specs import Recipe
from tsxfer.models.base import Model
from tsxfer.models.layers import own_stream
from tsxfer.train import norms
from tsxfer.train.batch import Batch
from tsxfer.train.method import Method
from tsxfer.train.objectives import Objective, constant_loss, of_labels, task_loss
from tsxfer.train.optimiser import Adam
from tsxfer.train.precision import autocast
from tsxfer.train.start import windows as shown
from tsxfer.train.watched import Watched, changes_checkpoint

Score = Callable[[NDArray[np.float32]], tuple[float, float]]
"""Raw validation output ``(n, outputs)`` to what is monitored (larger is better) and the metric."""
Judged = NDArray[np.float32] | tuple[float, float]
"""Raw validation output that is still to be scored, or its scores."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One training of a pack.

    Attributes:
        model: On the device; changed in place, ends at its best checkpoint.
        train: What it learns from.
        validation: What the checkpoint is chosen on.
        score: Scores raw validation output.
        order: Stream of the batch order.
        dropout: Seed of the stream of dropout and of all other chance of a step.
        rates: Rates of parameters relative to the recipe's, by name; 1 where left out.
        thaws: Epochs from which parameters learn, by name; the first where left out.
        objective: What a step minimises.
        method: What fine-tuning does beside; its loss is `objective` already.
    """

    model: Model
    train: Batch
    validation: Batch
    score: Score
    order: np.random.Generator
    dropout: int
    rates: Mapping[str, float] = field(default_factory=dict)
    thaws: Mapping[str, int] = field(default_factory=dict)
    objective: Objective = field(default_factory=of_labels)
    method: Method = field(default_factory=Method)


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
        learned: How far training got on its own windows; None where it learned from no labels.
    """

    samples: list[float] = field(default_factory=list)
    monitor: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    best: int = 0
    steps: int = 0
    diverged: bool = False
    learned: Learned | None = None


def steps_per_epoch(count: int, batch: int, drop_last: bool) -> int:
    """Optimiser steps of one pass."""
    return max(1, count // batch) if drop_last else math.ceil(count / batch)


class Run:
    """The state of one replica between steps.

    Attributes:
        replica: What is trained.
        rules: What its pack shares.
        optimiser: Adam; on a GPU all its state lies there, so that steps can be recorded.
        random: The stream of its dropout and of all other chance of a step.
        stage: Changes with what learns; a recording of steps holds within one.
        rows: Order of the training instances in this epoch, on the device.
        stopped: Patience is over, or training diverged.
        out: What training gave so far.
        held: A stack holds its tensors, and keeps its best state.
    """

    def __init__(self, replica: Replica, rules: Rules) -> None:
        self.replica, self.rules, self.out = replica, rules, Fit()
        device = replica.train.x.device
        self.random = own_stream(replica.model, replica.dropout, device)
        self._groups = _groups(replica, rules.recipe.rate)
        rates = [_rate(group["lr"], device) for group in self._groups]
        groups = [dict(g, lr=rate) for g, rate in zip(self._groups, rates, strict=True)]
        # Keras' epsilon.
        on_gpu = device.type == "cuda"
        self.optimiser = Adam(groups, eps=1e-7, fused=True, capturable=on_gpu)
        self.per_epoch = steps_per_epoch(len(replica.train.y), rules.recipe.batch, rules.drop_last)
        self.rows = torch.empty(0, dtype=torch.int64, device=device)
        self._stale, self._waited, self._factor, self.stage = 0, 0, 1.0, 0
        self._plateau, self.stopped = -math.inf, False
        self.best_state: dict[str, Tensor] = {}
        self.held = False
        self._first = self._loss()
        self._last: tuple[float, float] | None = None
        self._evaluate(0)

    def begin_epoch(self) -> None:
        """Draw the order of the next epoch, and let what is due learn."""
        self._thaw(self.out.steps // self.per_epoch)
        order = torch.from_numpy(self.replica.order.permutation(len(self.replica.train.y)))
        self.rows = order.to(self.replica.train.x.device)

    def _thaw(self, epoch: int) -> None:
        """A new stage gets its own patience: what was frozen has not learned yet."""
        thaws = self.replica.thaws
        if thaws and epoch in {0, *thaws.values()}:
            self.stage, self._stale = epoch, 0
            for name, parameter in self.replica.model.named_parameters():
                if name in thaws:
                    parameter.requires_grad_(thaws[name] <= epoch)

    def segments(self) -> list[tuple[int, int]]:
        """Steps between evaluations: in the first epoch there are some early ones."""
        early = {self.per_epoch // k for k in (8, 4, 2)} - {0} if self.out.steps == 0 else set()
        return list(pairwise(sorted({0, *early, self.per_epoch})))

    def step(self, index: int) -> None:
        """One step on the batch of this index in the epoch."""
        self.learn(self.rows[index * self.rules.recipe.batch :][: self.rules.recipe.batch])

    def learn(self, rows: Tensor) -> None:
        """One step on these training instances."""
        model, train = self.replica.model, self.replica.train
        with autocast(self.rules.recipe.precision, train.x.device):
            loss = self.replica.objective(model, train, rows, self.random)
        if model.backbone.kernel_l2:
            loss = loss + model.penalty()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.replica.method.after_step(model)

    def reach(self, index: int, found: Judged | None = None) -> None:
        """The steps of an epoch up to this index are done: evaluate; at its end also schedule.

        Args:
            index: Steps of this epoch.
            found: Of this evaluation, where it is there already.
        """
        passed = self.out.steps // self.per_epoch
        self.out.steps = passed * self.per_epoch + index
        batch, whole = self.rules.recipe.batch, len(self.replica.train.y)
        seen = self.per_epoch * batch if self.rules.drop_last else whole
        if index == self.per_epoch:
            self.replica.method.after_epoch(self.replica.model, passed + 1)
        done = passed * seen + (seen if index == self.per_epoch else index * batch)
        self._evaluate(done, found)
        if index == self.per_epoch:
            self._end_epoch()

    def _end_epoch(self) -> None:
        value = self.out.monitor[-1]
        if not math.isfinite(value):
            self.out.diverged = self.stopped = True
            return
        self._stale = 0 if self.improved else self._stale + 1
        self.stopped = self._stale >= self.rules.recipe.patience
        if self.stopped:  # other steppers go on with it, which counts for nothing
            self._last = self._loss()
        self._schedule(value)

    @property
    def improved(self) -> bool:
        """Whether the last evaluation is the best one."""
        return self.out.best == len(self.out.monitor) - 1

    def _judged(self, found: Judged | None = None) -> tuple[float, float]:
        """What is monitored, and the metric, on validation."""
        if isinstance(found, tuple):
            return found
        output = self._output() if found is None else found
        if isinstance(self.replica.method, Watched):
            self.replica.method.refuse_nan(output)
        return self.replica.score(output)

    def _evaluate(self, seen: int, found: Judged | None = None) -> None:
        replica, out = self.replica, self.out
        value, metric = self._judged(found)
        out.samples.append(float(seen))
        out.monitor.append(value)
        out.metric.append(metric)
        if not self.best_state or value > out.monitor[out.best]:
            out.best = len(out.monitor) - 1
            if not self.held:
                state = replica.model.state_dict()
                self.best_state = {name: tensor.clone() for name, tensor in state.items()}

    def _output(self) -> NDArray[np.float32]:
        part, rules = self.replica.validation, self.rules
        return predict(
            self.replica.model,
            part.x,
            part.extra,
            precision=rules.recipe.precision,
            always_drop=rules.always_drop,
        )

    def _loss(self) -> tuple[float, float] | None:
        """On training windows, and that of the best constant: draws nothing, changes nothing."""
        if self.rules.recipe.objective != "labels":
            return None
        part, kind = self.replica.train, self.rules.recipe.loss
        few, beside, precision = shown(part.x), shown(part.extra), self.rules.recipe.precision
        output = predict(self.replica.model, few, beside, precision=precision)
        y = shown(part.y).cpu()
        loss = float(task_loss(torch.from_numpy(output), y, kind))
        return loss, constant_loss(y, output.shape[1], kind)

    def counters(self) -> dict[str, Any]:
        """What decides about schedule and stop, as plain data."""
        return {name: getattr(self, name) for name in _COUNTERS}

    def go_on(self, counters: Mapping[str, Any]) -> None:
        """Go on where another run of this training had these counters."""
        for name in _COUNTERS:
            value = counters[name]
            setattr(self, name, tuple(value) if isinstance(value, list) else value)
        self._set_rates()

    def rates(self) -> dict[str, float]:
        """The rate of each parameter, as the plateau schedule has it now."""
        recipe, relative = self.rules.recipe, self.replica.rates
        names = [name for name, _ in self.replica.model.named_parameters()]
        return {n: recipe.rate * relative.get(n, 1.0) * self._factor for n in names}

    def end(self) -> Fit:
        """The model gets its best checkpoint, and what training gave is complete."""
        before, after = self._first, self._last or self._loss()
        if before and after and math.isfinite(before[0] + after[0]):
            epochs = self.out.samples[self.out.best] / len(self.replica.train.y)
            self.out.learned = Learned(before[0], after[0], after[1], round(epochs, 3))
        self.replica.model.load_state_dict(self.best_state)
        if changes_checkpoint(self.replica.method):
            self.replica.method.finish(self.replica.model)
            at = self.out.best
            self.out.monitor[at], self.out.metric[at] = self._judged()
        if self.out.learned:
            lag = norms.lag(self.replica.model, shown(self.replica.train.x))
            self.out.learned = replace(self.out.learned, lag=float(f"{lag:.3g}"))
        return self.out

    def _schedule(self, value: float) -> None:
        """Keras' ReduceLROnPlateau: less rate after some epochs without a gain above the delta."""
        recipe = self.rules.recipe
        if value > self._plateau + recipe.plateau_delta:
            self._plateau, self._waited = value, 0
            return
        self._waited += 1
        if self._waited >= recipe.plateau_patience:
            self._waited = 0
            self._factor = max(self._factor * recipe.plateau_factor, recipe.min_rate / recipe.rate)
            self._set_rates()

    def _set_rates(self) -> None:
        for group, start in zip(self.optimiser.param_groups, self._groups, strict=True):
            _set_rate(group, float(str(start["lr"])) * self._factor)


_COUNTERS = ("stage", "stopped", "_stale", "_waited", "_factor", "_plateau", "_first", "_last")


Stepper = Callable[[Sequence[Run], int, int], None]
"""Take the steps ``[first, last)`` of the epoch with all runs; methods differ in speed only."""


@runtime_checkable
class Together(Protocol):
    """A stepper that also evaluates replicas together, and holds their tensors meanwhile."""

    def judge(self, live: Sequence[Run]) -> dict[int, Judged]:
        """What it finds of those that it has, by identity."""

    def keep(self, live: Sequence[Run]) -> None:
        """Those whose last evaluation is their best are kept as they are now."""

    def finish(self) -> None:
        """Each network has tensors of its own again."""


class Keeper(Protocol):
    """Keeps the state of a pack between epochs, so that a training that was cut off goes on."""

    def take_up(self, runs: Sequence[Run]) -> None:
        """Put fresh runs where they were, if that is known."""

    def epoch_done(self) -> None:
        """An epoch of some of them has ended."""


def turns(live: Sequence[Run], first: int, last: int) -> None:
    """One replica after the other: the reference that other methods must equal."""
    for run in live:
        for index in range(first, last):
            run.step(index)


def fit(
    pack: Sequence[Replica],
    rules: Rules,
    stepper: Stepper = turns,
    keeper: Keeper | None = None,
) -> list[Fit]:
    """Train with Adam, a plateau schedule and early stopping on the monitored value."""
    runs = [Run(replica, rules) for replica in pack]
    if keeper is not None:
        keeper.take_up(runs)
    for alike in _alike(runs):
        _train(alike, rules.recipe.epochs, stepper, keeper)
        if isinstance(stepper, Together):
            stepper.finish()
    return [run.end() for run in runs]


def _alike(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs of as many windows: their epochs have the same steps, and all batches the same width."""
    groups: dict[int, list[Run]] = {}
    for run in runs:
        groups.setdefault(len(run.replica.train.y), []).append(run)
    return [groups[count] for count in sorted(groups)]


def _train(runs: Sequence[Run], epochs: int, stepper: Stepper, keeper: Keeper | None) -> None:
    done = max(run.out.steps // run.per_epoch for run in runs)  # those that live are equally far
    for _ in range(done, epochs):
        live = [run for run in runs if not run.stopped]
        if not live:
            return
        for run in live:
            run.begin_epoch()
        for first, last in live[0].segments():
            for run in live:
                norms.train_mode(run.replica.model)
            stepper(live, first, last)
            _evaluate(stepper, live, last)
        if keeper is not None:
            keeper.epoch_done()


def _evaluate(stepper: Stepper, live: Sequence[Run], index: int) -> None:
    """Those that live have reached this step of the epoch."""
    together = stepper if isinstance(stepper, Together) else None
    found: Mapping[int, Judged] = together.judge(live) if together else {}
    for run in live:
        run.reach(index, found.get(id(run)))
    if together:
        together.keep(live)


def _rate(rate: object, device: torch.device) -> float | Tensor:
    """On a GPU a rate lies on the device: a recorded step reads it there."""
    value = float(str(rate))
    return torch.tensor(value, device=device) if device.type == "cuda" else value


def _set_rate(group: dict[str, Any], rate: float) -> None:
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def _groups(replica: Replica, rate: float) -> list[dict[str, object]]:
    by_rate: dict[float, list[nn.Parameter]] = {}
    for name, parameter in replica.model.named_parameters():
        if parameter.requires_grad:
            by_rate.setdefault(replica.rates.get(name, 1.0), []).append(parameter)
    return [{"params": held, "lr": rate * relative} for relative, held in by_rate.items()]


def predict(
    model: Model,
    x: Tensor,
    extra: Tensor,
    batch: int = 512,
    *,
    precision: str = "float32",
    always_drop: bool = False,
) -> NDArray[np.float32]:
    """Raw outputs ``(n, outputs)`` with the model in evaluation mode."""
    model.eval()
    if always_drop and model.backbone.dropout_in_study:
        for layer in model.modules():
            if isinstance(layer, nn.Dropout):
                layer.train()
    with torch.inference_mode(), autocast(precision, x.device):
        parts = [
            model(a, b)
            for a, b in zip(torch.split(x, batch), torch.split(extra, batch), strict=True)
        ]
        return torch.cat(parts).float().cpu().numpy()
