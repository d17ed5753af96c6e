"""How many threads a worker on this machine takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tsxfer.api.engine import How, ready
from tsxfer.store.workspace import Workspace


@pytest.mark.parametrize(("said", "threads"), [("", 6), ("1", 1), ("4,2", 4), ("99", 6), ("x", 6)])
def test_threads_are_at_most_what_the_environment_allows(
    said: str, threads: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One worker of six cores takes all of them, or as many as OMP_NUM_THREADS says."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    asked = How(device="cpu", workers=1)
    assert ready(asked, 5, Workspace(tmp_path), "study").threads == threads
