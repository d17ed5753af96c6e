"""Reading HDF5 files whose faults become clear messages, not as a traceback of h5py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tsxfer.data.reading import plain
from tsxfer.data.series import Floats
from tsxfer.errors import DataError


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """An open ``h5py.File``; what h5py raises inside the block becomes a `DataError`."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise _fault(path, error) from error


def _fault(path: Path, error: Exception) -> DataError:
    """One cause, one mend: no file of 85 GB is deleted because another program has it open."""
    said, size = str(error), path.stat().st_size
    if "unable to lock file" in said:
        return DataError(
            f"{path.name} is locked: another program has it open for writing, or the file system "
            "knows no locks",
            where=str(path),
            mend="close that program; on a file system without locks: "
            "export HDF5_USE_FILE_LOCKING=FALSE",
        )
    if isinstance(error, PermissionError) or "Permission denied" in said:
        return DataError(
            f"{path.name} may not be read by this user", where=str(path), mend=f"chmod u+r {path}"
        )
    if isinstance(error, MemoryError):
        return DataError(
            f"{path.name} needs more memory than there is", where=str(path), mend="free some memory"
        )
    if size and "file signature not found" in said:
        return DataError(
            f"{path.name} ({size:,} bytes) is no HDF5 file",
            where=str(path),
            mend="give the file that the data set's page names",
        )
    return DataError(
        f"{path.name} ({size:,} bytes) is no complete HDF5 file: {said}",
        where=str(path),
        mend="compare its size with the publisher's; fetch it again if the download stopped early",
    )


def group_at(file: Any, name: str) -> Any:
    """The group of that name.

    Raises:
        DataError: If the file has none; it says what the file has.
    """
    import h5py

    group = file.get(name)
    if not isinstance(group, h5py.Group) or group.file.filename != file.file.filename:
        raise DataError(
            f"no group {name!r}; the file has {', '.join(sorted(file)[:6]) or 'nothing'}",
            where=file.file.filename,
            mend="look whether this is the file that the data set's page names",
        )
    return group


def trace_at(group: Any, name: str) -> Any:
    """The trace of that name.

    Raises:
        DataError: If it is a link into another file: a data set must not read what else lies there.
    """
    import h5py

    if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
        raise DataError(
            f"the trace {name!r} is a link into another file, which is not followed",
            where=group.file.filename,
            mend="give files that hold their own traces",
        )
    return group[name]


def node_at(file: Any, name: str) -> Any:
    """The data set of that path, whose samples lie in this file.

    Raises:
        DataError: If it is none, or a link or samples lead into another file.
    """
    import h5py

    group = file
    *folders, last = name.strip("/").split("/")
    for folder in folders:
        group = group_at(group, folder)
    node = trace_at(group, last) if last in group else None
    if not isinstance(node, h5py.Dataset) or node.dtype.kind not in "fiu":
        raise DataError(
            f"{name!r} is no data set of numbers",
            where=file.filename,
            mend="look whether metadata and waveforms belong together",
        )
    _refuse_elsewhere(node)
    return node


def samples(node: Any, shape: tuple[int, int]) -> Floats:
    """The samples of a trace as float32.

    Raises:
        DataError: If the trace has another shape or holds no numbers.
    """
    found, kind = getattr(node, "shape", None), getattr(node, "dtype", np.dtype("O")).kind
    if found != shape or kind not in "fiu":
        raise DataError(
            f"the trace has shape {found} and kind {kind!r}, not numbers of shape {shape}",
            where=at(node),
            mend="repair or remove that trace, or fetch the file again",
        )
    _refuse_elsewhere(node)
    return np.asarray(node[...], np.float32)


def _refuse_elsewhere(node: Any) -> None:
    if node.external or node.is_virtual:
        raise DataError(
            "the samples lie in another file, which is not followed",
            where=at(node),
            mend="give files that hold their own traces",
        )


def attribute(node: Any, name: str) -> Any:
    """An attribute as a plain Python value, however it was written; None where it is missing."""
    return plain(node.attrs[name]) if name in node.attrs else None


def at(node: Any) -> str:
    """File and trace, for messages."""
    return f"{node.file.filename}, trace {node.name}"
