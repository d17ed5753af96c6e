"""A small study that several workers run together, and what one worker makes of it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

STUDY = """
name = "shared"
sources = ["emg"]
targets = ["finance"]
sizes = [60, 120]
repeats = 5
pretrainings = 2
source_size = "n=300"
data = "simulated"
[recipe]
epochs = 12
patience = 12
[pretraining]
epochs = 3
"""
TRIALS = 22  # 2 pretrainings, 10 scratch runs, 10 transfers
LONG = STUDY.replace("repeats = 5", "repeats = 20")
LONG_TRIALS = 82
STARTED: list[subprocess.Popen[str]] = []  # ended with the test, however that ends
CORES = itertools.cycle(sorted(os.sched_getaffinity(0)))


def tsxfer(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "tsxfer", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
    )


def run(folder: Path, *flags: str, workers: int = 1) -> subprocess.Popen[str]:
    """Start ``tsxfer run`` in a folder, on one core: sums in one order, no fight for threads."""
    core = next(CORES)
    started = subprocess.Popen(
        [sys.executable, "-m", "tsxfer", "run", "study.toml", "--workers", str(workers), *flags],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    STARTED.append(started)
    return started


def set_up(folder: Path, like: Path) -> Path:
    """The same study and data in another folder, and no row yet."""
    shutil.copy(like / "study.toml", folder)
    shutil.copytree(like / "tsxfer-workspace/data", folder / "tsxfer-workspace/data")
    return folder


def lines(folder: Path) -> list[tuple[str, dict]]:
    """Every whole row of every writer, with its writer; one done twice is here twice."""
    files = (folder / "tsxfer-workspace" / "results").glob("*/*.jsonl")
    return [
        (file.stem, json.loads(line))
        for file in files
        for line in file.read_text().splitlines(keepends=True)
        if line.endswith("\n")
    ]


def scores(folder: Path) -> dict[str, tuple]:
    """What must be equal however a study was run."""
    return {
        row["key"]: (row["scores"], row["curve"], row["subset"], row["analysis"])
        for _, row in lines(folder)
    }


def until(what: object, seconds: float = 120.0) -> None:
    """Wait for a condition, given as a function."""
    assert callable(what)
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
