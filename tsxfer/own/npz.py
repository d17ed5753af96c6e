"""Arrays of windows, labels and groups in one ``.npz`` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.columns import few, group_of, label_of, numbered
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.faults import unreadable


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows, labels and groups of the arrays of an archive."""
    del scratch
    arrays = {n: a for n, a in _arrays(path).items() if n not in described.ignore}
    x = _windows_of(arrays, path)
    if described.unlabelled:
        return Content(x, None, None, numbered(x.shape[1]), "", "")
    wanted, grouped = described.label, described.group
    names = [name for name in arrays if name != "x"]
    label, group = label_of(names, wanted, path), group_of(names, grouped, path)
    for name in filter(None, (label, group)):
        if arrays[name].shape != (len(x),):
            raise DataError(
                f"{name} has shape {arrays[name].shape}, x holds {len(x)} windows",
                where=str(path),
                mend="give one value a window",
            )
    groups = arrays[group].astype(np.str_) if group else None
    return Content(x, arrays[label], groups, numbered(x.shape[1]), label, group)


def _windows_of(arrays: dict[str, NDArray[Any]], path: Path) -> NDArray[Any]:
    if "x" not in arrays:
        raise DataError(
            f"no array called x; there are: {few(list(arrays))}",
            where=str(path),
            mend="save it as np.savez(file, x=windows, y=labels, group=groups)",
        )
    x = arrays["x"]
    if x.ndim not in (2, 3) or x.dtype.kind not in "iufb":
        raise DataError(
            f"x is {x.dtype} {x.shape}, not numbers (n, channel, time) or (n, time)",
            where=str(path),
            mend="stack the windows into one array",
        )
    return x[:, None, :] if x.ndim == 2 else x


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of an npz; files of Python objects are refused, since reading them runs code."""
    import zipfile

    if not zipfile.is_zipfile(path):
        raise unreadable(path, zipfile.BadZipFile("not a zip archive"))
    try:
        with np.load(path, allow_pickle=False) as packed:
            return {name: _decoded(packed[name]) for name in packed.files}
    except ValueError as error:
        if "pickle" not in str(error) and "Object" not in str(error):
            raise unreadable(path, error) from None
        raise DataError(
            "an array of Python objects: windows of unequal length, or mixed values",
            where=str(path),
            mend="cut or pad all windows to one length, and save plain numbers or text",
        ) from None
    except Exception as error:  # numpy and zipfile pass on any fault of a damaged file
        raise unreadable(path, error) from None


def _decoded(array: NDArray[Any]) -> NDArray[Any]:
    """Bytes as text."""
    return np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array
