"""Arrays of windows, labels and groups in an HDF5 file, wherever they lie in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data import hdf5
from tsxfer.errors import DataError
from tsxfer.own.arrays import content_of_arrays
from tsxfer.own.content import Content
from tsxfer.own.description import Description

ENDINGS = (".h5", ".hdf5")


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows, labels and groups of the arrays, in the order of axes that the file has.

    Raises:
        DataError: If it is no such file, or its arrays do not fit together.
    """
    del scratch
    found = {n: a for n, a in _arrays(path).items() if n not in described.ignore}
    return content_of_arrays(found, described, path)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Numbers and text by the last part of their names, or the whole name where two share it.

    Links are not followed: they may lead to other files.
    """
    with hdf5.opened(path) as file:
        names: list[str] = []
        file.visititems(lambda name, node: names.append(name) if _is_array(node) else None)
        if any("pandas_type" in file[key].attrs for key in file if _is_group(file, key)):
            raise DataError(
                f"{path.name} is a table as pandas.to_hdf writes it",
                where=str(path),
                mend="save it as parquet: pandas.read_hdf(FILE).to_parquet('mine.parquet')",
            )
        shorts = [name.rpartition("/")[2] for name in names]
        return {
            short if shorts.count(short) == 1 else name.replace("/", "."): _plain(file[name])
            for name, short in zip(names, shorts, strict=True)
        }


def _is_array(node: Any) -> bool:
    import h5py

    if not isinstance(node, h5py.Dataset) or node.external or node.is_virtual:
        return False  # it may read other files
    return bool(node.shape and node.size) and (
        node.dtype.kind in "iufb" or bool(h5py.check_string_dtype(node.dtype))
    )


def _is_group(file: Any, key: str) -> bool:
    import h5py

    return isinstance(file.get(key, getlink=True), h5py.HardLink) and isinstance(
        file[key], h5py.Group
    )


def _plain(node: Any) -> NDArray[Any]:
    import h5py

    if h5py.check_string_dtype(node.dtype):
        return np.asarray(node.asstr(errors="replace")[()]).astype(np.str_)
    return np.asarray(node[()])
