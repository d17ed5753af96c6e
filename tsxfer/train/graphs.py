"""Steps of many replicas recorded once as a CUDA graph and replayed without Python.

A small network leaves a GPU waiting for the host. Recorded, the kernels of all replicas start by
themselves and run beside each other, each replica with its own weights, order, dropout stream and
rate, so numbers are those of `loop.turns`. A stopped replica goes on taking steps,
which count for nothing, until a quarter has stopped; then the others are recorded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tsxfer.core.shortage import is_shortage
from tsxfer.train.loop import Run, turns
from tsxfer.train.recording import Body, Room, lane, record

Record = Callable[[Sequence[Body], Sequence[torch.Generator], torch.device, Any], tuple[Body, Any]]
"""`tsxfer.train.recording.record`."""


class Graphs:
    """A stepper (`loop.Stepper`) that replays; keep one for each pack.

    Args:
        record: Records bodies.
        refused: Why steps are not to be recorded; empty: they are.

    Attributes:
        refused: Why steps could not be recorded, so that they were taken in turns; else empty.
    """

    def __init__(self, record: Record = record, refused: str = "") -> None:
        self.refused = refused
        self._record = record
        self._stages: dict[int, int] = {}  # of the runs that were recorded, by identity
        self._shapes: list[_Shape] = []

    def __call__(self, live: Sequence[Run], first: int, last: int) -> None:
        """Take the steps ``[first, last)`` of the epoch with all runs that live."""
        if not self.refused and outdated(self._stages, live):
            self._prepare(live)
        if self.refused:
            turns(live, first, last)
            return
        for shape in self._shapes:
            shape.replay(first, last)

    def _prepare(self, live: Sequence[Run]) -> None:
        """Record a full batch and, where there is one, the incomplete last batch.

        Raises:
            torch.OutOfMemoryError: If the pack is too wide for the device.
            SpoiledError: If a capture failed, and with it this process.
        """
        self._stages = {id(run): run.stage for run in live}
        self._shapes = []  # the memory of older recordings is free again
        kept = [_State.of(run) for run in live]
        bounds = [found for found in bounds_of(live[0]) if found]
        try:
            _warm_up(live, kept, bounds)
            pool = None
            for steps in bounds:
                shape, pool = _Shape.record(live, steps, self._record, pool)
                self._shapes.append(shape)
        except RuntimeError as error:
            if is_shortage(error):
                raise
            self.refused = str(error).splitlines()[0]
            self._shapes = []
            for state in kept:
                state.restore()


def outdated(stages: Mapping[int, int], live: Sequence[Run]) -> bool:
    """Whether what was prepared for runs no longer serves those that live.

    Args:
        stages: Of the runs it was prepared for, by identity: the stage of thawing each was in.
        live: Runs that still train; where a quarter has stopped, a narrower form pays.
    """
    return (
        not {id(run) for run in live} <= stages.keys()
        or len(live) <= 0.75 * len(stages)
        or any(stages[id(run)] != run.stage for run in live)
    )


def bounds_of(run: Run) -> list[range]:
    """Steps with a full batch, and the last step where its batch is not full."""
    batch, count = run.rules.recipe.batch, len(run.replica.train.y)
    full = min(run.per_epoch, count // batch)
    return [range(full), range(full, run.per_epoch)]


def _warm_up(live: Sequence[Run], kept: Sequence[_State], bounds: Sequence[range]) -> None:
    """Steps outside of the recording: plans and Adam's state are made, then all is set back.

    Each replica takes a step of each batch size on the stream that it will have: libraries keep
    plans and workspaces by shape and by stream, and must not make them while recording. The memory
    that the first replica takes tells whether all will fit.
    """
    device = live[0].rows.device
    on_gpu = device.type == "cuda"
    for place, (run, state) in enumerate(zip(live, kept, strict=True)):
        room = Room(device, len(live)) if on_gpu and place == 0 else None
        with lane(device, place):
            for steps in bounds:
                run.learn(run.rows[steps.start * run.rules.recipe.batch :][: width_of(run, steps)])
                run.optimiser.zero_grad(set_to_none=True)
            state.restore()
        if room:
            room.check()


def width_of(run: Run, steps: range) -> int:
    """Training instances of each of these steps."""
    batch = run.rules.recipe.batch
    return min(batch, len(run.rows) - steps.start * batch)


@dataclass(frozen=True, slots=True)
class _State:
    """Weights, buffers, a method's tensors, Adam's state and the dropout stream, to set back."""

    run: Run
    tensors: list[tuple[Tensor, Tensor]]
    moments: dict[Tensor, dict[str, Tensor]]
    random: Tensor

    @classmethod
    def of(cls, run: Run) -> _State:
        """A copy of the state as it is now."""
        model, kept = run.replica.model, run.replica.method.tensors()
        return cls(
            run,
            [(t, t.detach().clone()) for t in (*model.parameters(), *model.buffers(), *kept)],
            {p: {n: t.clone() for n, t in s.items()} for p, s in run.optimiser.state.items()},
            run.random.get_state(),
        )

    @torch.no_grad()
    def restore(self) -> None:
        """Set back without moving a tensor: recordings hold their addresses."""
        for tensor, copy in self.tensors:
            tensor.copy_(copy)
        for parameter, state in self.run.optimiser.state.items():
            for name, tensor in state.items():
                before = self.moments.get(parameter)
                tensor.copy_(before[name]) if before else tensor.zero_()
        self.run.random.set_state(self.random)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A recording of one step of all replicas at one batch size."""

    runs: Sequence[Run]
    bounds: range
    order: list[Tensor]
    counter: Tensor
    body: Body

    @classmethod
    def record(
        cls, runs: Sequence[Run], bounds: range, record: Record, pool: Any
    ) -> tuple[_Shape, Any]:
        """Each replica reads its batch at a counter on the device, so replays need no host.

        Gradients go at the end of each body, so that the next one on its stream has their memory.
        """
        device, width = runs[0].rows.device, width_of(runs[0], bounds)
        counter = torch.zeros(1, dtype=torch.int64, device=device)
        order = [run.rows.new_zeros(len(bounds), width) for run in runs]

        def body(run: Run, rows: Tensor) -> Body:
            def step() -> None:
                run.learn(rows.index_select(0, counter).flatten())
                run.optimiser.zero_grad(set_to_none=True)

            return step

        bodies = [body(run, rows) for run, rows in zip(runs, order, strict=True)]
        replay, pool = record(bodies, [run.random for run in runs], device, pool)
        return cls(runs, bounds, order, counter, replay), pool

    def replay(self, first: int, last: int) -> None:
        """The steps of this batch size among ``[first, last)`` of the epoch."""
        wanted = range(max(first, self.bounds.start), min(last, self.bounds.stop))
        if not wanted:
            return
        start, (steps, width) = self.bounds.start, self.order[0].shape
        batch = self.runs[0].rules.recipe.batch
        for run, order in zip(self.runs, self.order, strict=True):
            rows = run.rows[start * batch :][: steps * width]
            order.copy_(rows.view(steps, width))
        self.counter.fill_(wanted.start - start)
        for _ in wanted:
            self.body()
            self.counter.add_(1)
