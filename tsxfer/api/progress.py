"""Progress on standard error: a live bar on a terminal, plain lines when piped."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from tsxfer.core.specs import Result
from tsxfer.errors import printable


class Progress:
    """Counts of trials with the time left."""

    def __init__(self, name: str, total: int, before: int) -> None:
        self.total, self.count, self.began = total, 0, time.monotonic()
        self._said = 0.0
        console = Console(stderr=True)
        self._bar: Bar | None = None
        if console.is_terminal:
            self._bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=console,
            )
            self._task = self._bar.add_task("starting", total=total)
        else:
            sys.stderr.write(f"{name}: {total} trials to do, {before} done before\n")

    def __enter__(self) -> Progress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def step(self, result: Result) -> None:
        """Count a finished trial."""
        self.count += 1
        what = _describe(result)
        if self._bar:
            self._bar.update(self._task, advance=1, description=what)
            return
        now = time.monotonic()
        if now - self._said > 2 or self.count == self.total or result.status == "failed":
            self._said = now
            left = (now - self.began) / self.count * (self.total - self.count)
            sys.stderr.write(f"[{self.count}/{self.total}] {what}, about {left:.0f} s left\n")
            sys.stderr.flush()


def _describe(result: Result) -> str:
    trial = result.trial
    start = f"from {trial.source}" if trial.reuse else trial.baseline or "from scratch"
    score = result.scores.get(result.metric)
    shown = f"{result.metric} {score:.3f}" if score is not None else f"FAILED: {result.error}"
    return printable(f"{trial.dataset} {trial.model} {trial.size} {start} #{trial.repeat}: {shown}")
