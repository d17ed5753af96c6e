"""MATLAB files: version 5 with scipy, 7.3 with h5py. No objects are made of what they hold."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data import hdf5
from tsxfer.own.arrays import content_of_arrays
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.faults import unreadable

HDF5 = b"\x89HDF\r\n\x1a\n"


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows, labels and groups of a file's variables, which flags name.

    Raises:
        DataError: If it is no such file, or its variables do not fit together.
    """
    del scratch
    arrays = _version_7(path) if _is_hdf5(path) else _version_5(path)
    arrays = {name: array for name, array in arrays.items() if name not in described.ignore}
    return content_of_arrays(arrays, described, path)


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(1024)
    return HDF5 in (head[:8], head[512:520])


def _version_5(path: Path) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat

    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            found = loadmat(
                file, struct_as_record=True, squeeze_me=False, verify_compressed_data_integrity=True
            )
    except Exception as error:  # scipy passes on any fault of a damaged file
        raise unreadable(path, error) from None
    whole = {name: value for name, value in found.items() if not name.startswith("__")}
    named = {name: _plain(value) for name, value in _opened(whole).items()}
    return {name: array for name, array in named.items() if array is not None}


def _opened(found: dict[str, Any]) -> dict[str, Any]:
    """Fields of a structure in place of it: ``data.X`` is X, or ``data.X`` where X is taken."""
    opened: dict[str, Any] = {}
    for name, value in found.items():
        one = isinstance(value, np.ndarray) and value.dtype.names and value.size == 1
        fields = {key: value.reshape(-1)[0][key] for key in value.dtype.names} if one else {}
        for key, inner in fields.items():
            opened[f"{name}.{key}" if key in opened or key in found else key] = inner
        if not fields:
            opened[name] = value
    return opened


def _plain(value: Any) -> NDArray[Any] | None:
    """Numbers and text; a cell array of text becomes text; structures and objects are left out."""
    if not isinstance(value, np.ndarray):
        return None
    if value.dtype.kind in "iufbU":
        return value
    if value.dtype.kind != "O":
        return None
    cells = [
        cell.ravel() if isinstance(cell, np.ndarray) else np.array([]) for cell in value.ravel()
    ]
    if all(cell.size == 1 and cell.dtype.kind in "U" for cell in cells) and cells:
        return np.array([str(cell[0]) for cell in cells]).reshape(value.shape)
    return _windows(value)


def _windows(value: NDArray[Any]) -> NDArray[Any] | None:
    """A cell array of windows as ``(n, channel, time)``; behind shorter ones stands NaN.

    Where they are unequal along one axis, that axis is time.
    """
    cells = list(value.reshape(-1))
    plain = all(isinstance(c, np.ndarray) and c.dtype.kind in "iufb" and c.ndim == 2 for c in cells)
    if not plain or not cells:
        return None
    if len({cell.shape for cell in cells}) == 1:
        return np.stack(cells)
    if len({cell.shape[1] for cell in cells}) == 1:  # time comes first
        cells = [cell.T for cell in cells]
    if len({cell.shape[0] for cell in cells}) > 1:
        return None
    out = np.full((len(cells), cells[0].shape[0], max(c.shape[1] for c in cells)), np.nan)
    for row, cell in enumerate(cells):
        out[row, :, : cell.shape[1]] = cell
    return out


def _version_7(path: Path) -> dict[str, NDArray[Any]]:
    """Variables in MATLAB's order of axes: HDF5 holds them turned."""
    import h5py

    with hdf5.opened(path) as file:
        found = {}
        for name in _names(file):
            node = file.get(name, getlink=True)
            if isinstance(node, h5py.ExternalLink | h5py.SoftLink) or name.startswith("#"):
                continue
            array = _variable(file, file[name])
            if array is not None:
                short = name.rpartition("/")[2]
                found[name.replace("/", ".") if short in found or short in file else short] = array
        return found


def _names(file: Any) -> list[str]:
    """Variables, and fields of structures, which HDF5 holds as groups."""
    import h5py

    found: list[str] = []
    for name in file:
        plain = not isinstance(file.get(name, getlink=True), h5py.ExternalLink | h5py.SoftLink)
        inside = plain and not name.startswith("#") and isinstance(file[name], h5py.Group)
        found += [f"{name}/{key}" for key in file[name]] if inside else [name]
    return found


def _variable(file: Any, node: Any) -> NDArray[Any] | None:
    import h5py

    if not isinstance(node, h5py.Dataset) or node.external or node.is_virtual:
        return None
    kind = hdf5.attribute(node, "MATLAB_class")
    if node.dtype.kind in "iuf" and kind != "char" and "MATLAB_empty" not in node.attrs:
        return np.asarray(node[...]).T
    if kind == "char" and node.dtype.kind in "iu":
        return _text(np.asarray(node[...]).T)
    if node.dtype.kind == "O" and h5py.check_ref_dtype(node.dtype) is h5py.Reference:
        cells = [_cell(file, reference) for reference in node[...].T.ravel()]
        return np.array(cells).reshape(node.shape[::-1]) if None not in cells and cells else None
    return None


def _cell(file: Any, reference: Any) -> str | None:
    import h5py

    node = file[reference] if reference else None
    if (
        not isinstance(node, h5py.Dataset)
        or node.dtype.kind not in "iu"
        or node.external
        or node.is_virtual
    ):
        return None
    rows = _text(np.asarray(node[...]).T)
    return str(rows[0]) if len(rows) == 1 else None


def _text(codes: NDArray[Any]) -> NDArray[np.str_]:
    """Rows of a character array."""
    return np.array(["".join(map(chr, row)).rstrip() for row in np.atleast_2d(codes).tolist()])
