"""Where files of the user's own lie: folders or single files that ``--plugins`` names.

``--plugins`` sets ``TSXFER_PLUGINS``, an environment variable so that worker processes see it
without being told; to a cluster it travels with the jobs.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from tsxfer.errors import SpecError

PLUGINS = "TSXFER_PLUGINS"


def use_plugins(places: str) -> None:
    """Make folders or files of the user's own known here and in every process started from here.

    Args:
        places: One, or several with the separator of ``PATH`` between them.

    Raises:
        SpecError: If one is neither a folder nor a Python file.
    """
    found = _read(places)
    os.environ[PLUGINS] = os.pathsep.join(map(str, found))


def plugin_folders() -> list[Path]:
    """Folders and files of the user's own, by their whole path.

    Raises:
        SpecError: If one is neither a folder nor a Python file.
    """
    return _read(os.environ.get(PLUGINS, ""))


def with_plugins(command: str, *, needed: bool = True) -> str:
    """A command that is printed, with the flag without which it would not find the user's code.

    Args:
        command: ``tsxfer run NAME``.
        needed: Whether it asks for any.
    """
    said = [_shown(place) for place in plugin_folders()] if needed else []
    return f"{command} --plugins {shlex.quote(os.pathsep.join(said))}" if said else command


def hint() -> str:
    """What ends the mend of an unknown name where no file of the user's own is known."""
    return "" if plugin_folders() else " (of your own: say --plugins FOLDER)"


def _shown(place: Path) -> str:
    """Its path from here where it lies here, else its whole one."""
    here = Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)


def _read(places: str) -> list[Path]:
    found = [Path(text).expanduser().resolve() for text in places.split(os.pathsep) if text]
    for place in found:
        if not (place.is_dir() or (place.is_file() and place.suffix == ".py")):
            what = f"{place} is no Python file" if place.exists() else f"no folder {place}"
            raise SpecError(
                what,
                where=f"--plugins or {PLUGINS}",
                mend="name a folder that holds files made with `tsxfer new`, or one such file",
            )
    return found
