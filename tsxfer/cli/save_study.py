"""Write a study where the user wants it."""

from __future__ import annotations

import sys
from pathlib import Path

from tsxfer.core.plugins import with_plugins
from tsxfer.core.study import Study
from tsxfer.core.study_files import study_toml
from tsxfer.errors import SpecError


def save(study: Study, path: Path) -> None:
    """Write the study's TOML.

    Raises:
        SpecError: If the file cannot be written.
    """
    try:
        path.write_text(study_toml(study), encoding="utf-8")
    except OSError as error:
        raise SpecError(
            f"the study cannot be written: {error.strerror}",
            where=str(path),
            mend="choose another file",
        ) from None
    sys.stderr.write(f"wrote {path}; run it with: {with_plugins(f'tsxfer run {path}')}\n")
