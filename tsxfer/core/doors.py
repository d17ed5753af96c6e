"""The doors: what a user may add in a file of one function or class, beside data sets and models.

Names and declared facts are read without running a file, so that reading commands import no torch.
What the package itself offers is defined in the same way, in the file that each door names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tsxfer
from tsxfer.core.registry import Registry

_PACKAGE = Path(tsxfer.__file__).parent


def _door(noun: str, file: str) -> Registry:
    dotted = f"tsxfer.{file.replace('/', '.')}"
    return Registry(noun, _PACKAGE / f"{file}.py", f"tsxfer.{noun}s", (noun,), dotted, each=True)


METHODS = _door("method", "train/methods")
METRICS = _door("metric", "metrics")

DOORS: Mapping[str, Registry] = {door.noun: door for door in (METHODS, METRICS)}
