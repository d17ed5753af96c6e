"""A stack with its steps and its evaluation, each recorded where there is a GPU."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tsxfer.core.shortage import is_shortage
from tsxfer.errors import first_line
from tsxfer.train.graphs import Record, bounds_of, width_of
from tsxfer.train.loop import Judged
from tsxfer.train.recording import Body, lane
from tsxfer.train.stacked import scores
from tsxfer.train.stacked.stack import Stack

GAP = 2e-5  # s that a GPU may wait between two recordings: estimated, never measured


@dataclass(slots=True)
class How:
    """How stacks are computed with.

    Attributes:
        record: Records bodies; None: they are called as they are.
        anywhere: Scores are made where the networks are on a CPU too, where rows would change in
            the last bits; for tests.
        epochs: A whole epoch is one recording whatever that costs; else where it pays.
    """

    record: Record | None = None
    anywhere: bool = False
    epochs: bool = False


@dataclass(slots=True)
class Shape:
    """Steps of one batch size: what is read, a counter on the device, and what takes a step."""

    bounds: range
    order: Tensor
    counter: Tensor
    body: Body


@dataclass(slots=True)
class Evaluation:
    """A recording that evaluates a stack, and where it leaves what it found."""

    body: Body
    found: Tensor


class Play:
    """A stack with its steps, ready to be taken again and again.

    Attributes:
        stack: The replicas.
        host: Why scores are made by the host of raw output; empty: the device makes them.
        single: Why an epoch is not one recording; empty: it is, or no epoch was whole yet.
    """

    def __init__(self, stack: Stack, how: How) -> None:
        self.stack = stack
        self.host = scores.refusal(stack.runs, how.anywhere)
        self.single = ""
        self._how, self._pool = how, None
        self._shapes: list[Shape] = []
        self._judges = None if self.host else scores.Judges(stack.runs)
        self._evaluation: Evaluation | None = None
        self._epoch: Body | None = None
        self._seconds = 0.0  # that recording a step took

    def prepare(self, pool: Any) -> Any:
        """Make a step of each batch size and the evaluation; what is recorded is tried first.

        Args:
            pool: Memory of other recordings.

        Returns:
            That of these.
        """
        self._pool = pool
        for bounds in filter(None, bounds_of(self.stack.runs[0])):
            shape = self._shape(bounds)
            shape.body = self._recorded(shape.body)
            self._shapes.append(shape)
        self._evaluation = self._evaluating()
        return self._pool

    def close(self) -> None:
        """Forget what was recorded, and give each network tensors of its own again."""
        self._shapes, self._evaluation, self._epoch = [], None, None
        self.stack.release()

    def _shape(self, bounds: range) -> Shape:
        runs = self.stack.runs
        first = runs[0].rows
        order = first.new_zeros(len(runs), len(bounds), width_of(runs[0], bounds))
        counter = torch.zeros(1, dtype=torch.int64, device=first.device)

        def body() -> None:
            self.stack.step(order.index_select(1, counter).squeeze(1))

        return Shape(bounds, order, counter, body)

    def _evaluating(self) -> Evaluation | None:
        """A recording that leaves terms of scores, or raw output, in a tensor; tried before."""
        if self._how.record is None or self.stack.by_chance:
            return None
        with lane(self.stack.flat.device, 0):
            found = self._seen()

        def body() -> None:
            found.copy_(self._seen())

        return Evaluation(self._record(body), found)

    def _seen(self) -> Tensor:
        output = self.stack.outputs()
        if self._judges is None:
            return output
        return self._judges.terms(output, self.stack.penalties() if self._judges.by_loss else None)

    def _recorded(self, body: Body) -> Body:
        """The recording of a step; the one that is tried before leaves no trace."""
        if self._how.record is None:
            return body
        runs = self.stack.runs
        kept = [(tensor, tensor.clone()) for tensor in self.stack.state()]
        streams = [run.random.get_state() for run in runs]
        with lane(self.stack.flat.device, 0):
            body()
            for tensor, copy in kept:
                tensor.copy_(copy)
        for run, state in zip(runs, streams, strict=True):
            run.random.set_state(state)
        began = time.perf_counter()
        replay = self._record(body)
        self._seconds = max(self._seconds, time.perf_counter() - began)
        return replay

    def _record(self, body: Body) -> Body:
        assert self._how.record is not None  # noqa: S101  (asked where there is one)
        streams, device = [run.random for run in self.stack.runs], self.stack.flat.device
        replay, self._pool = self._how.record([body], streams, device, self._pool)
        return replay

    def begin(self) -> None:
        """An epoch begins: its order and its rates go to the device."""
        self.stack.schedule()
        runs = self.stack.runs
        batch = runs[0].rules.recipe.batch
        for shape in self._shapes:
            count, width = shape.order.shape[1:]
            start = shape.bounds.start * batch
            rows = torch.stack([run.rows[start:][: count * width] for run in runs])
            shape.order.copy_(rows.view(len(runs), count, width))

    def take(self, first: int, last: int) -> None:
        """The steps ``[first, last)`` of the epoch."""
        whole = (first, last) == (0, self.stack.runs[0].per_epoch)
        if whole and self._whole():
            assert self._epoch is not None  # noqa: S101  (made by `_whole`)
            self._epoch()
            return
        for shape in self._shapes:
            wanted = range(max(first, shape.bounds.start), min(last, shape.bounds.stop))
            shape.counter.fill_(wanted.start - shape.bounds.start)
            for _ in wanted:
                shape.body()
                shape.counter.add_(1)

    def _whole(self) -> bool:
        """Whether an epoch is one body, made when the first whole one comes."""
        if self._epoch is not None or self.single:
            return self._epoch is not None
        self.single = self._refused_whole()
        if self.single:
            return False
        try:
            self._epoch = self._steps if self._how.record is None else self._record(self._steps)
        except RuntimeError as error:
            if is_shortage(error):
                raise
            self.single = first_line(error)
        return self._epoch is not None

    def _steps(self) -> None:
        """All steps of an epoch, each from its place in the order: no counter, no host."""
        for shape in self._shapes:
            for place in range(len(shape.bounds)):
                self.stack.step(shape.order[:, place])

    def _refused_whole(self) -> str:
        if self._how.epochs:
            return ""
        if self._how.record is None:
            return "nothing is recorded"
        run = self.stack.runs[0]
        left = run.rules.recipe.epochs - run.out.steps // run.per_epoch
        costs, saves = run.per_epoch * self._seconds, left * run.per_epoch * GAP
        if costs < saves:
            return ""
        return f"recording an epoch takes {costs:.2g} s, and {left} epochs would save {saves:.2g} s"

    def judge(self) -> dict[int, Judged]:
        """What is found of each replica, by identity; one tensor is read from the device."""
        if self.stack.by_chance:
            return {}
        if self._evaluation is not None:
            self._evaluation.body()
        seen = self._seen() if self._evaluation is None else self._evaluation.found
        found = seen.cpu().numpy()
        told: Sequence[Judged] = list(found)
        if self._judges is not None:
            told = self._judges.answers(found)
        return {id(run): one for run, one in zip(self.stack.runs, told, strict=True)}

    def keep(self, live: set[int]) -> None:
        """Those of these replicas whose last evaluation is their best are kept as they are now."""
        better = [id(run) in live and run.improved for run in self.stack.runs]
        if any(better):
            self.stack.keep(better)
