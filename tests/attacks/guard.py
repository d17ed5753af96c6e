"""Runs an attack on many made inputs, watches what Python does meanwhile, and counts."""

from __future__ import annotations

import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsxfer.errors import TsxferError

MANY = 25  # times as many examples when slow
LEVELS = [pytest.param(1, id="fast"), pytest.param(MANY, id="slow", marks=pytest.mark.slow)]
NEVER = (
    "pickle.find_class",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "subprocess.Popen",
    "socket.connect",
    "os.symlink",
    "os.link",
)
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.chmod", "os.truncate", "shutil.rmtree")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

COUNTS: Counter[tuple[str, str]] = Counter()
_watched: list[tuple[Path, list[str]]] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    """Python's audit hook: cannot be taken off again, so it looks only while an attack runs."""
    if not _watched:
        return
    folder, seen = _watched[-1]
    if event in NEVER:
        seen.append(f"{event} {args}")
    elif event == "os.remove" and args[1] != -1:
        return  # inside shutil.rmtree, which was looked at
    elif (event == "open" and args[2] & WRITES) or event in CHANGES:
        paths = args[:2] if event == "os.rename" else args[:1]
        seen += [f"{event} {path}" for path in paths if not _inside(path, folder)]


def _inside(path: object, folder: Path) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return True  # a file that is open already
    name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  (no resolve: it would open files)
    return name.startswith(str(folder)) or name == os.devnull


sys.addaudithook(_hook)


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Fails if the block unpickles, starts a program, connects, links, or writes elsewhere."""
    seen: list[str] = []
    _watched.append((folder.resolve(), seen))
    try:
        yield
    finally:
        _watched.pop()
    assert not seen, seen[:5]


def attack(
    name: str,
    level: int,
    folder: Path,
    inputs: st.SearchStrategy[Any],
    check: Callable[[Any], object],
    *,
    examples: int = 40,
) -> None:
    """Only a `TsxferError` may come out of `check`, and nothing may be written outside `folder`.

    Args:
        name: Under which examples are counted.
        level: Multiplies the number of examples.
        folder: Where writing is allowed.
        inputs: What to try.
        check: Reads one input.
        examples: How many at level 1.
    """

    @settings(
        max_examples=examples * level,
        deadline=None,
        database=None,
        derandomize=level == 1,  # the fast run is the same everywhere; the slow one looks further
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def one(made: Any) -> None:
        with watched(folder), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                check(made)
                outcome = "read"
            except TsxferError as error:
                str(error).encode()  # what a terminal must be able to show
                outcome = "refused"
        COUNTS[name, outcome] += 1

    one()
