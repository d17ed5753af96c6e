"""Progress: a live bar on a terminal or in a notebook, plain lines where neither is."""

from __future__ import annotations

import sys
import time
from html import escape
from types import TracebackType
from typing import Any, Protocol

from tsxfer.core.results import Result
from tsxfer.errors import printable

OFTEN = 0.5  # seconds between two pictures of a notebook's bar


class Face(Protocol):
    """What shows how far it is."""

    def step(self, count: int, total: int, what: str, urgent: bool) -> None:
        """Show that `count` of `total` are done, the last of which was `what`."""

    def close(self) -> None:
        """Stop showing."""


class Progress:
    """Counts of trials with the time left, on standard error.

    Args:
        name: Of the study.
        total: Trials to do.
        before: Trials that were done before.
        shown: Show them; False is silent.
    """

    def __init__(self, name: str, total: int, before: int, *, shown: bool = True) -> None:
        self.total, self.count = total, 0
        self._face = _face(name, total, before) if shown else None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._face:
            self._face.close()

    def step(self, result: Result) -> None:
        """Count a finished trial."""
        self.count += 1
        if self._face:
            told = result.status == "failed" or bool(result.cost.get("state"))
            urgent = self.count == self.total or told
            self._face.step(self.count, self.total, _describe(result), urgent)


def _face(name: str, total: int, before: int) -> Face:
    if _notebook():
        return Notebook(name, total, before)
    if sys.stderr.isatty():
        return Terminal(total)
    return Lines(name, total, before)


def _notebook() -> bool:
    """Whether this is the kernel of a notebook; IPython is asked only where it is in use."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class Lines:
    """A line every other second, for logs."""

    def __init__(self, name: str, total: int, before: int) -> None:
        self._began, self._said = time.monotonic(), 0.0
        sys.stderr.write(f"{name}: {total} trials to do, {before} done before\n")

    def step(self, count: int, total: int, what: str, urgent: bool) -> None:
        """Write a line, unless the last one is fresh."""
        now = time.monotonic()
        if now - self._said > 2 or urgent:
            self._said = now
            left = (now - self._began) / count * (total - count)
            sys.stderr.write(f"[{count}/{total}] {what}, about {left:.0f} s left\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Nothing is open."""


class Terminal:
    """A live bar."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("starting", total=total)
        self._bar.start()

    def step(self, count: int, total: int, what: str, urgent: bool) -> None:
        """Move the bar."""
        del total, urgent
        self._bar.update(self._task, completed=count, description=what)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._bar.stop()


class Notebook:
    """A bar below the cell, drawn again in its place."""

    def __init__(self, name: str, total: int, before: int) -> None:
        from IPython import display

        self._began, self._said = time.monotonic(), 0.0
        self._name, self._before, self._html = name, before, display.HTML
        self._handle: Any = display.display(
            display.HTML(self._text(0, total, "starting")), display_id=True
        )

    def step(self, count: int, total: int, what: str, urgent: bool) -> None:
        """Draw the bar, unless the last one is fresh."""
        now = time.monotonic()
        if now - self._said > OFTEN or urgent:
            self._said = now
            self._handle.update(self._html(self._text(count, total, what)))

    def _text(self, count: int, total: int, what: str) -> str:
        gone = time.monotonic() - self._began
        left = f", about {gone / count * (total - count):.0f} s left" if 0 < count < total else ""
        before = f" ({self._before} were done before)" if self._before else ""
        return (
            f"<div><progress value='{count}' max='{total}'></progress> {count} of {total} trials"
            f"{before}{left}<br><small>{escape(self._name)}: {escape(what)}</small></div>"
        )

    def close(self) -> None:
        """The last picture stays."""


def _describe(result: Result) -> str:
    trial = result.trial
    start = f"from {trial.source}" if trial.reuse else trial.baseline or "from scratch"
    score = result.scores.get(result.metric)
    shown = f"{result.metric} {score:.3f}" if score is not None else f"FAILED: {result.error}"
    shown += f" ({result.cost['state']})" if result.cost.get("state") else ""
    return printable(f"{trial.dataset} {trial.model} {trial.size} {start} #{trial.repeat}: {shown}")
