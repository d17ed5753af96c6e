"""Arrays of windows, labels and groups in an HDF5 file, by name, as in an ``.npz``."""

from __future__ import annotations

from dataclasses import replace
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
USUAL = {"scale_factor": 1.0, "add_offset": 0.0, "_FillValue": None, "missing_value": None}


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows, labels and groups of the file's data sets; a MATLAB file is read as such.

    Raises:
        DataError: If it is no such file, a table of pandas, or its arrays do not fit together.
    """
    with hdf5.opened(path) as file:
        nodes = _nodes(file, path)
        turned = any("MATLAB_class" in node.attrs for node in nodes.values())
        arrays = {} if turned else {name: _array(node) for name, node in nodes.items()}
        facts = [file.attrs, *(node.attrs for node in nodes.values())]
        stated = {name: value for each in facts for name, value in _numbers(each).items()}
        notes = [note for name, node in nodes.items() for note in _unapplied(name, node)]
    if turned:
        return matlab.read(path, described, scratch)
    found = {n: a for n, a in arrays.items() if a is not None and n not in described.ignore}
    made = content_of_arrays(stated | found, described, path)
    return replace(made, notes=(*made.notes, *notes))


def _numbers(facts: Any) -> dict[str, NDArray[Any]]:
    """Attributes that are one number each, such as a rate."""
    found = {name: np.asarray(facts[name]) for name in facts}
    return {n: value for n, value in found.items() if value.size == 1 and value.dtype.kind in "iuf"}


def _unapplied(name: str, node: Any) -> list[str]:
    """What netCDF and alike state of the numbers of an array, which are read as they stand."""
    stated = {key: value.item() for key, value in _numbers(node.attrs).items() if key in USUAL}
    odd = {key: value for key, value in stated.items() if value != USUAL[key]}
    fill = "; --nan says which number stands for missing samples" if "_FillValue" in odd else ""
    shown = ", ".join(f"{key} {value:g}" for key, value in odd.items())
    return (
        [f"{name} states {shown}: not applied, numbers are read as they stand{fill}"] if odd else []
    )


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
