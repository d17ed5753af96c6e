"""Arrays of windows, labels and groups in an HDF5 file, by name, as in an ``.npz``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data import hdf5
from tsxfer.errors import DataError
from tsxfer.own import matlab
from tsxfer.own.arrays import content_of_arrays
from tsxfer.own.content import Content
from tsxfer.own.description import Description

ENDINGS = (".h5", ".hdf5")


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows, labels and groups of the file's data sets; a MATLAB file is read as such.

    Raises:
        DataError: If it is no such file, a table of pandas, or its arrays do not fit together.
    """
    with hdf5.opened(path) as file:
        nodes = _nodes(file, path)
        turned = any("MATLAB_class" in node.attrs for node in nodes.values())
        arrays = {} if turned else {name: _array(node) for name, node in nodes.items()}
    if turned:
        return matlab.read(path, described, scratch)
    found = {n: a for n, a in arrays.items() if a is not None and n not in described.ignore}
    return content_of_arrays(found, described, path)


def _nodes(file: Any, path: Path) -> dict[str, Any]:
    """Data sets by their last name, or ``group.name`` where two are called alike; no links."""
    import h5py

    found: dict[str, Any] = {}

    def note(name: str, node: Any) -> None:
        if "pandas_type" in node.attrs:
            raise DataError(
                f"{path.name} is a store of pandas ({name})",
                where=str(path),
                mend='save it as parquet, with PyTables installed: python -c "import pandas; '
                f"pandas.read_hdf('{path}', '{name}').to_parquet('{path.stem}.parquet')\"",
            )
        if isinstance(node, h5py.Dataset) and not (node.external or node.is_virtual):
            found[name] = node

    file.visititems(note)
    last = [name.rpartition("/")[2] for name in found]
    return {
        short if last.count(short) == 1 else name.replace("/", "."): node
        for short, (name, node) in zip(last, found.items(), strict=True)
    }


def _array(node: Any) -> NDArray[Any] | None:
    """Numbers and text; what else HDF5 may hold is left out."""
    import h5py

    if h5py.check_string_dtype(node.dtype) is not None:
        cells = np.asarray(node.asstr(errors="replace")[...], object)
        return cells.astype(np.str_)
    return np.asarray(node[...]) if node.dtype.kind in "iufb" else None
