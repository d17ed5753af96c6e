"""Arrays of windows, labels and groups in one ``.npz`` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.arrays import broken_text
from tsxfer.errors import DataError
from tsxfer.own.arrays import content_of_arrays
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.faults import unreadable


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows, labels and groups of the arrays of an archive."""
    del scratch
    arrays = {n: a for n, a in _arrays(path).items() if n not in described.ignore}
    return content_of_arrays(arrays, described, path)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of an npz; files of Python objects are refused, since reading them runs code."""
    import zipfile

    if not zipfile.is_zipfile(path):
        raise unreadable(path, zipfile.BadZipFile("not a zip archive"))
    try:
        with np.load(path, allow_pickle=False) as packed:
            arrays = {name: _decoded(_plain(packed, name, path)) for name in packed.files}
    except DataError:
        raise
    except Exception as error:  # numpy and zipfile pass on any fault of a damaged file
        raise unreadable(path, error) from None
    broken = [name for name, array in arrays.items() if broken_text(array)]
    if broken:
        raise unreadable(path, ValueError(f"{broken[0]} holds what is no text"))
    return arrays


def _plain(packed: Any, name: str, path: Path) -> NDArray[Any]:
    """One array of an archive.

    Raises:
        DataError: If it holds Python objects.
    """
    try:
        return np.asarray(packed[name])
    except ValueError as error:
        if "pickle" not in str(error) and "Object" not in str(error):
            raise
        raise DataError(
            f"{name} is an array of Python objects: windows of unequal length, or mixed values",
            where=str(path),
            mend=f"save words as {name}.astype(str); cut or pad windows to one length, and save "
            "them as numbers",
        ) from None


def _decoded(array: NDArray[Any]) -> NDArray[Any]:
    """Bytes as text."""
    return np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array
