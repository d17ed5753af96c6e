"""How fast real layouts are prepared, in how much memory, and how soon a subset is ready.

Run: python -m bench.prepare [--clips 12000] [--traces 4000]

Files of the true layout are made first (noise in 16 bit wav; HDF5 as STEAD's chunks), then
``tsxfer prepare`` runs on them as a user runs it, once on a quarter of the files and once on all:
memory that does not grow between the two is flat.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import wave
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import h5py
import numpy as np

from tsxfer.core.specs import Trial
from tsxfer.data.task import load_task
from tsxfer.store.workspace import Workspace

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")


def clips(folder: Path, count: int) -> None:
    """Speech Commands: a folder for each word, one second at 16 kHz."""
    draw = np.random.default_rng(0)
    noise = (draw.standard_normal(32000) * 3000).astype("<i2")
    for number in range(count):
        place = folder / WORDS[number % len(WORDS)]
        place.mkdir(parents=True, exist_ok=True)
        with wave.open(str(place / f"{number // 3:08x}_nohash_{number % 3}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 16000, "NONE", ""))
            file.writeframes(noise[number % 16000 :][:16000].tobytes())


def traces(folder: Path, count: int) -> None:
    """STEAD of 2020: data sets (6000, 3) with their facts as attributes."""
    draw = np.random.default_rng(0)
    folder.mkdir(parents=True)
    x = draw.standard_normal((6000, 3)).astype(np.float32)
    with h5py.File(folder / "chunk2.hdf5", "w") as file:
        for number in range(count):
            node = file.create_dataset(f"data/T{number:06}_EV", data=x * (1 + number % 7))
            node.attrs.update(
                {
                    "trace_category": "earthquake_local",
                    "source_id": str(number // 3),
                    "source_origin_time": "2006-07-23 15:58:50.88",
                    "source_magnitude": f"{1 + number % 40 / 10:.1f}",
                }
            )


def prepare(name: str, source: Path, space: Path) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of processor, and peak bytes of ``tsxfer prepare``."""
    began = time.perf_counter()
    child = subprocess.Popen(  # noqa: S603  (our own command)
        [sys.executable, "-m", "tsxfer", "prepare", name, "--from", source, "--workspace", space],
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"tsxfer prepare {name} failed"
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def subset(name: str, space: Path) -> tuple[float, float]:
    """Seconds until 9,000 instances are split, read and scaled: at first, and once more."""
    trial = Trial(f"{name}@1", "convnetquake", "n=9000", 0)
    taken = []
    for _ in range(2):
        began = time.perf_counter()
        load_task(Workspace(space), trial)
        taken.append(time.perf_counter() - began)
    return taken[0], taken[1]


def main() -> None:
    """Print a line a data set and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=12000)
    parser.add_argument("--traces", type=int, default=4000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for name, make, most in (
            ("speech", clips, chosen.clips),
            ("local_eq", traces, chosen.traces),
        ):
            for count in (most // 4, most):
                source, space = root / f"{name}-{count}", root / f"space-{name}-{count}"
                make(source, count)
                wall, busy, peak = prepare(name, source, space)
                print(
                    f"{name:9} {count:>7,} instances {wall:6.1f} s, {count / wall:7,.0f}/s, "
                    f"{count / busy:7,.0f} a second of one core, peak {peak / 2**20:,.0f} MB",
                    flush=True,
                )
            if most >= 12000:
                # In a process of its own: a child's peak begins at that of its parent.
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                    first, again = pool.submit(subset, name, space).result()
                print(f"{name:9} subset of 9,000 ready in {first:.2f} s, again {again:.2f} s")


if __name__ == "__main__":
    main()
