"""Data sets by name: ``speech`` is real, ``speech+sim`` its simulated stand-in."""

from __future__ import annotations

from pathlib import Path

import tsxfer
from tsxfer.data.card import Dataset
from tsxfer.errors import SpecError, nearest
from tsxfer.registry import Registry


def _folder() -> Path:
    """``datasets/`` inside an installed package, or at the top of a checkout."""
    package = Path(tsxfer.__file__).parent
    shipped = package / "_datasets"
    return shipped if shipped.is_dir() else package.parent / "datasets"


REGISTRY = Registry("data set", _folder(), "tsxfer.datasets")


def names() -> list[str]:
    """Names of all real data sets."""
    return REGISTRY.names()


def find(name: str) -> Dataset:
    """The data set of a name with or without ``+sim`` and ``@version``.

    Raises:
        SpecError: For an unknown name, a version that is not this one, or a missing stand-in.
    """
    plain, _, version = name.partition("@")
    base, _, simulated = plain.partition("+")
    if simulated not in ("", "sim"):
        raise SpecError(f"unknown data set {name!r}", mend=nearest(plain, names()))
    loaded = REGISTRY.load(base)
    found = loaded if isinstance(loaded, Dataset) else getattr(loaded, base, None)
    if not isinstance(found, Dataset):
        raise SpecError(
            f"{base}.py defines no data set called {base}",
            where=str(REGISTRY.folder / f"{base}.py"),
            mend=f"name the function under @dataset(...) {base}",
        )
    return _checked(_stand_in(found, base) if simulated else found, name, version)


def _stand_in(real: Dataset, base: str) -> Dataset:
    if real.stand_in is None:
        raise SpecError(
            f"{base} has no simulated stand-in", mend=f"run `tsxfer prepare {base}` for real data"
        )
    return real.stand_in


def _checked(found: Dataset, name: str, version: str) -> Dataset:
    if version and version != str(found.card.version):
        raise SpecError(
            f"{name} is version {version}, this tsxfer has {found.card.id}",
            mend=f"write {found.card.id}, or install the tsxfer that had {name}",
        )
    return found
