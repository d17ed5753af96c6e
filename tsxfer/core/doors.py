"""The doors: what a user may add in a file of one function or class, beside data sets and models.

Names and declared facts are read without running a file, so that reading commands import no torch.
What the package itself offers is defined in the same way, in the file that each door names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tsxfer
from tsxfer.core.declared import Option, of_object
from tsxfer.core.options import Options, bare, read, settled, spelt
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

    Another package's object keeps them as ``facts``. Options beside the name change none.

    Raises:
        SpecError: If nothing has that name.
    """
    found = door.definition(bare(name))
    return found.facts if found else dict(getattr(door.get(bare(name)), "facts", {}))


def declared(door: Registry, name: str) -> tuple[Option, ...]:
    """Options that a name declares, read from its file; of another package, from its object."""
    found = door.definition(name)
    return found.options if found else of_object(door.get(name))


def asked(door: Registry, text: str) -> tuple[str, Options]:
    """A name and its options that are not at their default: ``mlp``, ``{"hidden": 64}``.

    Args:
        door: What it is a name of.
        text: ``mlp:hidden=64``, or the name alone.

    Raises:
        SpecError: If nothing has that name, or an option is unknown or has a value it cannot have.
    """
    name = bare(text)
    door.refuse_unknown(name)
    there = declared(door, name) if text != name else ()
    return name, settled(door.noun, name, there, read(door.noun, text, there))


def canonical(door: Registry, text: str) -> str:
    """The one text form of a name with options, for keys; it raises what `asked` raises."""
    return spelt(*asked(door, text))
