"""What commands that only read bring in before they answer: modules, not seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SLOW = ("torch", "scipy", "pandas", "statsmodels", "sklearn", "sktime", "numba", "pyarrow")
LATE = ("jinja2", "vl_convert", "requests", "pooch", "IPython")
# What each command may do without, beside what takes long anyway.
WITHOUT = {
    ("--help",): ("numpy", "rich.progress", "importlib.metadata", "tsxfer.data", "tsxfer.stats"),
    ("run", "--help"): ("numpy", "rich.progress", "tsxfer.data", "tsxfer.stats"),
    ("list",): ("rich", "tsxfer.stats", "tsxfer.report", "tsxfer.running.runner", "tsxfer.train"),
    ("status",): ("rich", "tsxfer.stats", "tsxfer.report", "tsxfer.running.runner"),
}
CODE = """
import sys
sys.argv = ["tsxfer", *sys.argv[1:]]
from tsxfer.cli import main
try:
    main()
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("words", WITHOUT, ids=" ".join)
def test_reading_brings_in_little(words: tuple[str, ...], tmp_path: Path) -> None:
    """A command that reads loads no library that takes long, and no room that it does not need."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words], cwd=tmp_path, capture_output=True, text=True
    )
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "tsxfer.cli.app" in loaded
    unwanted = (*SLOW, *LATE, *WITHOUT[words])
    below = tuple(f"{name}." for name in unwanted)
    assert not [name for name in loaded if name in unwanted or name.startswith(below)]
