"""The published study: import its raw results, check its claims."""

from __future__ import annotations

import sys
from pathlib import Path

from tsxfer.api.studies import known_study
from tsxfer.core.study_files import study_toml
from tsxfer.errors import StoreError
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace, write_whole


def import_results(folder: Path, name: str, place: Workspace) -> None:
    """Turn published raw metrics into a study with rows.

    Raises:
        StoreError: If a study of that name has rows already.
    """
    from tsxfer.paper.importing import import_rows

    store = Store(place.results(name))
    if any(store.folder.glob("*.jsonl")):
        raise StoreError(
            f"there are rows of a study called {name!r} already",
            where=str(store.folder),
            mend="choose another --name, or remove that folder",
        )
    study, rows = import_rows(folder, name)
    place.make()
    store.extend(rows)
    write_whole(store.folder / "study.toml", study_toml(study))
    sys.stdout.write(
        f"{len(rows):,} rows in {store.folder}\n"
        f"the study's tables: tsxfer report {name} --method study\n"
        f"what they support:  tsxfer claims {name}\n"
    )


def show_claims(name: str, form: str, place: Workspace) -> None:
    """The study's conclusions with a verdict each, from rows."""
    from tsxfer.paper.pages import claims_text

    rows = Store.of(place, known_study(name, place)).rows()
    sys.stdout.write(claims_text(rows.values(), form=form))
