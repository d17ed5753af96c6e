"""Columns and arrays by name: which is the label, which the group, which hold samples."""

from __future__ import annotations

import re
from pathlib import Path

from tsxfer.errors import DataError

LABELS = ("label", "y", "target", "class")
NUMBERED = re.compile(r"^(.*?)[_.\- ]?(\d{1,9})$")


def label_of(names: list[str], wanted: str, path: Path) -> str:
    """The label's column.

    Raises:
        DataError: If it is not there.
    """
    found = (
        [wanted] if wanted and wanted in names else [n for n in LABELS if n in names and not wanted]
    )
    if not found:
        raise DataError(
            f"no label column {wanted!r}" if wanted else "no column called label, y or target",
            where=f"{path} has: {few(names)}",
            mend="name it: --label COLUMN",
        )
    return found[0]


def group_of(names: list[str], wanted: str, path: Path) -> str:
    """The group's column; "" where none is wanted or called so.

    Raises:
        DataError: If a wanted one is not there.
    """
    if wanted and wanted not in names:
        raise DataError(
            f"no group column {wanted!r}",
            where=f"{path} has: {few(names)}",
            mend="name one of them with --group, or leave it out",
        )
    return wanted or ("group" if "group" in names else "")


def few(names: list[str]) -> str:
    """Names for a message: a few, those of samples last."""
    names = sorted(names, key=lambda name: NUMBERED.match(name) is not None)  # samples last
    return ", ".join(names) if len(names) <= 12 else ", ".join(names[:10]) + f", ... {names[-1]}"


def numbered(count: int) -> tuple[str, ...]:
    """Names of channels that a file does not name."""
    return tuple(f"c{number}" for number in range(count))
