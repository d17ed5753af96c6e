"""Series in sktime's ``.ts`` format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.columns import numbered
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.faults import unequal, unreadable


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Series of a ``.ts`` file; the format itself says what is the label, and has no groups."""
    del scratch
    if described.unlabelled:
        x = _series(path)[0]
        return Content(x, None, None, numbered(x.shape[1]), "", "")
    head = _head(path)
    if "@classlabel true" not in head and "@targetlabel true" not in head:
        raise DataError(
            "the header declares no labels (@classLabel true ... or @targetLabel true)",
            where=str(path),
            mend="add labels to the file",
        )
    x, y = _series(path)
    task = "regression" if "@targetlabel true" in head else "classification"
    labels = np.asarray(y, np.float64) if task == "regression" else np.asarray(y, np.str_)
    label = "target" if task == "regression" else "class"
    return Content(x, labels, None, numbered(x.shape[1]), label, "", task)


def _series(path: Path) -> tuple[NDArray[Any], Any]:
    """Windows ``(n, channel, time)`` of a ``.ts`` file, and its labels where it has some."""
    from sktime.datasets import load_from_tsfile

    try:
        loaded = load_from_tsfile(str(path), return_data_type="nested_univ")
        x, y = loaded if isinstance(loaded, tuple) else (loaded, None)
        if len({len(cell) for row in x.to_numpy() for cell in row}) > 1:
            raise unequal(path, "series differ in length")
        return np.stack([np.stack([np.asarray(cell) for cell in row]) for row in x.to_numpy()]), y
    except (OSError, ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise unreadable(path, error) from None


def _head(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").partition("@data")[0].lower()
