"""The ways to train the same models that `bench.speed` compares.

Every arm gets the same replicas (initial weights, data, batch size, epochs, evaluation after each
epoch, best checkpoint kept) and leaves the moments of its evaluations in `Clock`.
"""

from __future__ import annotations

import copy
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from bench.plain import Plain
from tsxfer.core.specs import Recipe
from tsxfer.models.base import build
from tsxfer.models.layers import own_stream
from tsxfer.running.memory import keep_memory
from tsxfer.running.steppers import refusals, stepper_of
from tsxfer.train import loop
from tsxfer.train.judging import Judge, Question, Unit


@dataclass(frozen=True, slots=True)
class Case:
    """One target's trainings.

    Attributes:
        model: Architecture.
        channels: Of a window.
        length: Samples of a window.
        size: Labels, a fifth of them for validation.
        replicas: Trainings (6 starts × 7 repeats in the study).
        epochs: Of each training that is timed; the first only warms up.
    """

    model: str
    channels: int
    length: int
    size: int
    replicas: int
    epochs: int

    @property
    def recipe(self) -> Recipe:
        """The study's rate and batch; no schedule and no early stop: all arms do the same."""
        later = self.epochs + 1
        return Recipe(epochs=self.epochs, patience=later, plateau_patience=later)


@dataclass(slots=True)
class Clock:
    """When each evaluation came and what it gave."""

    began: float = field(default_factory=time.perf_counter)
    times: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def score(self, truth: NDArray[np.float32], output: NDArray[np.float32]) -> tuple[float, float]:
        """Mean absolute error, as the primary metric of earthquakes."""
        error = float(np.abs(output[:, 0] - truth).mean())
        self.tell(error)
        return -error, error

    def tell(self, error: float) -> None:
        """An evaluation gave this."""
        self.times.append(time.perf_counter())
        self.scores.append(error)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Clocked(Question):
    """The same score as plain data, which tells the clock what a device made of it."""

    clock: Clock

    def answer(self, terms: NDArray[np.float64]) -> tuple[float, float]:
        """What is monitored, and the error."""
        found = Question.answer(self, terms)  # a class with slots is made anew: no `super()`
        self.clock.tell(found[1])
        return found


def _judge(clock: Clock, truth: NDArray[np.float32]) -> Judge:
    one = np.ones(len(truth), np.float32)
    unit = Unit(1.0, 0.0, one, 0 * one)
    asked = Clocked("mae", "metric", "task", truth, unit, clock=clock)
    return Judge(partial(clock.score, truth), asked)


@dataclass(frozen=True, slots=True)
class Timed:
    """What an arm took.

    Attributes:
        epoch: Seconds for one epoch of one training, over all that trained at once.
        start: Seconds before the second epoch that later epochs do not take.
        scores: Validation error after each epoch of the first training.
        memory: Peak bytes: on the device, or of the process.
        note: What it did otherwise than asked.
    """

    epoch: float
    start: float
    scores: list[float]
    memory: int
    note: str = ""


