"""A full disk, files that may not grow, and a store that may only be read."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.ground import Ground, assert_equal, assert_kept, assert_told, fresh
from tests.study import NAME

SLOW = pytest.mark.slow


def _ballast(disk: Path, free: int) -> Path:
    """Fill the disk up to `free` bytes."""
    path = disk / "ballast"
    with path.open("wb") as file:
        file.truncate(0)
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - free)
    return path


@pytest.mark.parametrize("free_kb", [48, *(pytest.param(n, marks=SLOW) for n in (0, 8, 96, 200))])
def test_a_full_disk_says_so_and_costs_no_row(
    small_disk: Path, undisturbed: Ground, free_kb: int
) -> None:
    """Wherever space ends (rows, predictions, weights), the rerun with space completes equal."""
    ground = fresh(small_disk / "study", undisturbed)
    ballast = _ballast(small_disk, free_kb << 10)
    ran = ground.here()
    assert_told(ran, "space")
    kept = ground.rows()
    assert ground.here("status").returncode == 0
    ballast.unlink()
    again = ground.here()
    assert again.returncode == 0, again.stderr
    assert_kept(ground, kept)
    assert_equal(ground, undisturbed)


def test_a_disk_that_fills_while_preparing_gets_its_space_back(
    small_disk: Path, undisturbed: Ground
) -> None:
    """Half-prepared data is removed, the message names the fault, and the rerun is whole."""
    ground = fresh(small_disk / "study")
    ballast = _ballast(small_disk, 30 << 20)
    assert_told(ground.here(), "space")
    assert not list((ground.place.root / "data" / ".partial").iterdir())
    ballast.unlink()
    assert ground.here().returncode == 0
    assert_equal(ground, undisturbed)


@pytest.mark.parametrize("kilobytes", [5, *(pytest.param(n, marks=SLOW) for n in (1, 40))])
def test_files_that_may_not_grow_say_so(begun: Ground, undisturbed: Ground, kilobytes: int) -> None:
    """A limit on file sizes (ulimit -f) acts in the middle of a write, as a full disk does."""
    limit = kilobytes << 10
    ran = subprocess.run(
        [sys.executable, "-m", "tsxfer", "run", "tiny.toml", "--workers", "1"],
        cwd=begun.folder,
        capture_output=True,
        text=True,
        timeout=250,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert_told(ran)
    kept = begun.rows()
    assert begun.here().returncode == 0
    assert_kept(begun, kept)
    assert_equal(begun, undisturbed)


def test_a_store_that_may_only_be_read(small_disk: Path, undisturbed: Ground) -> None:
    """Reading commands and reproduce work; run refuses with a mend, and nothing is lost."""
    shutil.copytree(undisturbed.folder, small_disk / "study")
    ground = Ground(small_disk / "study")
    key = next(key for key, row in ground.rows().items() if row.trial.reuse)
    _remount(small_disk, "ro")
    for words in (("status",), ("report", NAME), ("verify", NAME), ("reproduce", key), ("doctor",)):
        ran = ground.here(*words)
        assert ran.returncode == 0, (words, ran.stderr)
    assert_told(ground.here(), "Read-only", "--workspace")
    _remount(small_disk, "rw")
    assert_equal(ground, undisturbed)
    next(ground.results.glob("*.jsonl")).unlink()
    assert_told_then_mended(ground, small_disk, undisturbed)


def assert_told_then_mended(ground: Ground, disk: Path, undisturbed: Ground) -> None:
    """With rows to do, the same refusal; once it may be written, the rerun completes."""
    _remount(disk, "ro")
    assert_told(ground.here("plan", "tiny.toml", "--repeats", "9"), "Read-only")
    assert_told(ground.here(), "Read-only")
    _remount(disk, "rw")
    assert ground.here().returncode == 0
    assert_equal(ground, undisturbed)


def _remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)
