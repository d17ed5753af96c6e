"""Says at the end how many hostile inputs were tried, and how many of them were refused."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from tests.attacks import made
from tests.attacks.guard import COUNTS
from tsxfer.cli.prepare import prepare_dataset
from tsxfer.errors import DataError
from tsxfer.store.workspace import Workspace


@pytest.fixture(scope="session", autouse=True)
def _imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Libraries are loaded before the watch begins: numba unpickles and writes its own caches."""
    place: Path = tmp_path_factory.mktemp("first")
    made.put(made.speech(), place / "files")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(DataError):  # one speaker makes no split; all is loaded by then
            prepare_dataset("speech", place / "files", Workspace(place / "ws"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line an attack."""
    names = sorted({name for name, _ in COUNTS})
    if names:
        terminalreporter.section("hostile inputs")
    for name in names:
        read, refused = COUNTS[name, "read"], COUNTS[name, "refused"]
        terminalreporter.line(f"{name:28} {read + refused:7,} ({refused:,} refused, {read:,} read)")
    if names:
        terminalreporter.line(f"{'all':28} {sum(COUNTS.values()):7,}")