def replicas(case: Case, device: str, count: int) -> tuple[list[loop.Replica], list[Clock]]:
    """`count` trainings that differ in weights, order and dropout, on data on the device."""
    made, clocks = [], []
    draw = np.random.default_rng(0)
    cut = case.size * 4 // 5
    x = draw.standard_normal((case.size, case.channels, case.length), np.float32)
    y = np.abs(x[:, 0, : case.length // 2]).mean(axis=1) * 10
    parts = [
        loop.Batch(
            torch.from_numpy(x[s]).to(device),
            torch.zeros(len(x[s]), 1, device=device),
            torch.from_numpy(y[s]).to(device),
        )
        for s in (slice(cut), slice(cut, None))
    ]
    for seed in range(count):
        clock = Clock()
        model = build(
            case.model, channels=case.channels, length=case.length, extra=1, outputs=1, seed=seed
        )
        score, order = _judge(clock, y[cut:]), np.random.default_rng(seed)
        made.append(loop.Replica(model.to(device), *parts, score, order, seed))
        clocks.append(clock)
    return made, clocks


def _step(model: Plain, adam: torch.optim.Optimizer, rows: Sequence[Tensor]) -> None:
    x, extra, y = rows
    loss = nn.functional.mse_loss(model(x, extra)[:, 0], y)
    if model.backbone.kernel_l2:
        loss = loss + model.penalty()
    adam.zero_grad()
    loss.backward()
    adam.step()


def _plain(replica: loop.Replica) -> tuple[Plain, torch.optim.Optimizer]:
    model = Plain(replica.model)
    own_stream(replica.model, replica.dropout, replica.train.x.device)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)


def _keep_best(model: nn.Module, value: float, best: list[float], state: dict[str, object]) -> None:
    if not best or value > best[0]:
        best[:] = [value]
        state.update(copy.deepcopy(model.state_dict()))


def loader(replica: loop.Replica, case: Case) -> None:
    """(a) What a user writes first: a DataLoader, batches moved to the device one by one."""
    device = replica.train.x.device
    sets = [
        TensorDataset(part.x.cpu(), part.extra.cpu(), part.y.cpu())
        for part in (replica.train, replica.validation)
    ]
    pin = device.type == "cuda"
    batches = DataLoader(sets[0], case.recipe.batch, shuffle=True, pin_memory=pin)
    checks = DataLoader(sets[1], 512, pin_memory=pin)
    model, adam = _plain(replica)
    best, state = list[float](), dict[str, object]()
    for _ in range(case.epochs):
        model.train()
        for rows in batches:
            _step(model, adam, [part.to(device, non_blocking=True) for part in rows])
        model.eval()
        with torch.no_grad():
            out = [model(x.to(device), extra.to(device)).cpu() for x, extra, _ in checks]
        _keep_best(model, replica.score(torch.cat(out).numpy())[0], best, state)


def resident(replica: loop.Replica, case: Case) -> None:
    """(b) The same loop with all data on the device, in the order that tsxfer draws."""
    model, adam = _plain(replica)
    train, device = replica.train, replica.train.x.device
    best, state = list[float](), dict[str, object]()
    for _ in range(case.epochs):
        model.train()
        order = torch.from_numpy(replica.order.permutation(len(train.y))).to(device)
        for rows in order.split(case.recipe.batch):
            _step(model, adam, [train.x[rows], train.extra[rows], train.y[rows]])
        model.eval()
        with torch.no_grad():
            parts = zip(
                replica.validation.x.split(512), replica.validation.extra.split(512), strict=True
            )
            out = torch.cat([model(x, extra) for x, extra in parts]).cpu().numpy()
        _keep_best(model, replica.score(out)[0], best, state)


def lightning(replica: loop.Replica, case: Case) -> None:
    """(c) Lightning's Trainer with its logger, bar and checkpoint files off; best state kept."""
    import logging
    import warnings

    import lightning as pl

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    model, adam = _plain(replica)

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.out = model, list[Tensor]()
            self.best, self.state = list[float](), dict[str, object]()

        def training_step(self, rows: Sequence[Tensor], _: int) -> Tensor:
            x, extra, y = rows
            loss = nn.functional.mse_loss(self.model(x, extra)[:, 0], y)
            return loss + self.model.penalty() if self.model.backbone.kernel_l2 else loss

        def validation_step(self, rows: Sequence[Tensor], _: int) -> None:
            self.out.append(self.model(rows[0], rows[1]).cpu())

        def on_validation_epoch_end(self) -> None:
            value = replica.score(torch.cat(self.out).numpy())[0]
            _keep_best(self.model, value, self.best, self.state)
            self.out.clear()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return adam

    sets = [
        TensorDataset(part.x.cpu(), part.extra.cpu(), part.y.cpu())
        for part in (replica.train, replica.validation)
    ]
    on_gpu = replica.train.x.is_cuda
    trainer = pl.Trainer(
        max_epochs=case.epochs,
        accelerator="cuda" if on_gpu else "cpu",
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(
        Module(),
        DataLoader(sets[0], case.recipe.batch, shuffle=True, pin_memory=on_gpu),
        DataLoader(sets[1], 512, pin_memory=on_gpu),
    )


def alone(
    case: Case, device: str, count: int, train: Callable[[loop.Replica, Case], None]
) -> Timed:
    """One training after another: `count` of them are timed, all would take as long each."""
    _reset(device)
    made, clocks = replicas(case, device, count)
    for replica, clock in zip(made, clocks, strict=True):
        clock.began = time.perf_counter()
        train(replica, case)
    spans = [_spans(clock, case) for clock in clocks]
    epoch = sum(epoch for epoch, _ in spans) / count
    start = sum(start for _, start in spans) / count * case.replicas
    return Timed(epoch, start, clocks[0].scores[-case.epochs :], _memory(device))


def turns(replica: loop.Replica, case: Case) -> None:
    """Tsxfer's loop, one replica."""
    keep_memory()
    loop.fit([replica], loop.Rules(case.recipe))


def packed(case: Case, device: str, count: int) -> Timed:
    """Tsxfer's pack of `count` replicas: stacked and recorded on a GPU."""
    _reset(device)
    made, clocks = replicas(case, device, count)
    way = stepper_of("auto", device)
    began = time.perf_counter()
    loop.fit(made, loop.Rules(case.recipe), way)
    first = max(clock.times[-case.epochs] for clock in clocks)
    last = max(clock.times[-1] for clock in clocks)
    epoch = (last - first) / (case.epochs - 1)
    scores = clocks[0].scores[-case.epochs :]
    note = "".join(f"not as it was meant to be: {why}" for why in refusals(way).values())
    return Timed(epoch / count, first - began - epoch, scores, _memory(device), note)


def pooled(case: Case, device: str, workers: int) -> Timed:
    """Tsxfer as it runs on a CPU: single-threaded processes beside each other."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_single) as pool:
        list(pool.map(_ready, range(workers)))
        share = replace(case, replicas=-(-case.replicas // workers))
        parts = list(pool.map(partial(alone, train=turns), *zip(*[(share, device, 1)] * workers)))  # noqa: B905
    epoch = 1 / sum(1 / part.epoch for part in parts)
    memory = sum(part.memory for part in parts)
    return Timed(epoch, max(part.start for part in parts), parts[0].scores, memory)


def _single() -> None:
    torch.set_num_threads(1)


def _ready(_: int) -> None:
    time.sleep(1.0)  # so that every worker takes one and has imported what it needs


def _spans(clock: Clock, case: Case) -> tuple[float, float]:
    """Seconds of a later epoch, and what the first one took more."""
    first, last = clock.times[-case.epochs], clock.times[-1]
    epoch = (last - first) / (case.epochs - 1)
    return epoch, max(0.0, first - clock.began - epoch)


def _reset(device: str) -> None:
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        torch.backends.cudnn.conv.fp32_precision = "ieee"
        torch.backends.cudnn.rnn.fp32_precision = "ieee"
        torch.backends.cuda.matmul.fp32_precision = "ieee"


def _memory(device: str) -> int:
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
