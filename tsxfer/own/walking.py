"""Files below a folder, as a user sees them: links followed, hidden ones left out."""

from __future__ import annotations

import os
from pathlib import Path

JUNK = {"thumbs.db", "desktop.ini", "__macosx"}


def files_below(folder: Path) -> list[Path]:
    """Files in order of their names; of folders that are linked in a circle each one once."""
    found, seen = [], set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else [name for name in folders if not _hidden(name)]
        if real not in seen:
            found += [Path(place) / name for name in names if not _hidden(name)]
        seen.add(real)
    whole = [path for path in found if path.is_file()]
    return sorted(whole, key=lambda path: path.relative_to(folder).as_posix())


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in JUNK
