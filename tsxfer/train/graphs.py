"""Steps of many replicas recorded once as a CUDA graph and replayed without Python.

A small network leaves a GPU waiting for the host. Recorded, the kernels of all replicas start by
themselves and run beside each other, each replica with its own weights, order, dropout stream and
rate, so numbers are those of `loop.turns`. A stopped replica goes on taking steps,
which count for nothing, until a quarter has stopped; then the others are recorded again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tsxfer.train.loop import Run, turns

STREAMS = 16
Body = Callable[[], None]
Record = Callable[[Sequence[Body], Sequence[torch.Generator]], Body]
"""Bodies that may run beside each other, and the streams they draw from, to what replays them."""


class Graphs:
    """A stepper (`loop.Stepper`) that replays; keep one for each pack.

    Attributes:
        refused: Why steps could not be recorded, so that they were taken in turns; else empty.
    """

    def __init__(self, record: Record | None = None) -> None:
        self.refused = ""
        self._record = record or _record
        self._stages: dict[int, int] = {}  # of the runs that were recorded, by identity
        self._shapes: list[_Shape] = []

    def __call__(self, live: Sequence[Run], first: int, last: int) -> None:
        """Take the steps ``[first, last)`` of the epoch with all runs that live."""
        if not self.refused and self._outdated(live):
            self._prepare(live)
        if self.refused:
            turns(live, first, last)
            return
        for shape in self._shapes:
            shape.replay(first, last)

    def _outdated(self, live: Sequence[Run]) -> bool:
        return (
            not {id(run) for run in live} <= self._stages.keys()
            or len(live) <= 0.75 * len(self._stages)
            or any(self._stages[id(run)] != run.stage for run in live)
        )

    def _prepare(self, live: Sequence[Run]) -> None:
        """Record a full batch and, where there is one, the incomplete last batch.

        Raises:
            torch.OutOfMemoryError: If the pack is too wide for the device.
        """
        self._stages = {id(run): run.stage for run in live}
        kept = [_State.of(run) for run in live]
        try:
            _warm_up(live, kept)
            self._shapes = [
                _Shape.record(live, bounds, self._record) for bounds in _bounds(live[0]) if bounds
            ]
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.refused = str(error).splitlines()[0]
            for state in kept:
                state.restore()


def _bounds(run: Run) -> list[range]:
    """Steps with a full batch, and the last step where its batch is not full."""
    batch, count = run.rules.recipe.batch, len(run.replica.train.y)
    full = min(run.per_epoch, count // batch)
    return [range(full), range(full, run.per_epoch)]


def _warm_up(live: Sequence[Run], kept: Sequence[_State]) -> None:
    """One step outside of the recording: plans and Adam's state are made, then all is set back.

    The memory that the first replica takes tells whether all will fit.
    """
    for place, (run, state) in enumerate(zip(live, kept, strict=True)):
        run.learn(run.rows[: run.rules.recipe.batch])
        run.optimiser.zero_grad(set_to_none=True)
        state.restore()
        if place == 0 and run.rows.is_cuda:
            _check_memory(len(live), run.rows.device)


def _check_memory(count: int, device: torch.device) -> None:
    torch.cuda.synchronize(device)
    free, _ = torch.cuda.mem_get_info(device)
    reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    need = torch.cuda.max_memory_allocated(device) - torch.cuda.memory_allocated(device)
    if need * count > 0.9 * (free + reserved):
        raise torch.OutOfMemoryError(
            f"{count} replicas need {need * count:,} bytes beside {free:,}"
        )


@dataclass(frozen=True, slots=True)
class _State:
    """Weights, buffers, Adam's state and the dropout stream of a run, to set back in place."""

    run: Run
    tensors: list[tuple[Tensor, Tensor]]
    moments: dict[Tensor, dict[str, Tensor]]
    random: Tensor

    @classmethod
    def of(cls, run: Run) -> _State:
        """A copy of the state as it is now."""
        model = run.replica.model
        return cls(
            run,
            [(t, t.detach().clone()) for t in (*model.parameters(), *model.buffers())],
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
    def record(cls, runs: Sequence[Run], bounds: range, record: Record) -> _Shape:
        """Each replica reads its batch at a counter on the device, so replays need no host."""
        batch, device = runs[0].rules.recipe.batch, runs[0].rows.device
        width = min(batch, len(runs[0].rows) - bounds.start * batch)
        counter = torch.zeros(1, dtype=torch.int64, device=device)
        order = [run.rows.new_zeros(len(bounds), width) for run in runs]

        def body(run: Run, rows: Tensor) -> Body:
            return lambda: run.learn(rows.index_select(0, counter).flatten())

        bodies = [body(run, rows) for run, rows in zip(runs, order, strict=True)]
        replay = record(bodies, [run.random for run in runs])
        for run in runs:
            run.optimiser.zero_grad(set_to_none=True)
        return cls(runs, bounds, order, counter, replay)

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


def _record(bodies: Sequence[Body], generators: Sequence[torch.Generator]) -> Body:
    """A CUDA graph in which the bodies are branches on streams of their own."""
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    sides = [
        torch.cuda.Stream()  # type: ignore[no-untyped-call]
        for _ in range(min(STREAMS, len(bodies)))
    ]
    with torch.cuda.graph(graph):
        main = torch.cuda.current_stream()
        for place, body in enumerate(bodies):
            side = sides[place % len(sides)]
            side.wait_stream(main)
            with torch.cuda.stream(side):
                body()
        for side in sides:
            main.wait_stream(side)
    replay: Body = graph.replay
    return replay
