"""An undisturbed run to compare with, and copies of it to spoil."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import pytest

from tests.faults.ground import TRIALS, Ground, fresh


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The study, run without any fault; never changed."""
    ground = fresh(tmp_path_factory.mktemp("undisturbed") / "study")
    ran = ground.run()
    assert ran.returncode == 0, ran.stderr
    assert len(ground.rows()) == TRIALS
    return ground


@pytest.fixture
def begun(undisturbed: Ground, tmp_path: Path) -> Ground:
    """Data prepared, nothing trained."""
    return fresh(tmp_path / "study", undisturbed)


@pytest.fixture
def done(undisturbed: Ground, tmp_path: Path) -> Ground:
    """A finished study to spoil."""
    shutil.copytree(undisturbed.folder, tmp_path / "study")
    return Ground(tmp_path / "study")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 MB of its own; the test skips where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = run(
        ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(folder)], capture_output=True
    )
    if made.returncode:
        pytest.skip(f"no tmpfs may be mounted here: {made.stderr.decode().strip()}")
    yield folder
    run(["umount", "-l", str(folder)], check=True)
