"""A tiny study that has run, and copies of it to spoil."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests import study
from tsxfer.store.workspace import Workspace


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the tiny study has run; never changed."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "tiny.toml").write_text(study.text())
    done = study.here(folder, "run", "tiny.toml", "--workers", "1")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def copy(ran: Path, tmp_path: Path) -> Path:
    """The same folder to spoil; the prepared data is linked file by file."""
    folder = tmp_path / "copy"
    shutil.copytree(ran, folder, copy_function=_link_arrays)
    return folder


@pytest.fixture
def place(copy: Path) -> Workspace:
    """Its workspace."""
    return Workspace(copy / "tsxfer-workspace")


def _link_arrays(there: str, here: str) -> None:
    if there.endswith(".npy"):
        os.link(there, here)
    else:
        shutil.copy2(there, here)
