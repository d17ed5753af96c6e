"""Faults that readers of several layouts meet."""

from __future__ import annotations

from pathlib import Path

from tsxfer.errors import DataError


def unequal(path: Path, what: str) -> DataError:
    """Windows that no array holds."""
    return DataError(
        f"windows of unequal length: {what}",
        where=str(path),
        mend="cut or pad all windows to one length",
    )


def unreadable(path: Path, error: Exception) -> DataError:
    """A file that a library could not read, in words."""
    if isinstance(error, DataError):
        return error
    return DataError(
        f"{path.name} cannot be read: "
        f"{str(error).splitlines()[0][:200] if str(error) else type(error).__name__}",
        where=str(path),
        mend=f"is it a whole {path.suffix} file? write it again",
    )
