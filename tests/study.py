"""The small study that tests run, and how they run it, with one worker or several."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from tsxfer.cli import main

NAME = "tiny-simulated"  # what the study of `text` is called once its data is simulated


def text(
    *,
    sizes: tuple[int, ...] = (60,),
    repeats: int = 2,
    pretrainings: int = 1,
    name: str = "tiny",
    source_labels: int = 100,
    epochs: int = 2,
    patience: int = 8,
    source_epochs: int = 1,
) -> str:
    """A study file of simulated EMG and prices: the one small study of all tests.

    Trials: `pretrainings`, and one from scratch and one transfer for each size and repeat.
    """
    return f"""
name = "{name}"
sources = ["emg"]
targets = ["finance"]
sizes = {list(sizes)}
repeats = {repeats}
pretrainings = {pretrainings}
source_size = "n={source_labels}"
data = "simulated"
check_start = false
[recipe]
epochs = {epochs}
patience = {patience}
[pretraining]
epochs = {source_epochs}
"""


def _long_enough_to_meet(repeats: int) -> str:
    """Several workers are to meet in the middle of it."""
    return text(
        sizes=(60, 120),
        repeats=repeats,
        pretrainings=2,
        name="shared",
        source_labels=300,
        epochs=12,
        patience=12,
        source_epochs=3,
    )


STUDY = _long_enough_to_meet(repeats=5)
TRIALS = 22  # 2 pretrainings, 10 scratch runs, 10 transfers
LONG = _long_enough_to_meet(repeats=20)
LONG_TRIALS = 82
STARTED: list[subprocess.Popen[str]] = []  # ended with the test, however that ends
CORES = itertools.cycle(sorted(os.sched_getaffinity(0)))


def here(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which spares the start of another."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    handler = signal.getsignal(signal.SIGTERM)
    with chdir(folder), redirect_stdout(out), redirect_stderr(err), mock.patch.dict(os.environ):
        try:
            with mock.patch.object(sys, "argv", ["tsxfer", *words]):
                main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            signal.signal(signal.SIGTERM, handler)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


# Commands that need no process of their own; the start of one costs four seconds of computing.
IN_PROCESS = ("claims", "fit", "plan", "predict", "recommend", "report", "show", "status", "verify")


def tsxfer(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, as a user does."""
    alone = words[0] == "run" and "--workers 1" in " ".join(words)
    if (words[0] in IN_PROCESS or alone) and "--plugins" not in words:
        return here(folder, *words)
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
