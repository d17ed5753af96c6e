"""A large csv: seconds and peak memory of tsxfer's import, beside pandas' own fast engine.

``python -m bench.tables [GIGABYTES] [FOLDER]`` writes a file of that size and reads it in processes
of their own: by pandas with ``engine="pyarrow"``, by the reader of own tables, and by the whole of
``tsxfer prepare`` (hash, reader, checks, arrays on disk).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

COLUMNS, ROWS = 1000, 2500  # samples of a window; windows written at a time

PANDAS = """
import pandas as pd
table = pd.read_csv({path!r}, engine="pyarrow")
print(len(table))
"""
READER = """
import tempfile
from pathlib import Path
from tsxfer.own.description import Description
from tsxfer.own.tables import read
with tempfile.TemporaryDirectory(dir={folder!r}) as scratch:
    print(len(read(Path({path!r}), Description(group="who"), Path(scratch)).x))
"""
PREPARE = """
from pathlib import Path
from tsxfer.own.description import Description
from tsxfer.own.importing import bring
from tsxfer.store.workspace import Workspace
print(bring(Path({path!r}), Description(group="who"), Workspace(Path({folder!r}) / "space")).count)
"""
MEASURED = """
import resource, time, json
start = time.perf_counter()
{code}
facts = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({{
    "clock_s": round(time.perf_counter() - start, 1),
    "core_s": round(facts.ru_utime + facts.ru_stime, 1),
    "peak_mb": facts.ru_maxrss // 1024,
}}))
"""


def write(path: Path, size: float) -> None:
    """A csv of about `size` bytes: windows of random numbers, two labels, fifty groups."""
    draw = np.random.default_rng(0)
    with path.open("w") as file:
        names = ",".join(f"x_{t}" for t in range(COLUMNS))
        file.write(f"{names},label,who\n")
        while file.tell() < size:
            for window in draw.standard_normal((ROWS, COLUMNS)).round(4).tolist():
                who = draw.integers(50)
                file.write(f"{','.join(map(str, window))},{'ab'[who % 2]},p{who}\n")


def measured(code: str, path: Path) -> dict[str, float]:
    """Seconds and peak memory of a process that runs some code."""
    code = MEASURED.format(code=code.format(path=str(path), folder=str(path.parent)))
    done = subprocess.run(  # noqa: S603  (own code)
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    facts: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return facts


def main(gigabytes: float, folder: Path | None) -> None:
    """Write, measure, print."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "large.csv"
        write(path, gigabytes * 1e9)
        print(f"{path.stat().st_size / 1e9:.2f} GB of {COLUMNS} columns")
        print("| | clock s | core s | peak MB |\n|---|---|---|---|")
        for name, code in (("pandas, pyarrow", PANDAS), ("reader", READER), ("prepare", PREPARE)):
            facts = measured(code, path)
            print(
                f"| {name} | {facts['clock_s']} | {facts['core_s']} | {facts['peak_mb']:,} |",
                flush=True,
            )


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else 2.0,
        Path(sys.argv[2]) if len(sys.argv) > 2 else None,
    )
