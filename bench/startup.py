"""How long commands that only read take to start, beside a bare ``import numpy``.

Run: python -m bench.startup [--rounds 15]

Each round runs all of them in turn, so that a busy machine slows all alike; a ratio is the median
over rounds of CPU time (user and system) over that of numpy in the same round. Bytecode is kept in
a folder of its own and written by a first round that is not counted, as an installation does.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ARMS = {
    "import numpy": ("-c", "import numpy"),
    "import typer": ("-c", "import typer"),
    "import tsxfer": ("-c", "import tsxfer"),
    "tsxfer --help": ("-m", "tsxfer", "--help"),
    "tsxfer list": ("-m", "tsxfer", "list"),
    "tsxfer status": ("-m", "tsxfer", "status"),
}
ROOT = Path(__file__).parents[1]


def cpu_seconds(words: tuple[str, ...], folder: Path) -> float:
    """User and system time of one process of Python, in an empty folder."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "PYTHONPATH": str(ROOT)}
    before = os.times()
    command = [sys.executable, *words]
    subprocess.run(command, cwd=folder, env=env, capture_output=True, check=True)  # noqa: S603
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def main() -> None:
    """Print a line for each."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=15)
    rounds = asked.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        times = [
            {arm: cpu_seconds(words, folder) for arm, words in ARMS.items()}
            for _ in range(rounds + 1)
        ][1:]
    for arm in ARMS:
        ratio = statistics.median(one[arm] / one["import numpy"] for one in times)
        seconds = statistics.median(one[arm] for one in times)
        sys.stdout.write(f"{arm:15} {seconds:.3f} CPU s  {ratio:.1f} x import numpy\n")


if __name__ == "__main__":
    main()
