"""``tsxfer prepare``: fetch or import, verify, read, store."""

from __future__ import annotations

import sys
from pathlib import Path

from tsxfer.api.own import tell
from tsxfer.data import catalogue
from tsxfer.data.archive import unpacked
from tsxfer.data.card import Dataset
from tsxfer.data.fetch import fetch
from tsxfer.data.prepare import Prepared, prepare
from tsxfer.errors import SpecError
from tsxfer.store.workspace import Workspace
from tsxfer.zoo import shelf


def prepare_dataset(name: str, place: Path | None, workspace: Workspace) -> Prepared:
    """Prepare a data set from a download or from files that the user has.

    Raises:
        TsxferError: With the file, what is wrong with it and what to do; what was prepared
            before stays as it is.
    """
    dataset = catalogue.find(name)
    if dataset.read is None:
        raise SpecError(f"{name} is simulated and needs no preparing", mend="run a study with it")
    workspace.make()
    folder = place or fetch(dataset, workspace.root / "downloads" / dataset.card.name)
    made = _read(dataset, folder, workspace)
    tell(made)
    return made


def prepare_zoo(name: str, workspace: Workspace) -> None:
    """Fetch the files of a name of the zoo that the package itself does not hold.

    Raises:
        TsxferError: If there is no such name, a server fails, or a file is another.
    """
    entry = shelf.find(name)
    workspace.make()
    fetched = shelf.fetch(entry, workspace)
    here = f"fetched: {', '.join(fetched)}" if fetched else "all of its files are here"
    sys.stdout.write(f"{entry.id}: {here}\n")


def _read(dataset: Dataset, folder: Path, workspace: Workspace) -> Prepared:
    assert dataset.read is not None  # noqa: S101  (checked by the caller)
    goal = workspace.data(dataset.card.id)

    live = sys.stderr.isatty()

    def progress(count: int) -> None:
        if live:
            sys.stderr.write(f"\rread {count:,} instances")
            sys.stderr.flush()

    try:
        with unpacked(folder, workspace.root / "scratch") as ready:
            made = prepare(dataset, dataset.read(ready), goal, progress)
    finally:
        sys.stderr.write("\n" if live else "")
    return made
