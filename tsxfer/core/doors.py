"""The doors: what a user may add in a file of one function or class, beside data sets and models.

Names and declared facts are read without running a file, so that reading commands import no torch.
What the package itself offers is defined in the same way, in the file that each door names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tsxfer
from tsxfer.core.registry import Registry

_PACKAGE = Path(tsxfer.__file__).parent


def _door(noun: str, file: str) -> Registry:
    dotted = f"tsxfer.{file.replace('/', '.')}"
    return Registry(noun, _PACKAGE / f"{file}.py", f"tsxfer.{noun}s", (noun,), dotted, each=True)


METHODS = _door("method", "train/methods")
OBJECTIVES = _door("objective", "train/unlabelled")
METRICS = _door("metric", "metrics")
RANKERS = _door("ranker", "ranking/rankers")
SPLITS = _door("split", "data/rules")
HEADS = _door("head", "models/heads")
STATISTICS = _door("statistic", "stats/statistics")

_ALL = (METHODS, OBJECTIVES, METRICS, RANKERS, SPLITS, HEADS, STATISTICS)
DOORS: Mapping[str, Registry] = {door.noun: door for door in _ALL}


def facts(door: Registry, name: str) -> dict[str, Any]:
    """What the decorator of a name says in keywords, without running its file.

    Another package's object keeps them as ``facts``.

    Raises:
        SpecError: If nothing has that name.
    """
    found = door.definition(name)
    return found.facts if found else dict(getattr(door.get(name), "facts", {}))
