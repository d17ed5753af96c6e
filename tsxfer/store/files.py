"""Files that a user asked for, and files of a study that grow by lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tsxfer.core.building import from_plain
from tsxfer.errors import StoreError, TsxferError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Line = TypeVar("Line", bound="DataclassInstance")


def put(out: Path, content: bytes, what: str, mend: str = "choose another --out") -> None:
    """Write a file that the user named.

    Args:
        out: The file.
        content: What it shall hold.
        what: What that is, for the message.
        mend: Advice where it cannot be written.

    Raises:
        StoreError: If it cannot be written.
    """
    try:
        out.write_bytes(content)
    except OSError as error:
        raise StoreError(
            f"{what} cannot be written: {error.strerror}", where=str(out), mend=mend
        ) from None


def add_lines(path: Path, found: Iterable[DataclassInstance], what: str, mend: str) -> None:
    """Add a line of JSON for each, which are on disk when this returns.

    Args:
        path: The file; it and its folder are made where they are missing.
        found: Dataclasses of plain values.
        what: What they are, for the message.
        mend: What still holds where they cannot be kept.

    Raises:
        StoreError: If they cannot be written.
    """
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(one), allow_nan=False) + "\n" for one in found)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(
            f"{what} cannot be kept for the report: {error.strerror}", where=str(path), mend=mend
        ) from None


def read_lines(kind: type[Line], path: Path) -> tuple[list[Line], int]:
    """Whole lines of such a file, and how many are torn or of another form."""
    found, unread = [], 0
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return [], int(path.exists())
    for line in lines:
        try:
            found.append(from_plain(kind, json.loads(line)))
        except (ValueError, RecursionError, TsxferError):
            unread += 1
    return found, unread
