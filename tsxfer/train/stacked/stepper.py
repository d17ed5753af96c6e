"""A stepper that trains replicas of one form as one network, recorded where there is a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from tsxfer.core.shortage import is_shortage
from tsxfer.errors import first_line
from tsxfer.train import norms
from tsxfer.train.graphs import Graphs, Record, outdated
from tsxfer.train.loop import Judged, Run, predict, turns
from tsxfer.train.recording import record as recorded
from tsxfer.train.stacked import form
from tsxfer.train.stacked.play import How, Play
from tsxfer.train.stacked.stack import Memory, Stack

NEAR = 1e-3  # of an output's size: how far a stack may be from its first network before training
FEW = 8  # windows on which that is asked


class Stacked:
    """A stepper (`loop.Stepper`); keep one for each pack.

    What cannot be stacked is taken in another way: recorded on a GPU, in turns on a CPU.

    Args:
        record: Records bodies; where None, steps are recorded on a GPU and taken as they are
            elsewhere.
        refused: Why steps are not to be recorded; empty: they may be.
        anywhere: See `play.How`.
        epochs: See there.

    Attributes:
        refused: Why some steps were not taken stacked, or not recorded; empty where all were.
        host: Why some scores were made by the host of raw output; empty where none were.
        single: Why some epochs were recorded step by step; empty where none were.
    """

    def __init__(
        self,
        record: Record | None = None,
        refused: str = "",
        *,
        anywhere: bool = False,
        epochs: bool = False,
    ) -> None:
        self.refused, self.host, self.single = refused, "", ""
        self._record, self._anywhere, self._epochs = record, anywhere, epochs
        self._plays: list[Play] = []
        self._rest: list[Run] = []
        self._others = Graphs(record or recorded, refused)
        self._stages: dict[int, int] = {}
        self._memories: dict[int, Memory] = {}
        self._stacked = self._on_gpu = self._recording = False

    @property
    def way(self) -> str:
        """What a row says: ``stacked``, or how most steps were taken where nothing could be."""
        if self._stacked:
            return "stacked"
        return "graphs" if self._stages and not self._others.refused and self._on_gpu else "turns"

    @property
    def told(self) -> dict[str, str]:
        """What a row says of recordings beside the way; nothing where nothing was recorded."""
        if not self._recording:
            return {}
        graph = f"step: {self.single}" if self.single else "epoch"
        return {"graph": graph} | ({"scores": self.host} if self.host else {})

    def __call__(self, live: Sequence[Run], first: int, last: int) -> None:
        """Take the steps ``[first, last)`` of the epoch with all runs that live."""
        if outdated(self._stages, live):
            self._prepare(live)
        if first == 0:
            for play in self._plays:
                play.begin()
        for play in self._plays:
            play.take(first, last)
            self.single = self.single or play.single
        rest = [run for run in self._rest if run in live]
        if rest:
            self._on_gpu = rest[0].rows.is_cuda
            (self._others if self._on_gpu else turns)(rest, first, last)

    def judge(self, live: Sequence[Run]) -> dict[int, Judged]:
        """Scores of the stacked runs, or raw validation output that is to be scored."""
        found: dict[int, Judged] = {}
        for play in self._plays:
            found |= play.judge()
        return {id(run): found[id(run)] for run in live if id(run) in found}

    def keep(self, live: Sequence[Run]) -> None:
        """Those whose last evaluation is their best are kept as they are now."""
        for play in self._plays:
            play.keep({id(run) for run in live})

    def finish(self) -> None:
        """Each network has tensors of its own again."""
        for play in self._plays:
            play.close()
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
            how = How(self._recorder(runs[0].rows), self._anywhere, self._epochs)
            play = Play(stack, how)
            pool = play.prepare(pool)
        except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
            if is_shortage(error):
                raise
            stack.release()
            self.refused = self.refused or first_line(error)
            self._rest += runs
            return pool
        self._plays.append(play)
        self._stacked = True
        self.host = self.host or play.host
        self._recording = self._recording or how.record is not None
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
