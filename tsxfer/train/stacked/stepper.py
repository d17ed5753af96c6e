"""A stepper that trains replicas of one form as one network, recorded where there is a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsxfer.core.shortage import is_shortage
from tsxfer.train import norms
from tsxfer.train.graphs import Graphs, bounds_of, outdated, width_of
from tsxfer.train.loop import Run, predict, turns
from tsxfer.train.recording import Body, lane
from tsxfer.train.recording import record as recorded
from tsxfer.train.stacked import form
from tsxfer.train.stacked.stack import Memory, Stack

Record = Callable[[Sequence[Body], Sequence[torch.Generator], torch.device, Any], tuple[Body, Any]]
NEAR = 1e-3  # of an output's size: how far a stack may be from its first network before training
FEW = 8  # windows on which that is asked


class Stacked:
    """A stepper (`loop.Stepper`); keep one for each pack.

    What cannot be stacked is taken in another way: recorded on a GPU, in turns on a CPU.

    Args:
        record: Records bodies; where None, steps are recorded on a GPU and taken as they are
            elsewhere.
        refused: Why steps are not to be recorded; empty: they may be.

    Attributes:
        refused: Why some steps were not taken stacked, or not recorded; empty where all were.
    """

    def __init__(self, record: Record | None = None, refused: str = "") -> None:
        self.refused = refused
        self._record = record
        self._plays: list[_Play] = []
        self._rest: list[Run] = []
        self._others = Graphs(record or recorded, refused)
        self._stages: dict[int, int] = {}
        self._memories: dict[int, Memory] = {}
        self._stacked = self._on_gpu = False

    @property
    def way(self) -> str:
        """What a row says: ``stacked``, or how most steps were taken where nothing could be."""
        if self._stacked:
            return "stacked"
        return "graphs" if self._stages and not self._others.refused and self._on_gpu else "turns"

    def __call__(self, live: Sequence[Run], first: int, last: int) -> None:
        """Take the steps ``[first, last)`` of the epoch with all runs that live."""
        if outdated(self._stages, live):
            self._prepare(live)
        if first == 0:
            for play in self._plays:
                play.begin()
        for play in self._plays:
            play.take(first, last)
        rest = [run for run in self._rest if run in live]
        if rest:
            self._on_gpu = rest[0].rows.is_cuda
            (self._others if self._on_gpu else turns)(rest, first, last)

    def outputs(self, live: Sequence[Run]) -> dict[int, NDArray[np.float32]]:
        """Raw validation output of the stacked runs, by identity."""
        found: dict[int, NDArray[np.float32]] = {}
        for play in self._plays:
            if play.stack.by_chance:
                continue
            output = play.stack.outputs().cpu().numpy()
            found |= {id(run): one for run, one in zip(play.stack.runs, output, strict=True)}
        return {id(run): found[id(run)] for run in live if id(run) in found}

    def finish(self) -> None:
        """Each network has tensors of its own again."""
        for play in self._plays:
            play.stack.release()
        self._plays = []

    def _prepare(self, live: Sequence[Run]) -> None:
        self.finish()
        self._stages = {id(run): run.stage for run in live}
        self._rest = []
        able: list[Run] = []
        for run in live:
            why = form.refusal(run)
            self.refused = self.refused or why
            (self._rest if why else able).append(run)
        pool = None
        for alike in form.forms(able):
            pool = self._stack(alike, pool)

    def _recorder(self, rows: Tensor) -> Record | None:
        if self.refused:
            return None
        return self._record or (recorded if rows.is_cuda else None)

    def _stack(self, runs: list[Run], pool: Any) -> Any:
        """Stack runs of one form, or leave them to the rest, saying why."""
        memories = [self._memories.setdefault(id(run), Memory()) for run in runs]
        stack = Stack(runs, memories)
        try:
            _refuse_other_numbers(stack)
            play = _Play(stack)
            pool = play.prepare(self._recorder(runs[0].rows), pool)
        except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
            if is_shortage(error):
                raise
            stack.release()
            self.refused = self.refused or (str(error).splitlines() or ["?"])[0]
            self._rest += runs
            return pool
        self._plays.append(play)
        self._stacked = True
        return pool


def _refuse_other_numbers(stack: Stack) -> None:
    """Refuse a network that computes something else under `vmap`: a plugin's may.

    Raises:
        ValueError: With how far apart they are.
    """
    kind = stack.runs[0].rules.recipe.precision
    found = stack.outputs(FEW).cpu().numpy()
    near = NEAR if kind == "float32" else 0.1
    for run, output in zip(stack.runs, found, strict=True):
        part = run.replica.validation
        own = predict(run.replica.model, part.x[:FEW], part.extra[:FEW], precision=kind)
        norms.train_mode(run.replica.model)
        apart = float(np.abs(output - own).max()) / max(1.0, float(np.abs(own).max()))
        if apart > near:
            raise ValueError(f"stacked, its output is {apart:.2g} of its size from its own")


@dataclass(slots=True)
class _Shape:
    """Steps of one batch size: what is read, a counter on the device, and what takes a step."""

    bounds: range
    order: Tensor
    counter: Tensor
    body: Body


class _Play:
    """A stack with its steps, ready to be taken again and again."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._shapes: list[_Shape] = []

    def prepare(self, record: Record | None, pool: Any) -> Any:
        """Make a step of each batch size; to be recorded, it is tried and set back first."""
        run = self.stack.runs[0]
        for bounds in filter(None, bounds_of(run)):
            shape = self._shape(bounds)
            if record is not None:
                pool = self._recorded(shape, record, pool)
            self._shapes.append(shape)
        return pool

    def _shape(self, bounds: range) -> _Shape:
        runs = self.stack.runs
        first = runs[0].rows
        order = first.new_zeros(len(runs), len(bounds), width_of(runs[0], bounds))
        counter = torch.zeros(1, dtype=torch.int64, device=first.device)

        def body() -> None:
            self.stack.step(order.index_select(1, counter).squeeze(1))

        return _Shape(bounds, order, counter, body)

    def _recorded(self, shape: _Shape, record: Record, pool: Any) -> Any:
        """Replace a step by its recording; the step before it leaves no trace."""
        stack, device = self.stack, shape.order.device
        kept = [(tensor, tensor.clone()) for tensor in stack.state()]
        streams = [run.random.get_state() for run in stack.runs]
        with lane(device, 0):
            shape.body()
            for tensor, copy in kept:
                tensor.copy_(copy)
        for run, state in zip(stack.runs, streams, strict=True):
            run.random.set_state(state)
        shape.body, pool = record([shape.body], [run.random for run in stack.runs], device, pool)
        return pool

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
        for shape in self._shapes:
            wanted = range(max(first, shape.bounds.start), min(last, shape.bounds.stop))
            shape.counter.fill_(wanted.start - shape.bounds.start)
            for _ in wanted:
                shape.body()
                shape.counter.add_(1)
