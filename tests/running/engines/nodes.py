"""Processes that a test starts, and ends with all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def process(command: Sequence[str], log: Path, **environment: str) -> Iterator[subprocess.Popen]:
    """A daemon in the foreground; it and its descendants are gone afterwards."""
    with log.open("wb") as file:
        started = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
    try:
        yield started
    finally:
        kill(started.pid)
        started.wait(timeout=30)


def kill(pid: int) -> None:
    """As a power cut: kill -9 for a process and all that it started."""
    for each in (*_descendants(pid), pid):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def commands() -> dict[int, list[str]]:
    """Command lines of all processes."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found[int(place.name)] = (place / "cmdline").read_text().split("\0")
    return found


def _descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(place.name))
    found, todo = [], [pid]
    while todo:
        todo = [child for each in todo for child in parents.get(each, [])]
        found += todo
    return found
