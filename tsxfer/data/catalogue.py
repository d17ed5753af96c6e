"""Data sets by name: ``speech`` real, ``speech+sim`` its simulated stand-in, ``x+own`` a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import tsxfer
from tsxfer.core.building import from_plain
from tsxfer.core.names import OWN, SIMULATED, DatasetName
from tsxfer.core.registry import Registry
from tsxfer.data.card import Card, Dataset
from tsxfer.errors import DataError, SpecError, nearest
from tsxfer.store.workspace import Workspace


def _folder() -> Path:
    """``datasets/`` inside an installed package, or at the top of a checkout."""
    package = Path(tsxfer.__file__).parent
    shipped = package / "_datasets"
    return shipped if shipped.is_dir() else package.parent / "datasets"


REGISTRY = Registry("data set", _folder(), "tsxfer.datasets", ("dataset", "synthetic"))


CARD = "card.json"  # beside the arrays of a user's own file


def names() -> list[str]:
    """Names of all real data sets."""
    return REGISTRY.names()


def own_names(workspace: Workspace) -> list[str]:
    """Versioned names of the user's own files that were imported into a workspace."""
    found = (workspace.root / "data").glob(f"*+{OWN}@*/{CARD}")
    return sorted(path.parent.name for path in found)


def find(name: str, workspace: Workspace | None = None) -> Dataset:
    """The data set of a name with or without ``+sim`` and ``@version``.

    Args:
        name: As in a study.
        workspace: Where the user's own files were imported; needed for ``x+own``.

    Raises:
        SpecError: For an unknown name, a version that is not this one, or a missing stand-in.
    """
    named = DatasetName.parse(name)
    if named.own and workspace is not None:
        return _own(name, workspace)
    if named.kind not in ("", SIMULATED):
        raise SpecError(f"unknown data set {name!r}", mend=nearest(named.plain, names()))
    loaded = REGISTRY.load(named.base)
    found = loaded if isinstance(loaded, Dataset) else dataset_in(loaded, named.base)
    return _checked(_stand_in(found, named.base) if named.simulated else found, name, named.version)


def refuse_unknown(name: str) -> None:
    """Refuse a name that no data set has; it is not loaded.

    Raises:
        SpecError: With near names.
    """
    REGISTRY.refuse_unknown(DatasetName.parse(name).base)


def read_card(folder: Path) -> Card:
    """The card kept beside prepared data.

    Raises:
        DataError: If it is damaged.
    """
    try:
        facts = json.loads((folder / CARD).read_text(encoding="utf-8"))
        version = facts.pop("version")
        return replace(from_plain(Card, facts | {"version": 0}), version=version)
    except (OSError, ValueError, KeyError, SpecError) as error:
        raise DataError(
            f"the card of an own data set cannot be read: {error}",
            where=str(folder / CARD),
            mend=f"delete {folder} and name the file again",
        ) from None


def dataset_in(module: ModuleType, name: str) -> Dataset:
    """The data set of a module.

    Raises:
        SpecError: If none has that name.
    """
    found = getattr(module, name, None)
    if not isinstance(found, Dataset):
        raise SpecError(
            f"{name}.py defines no data set called {name}",
            where=str(module.__file__),
            mend=f"name the function under @dataset(...) {name}",
        )
    return found


def _own(name: str, workspace: Workspace) -> Dataset:
    known = own_names(workspace)
    found = [n for n in known if name in (n, DatasetName.parse(n).plain)]
    if len(found) == 1:
        return Dataset(read_card(workspace.data(found[0])))
    raise SpecError(
        f"{name} is {'ambiguous: ' + ', '.join(found) if found else 'not in this workspace'}",
        where=str(workspace.root),
        mend="name the file itself, e.g. --target mine.csv"
        if not found
        else "write the version too",
    )


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
