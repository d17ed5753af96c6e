"""Reading arrays that numpy wrote, whose faults become clear messages and which never run code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError


def read_array(path: Path, *, mend: str, mapped: Literal["r"] | None = None) -> NDArray[Any]:
    """The array of a ``.npy`` file.

    Args:
        path: The file.
        mend: What the message offers.
        mapped: ``r`` leaves the samples on disk until they are used.

    Raises:
        DataError: If it is damaged, holds Python objects or declares more than memory holds.
    """
    try:
        found: Any = np.load(path, mmap_mode=mapped, allow_pickle=False)
    except Exception as error:  # numpy reads headers as Python literals and passes on any fault
        raise DataError(
            f"{path.name} is no plain array: {error}", where=str(path), mend=mend
        ) from error
    if not isinstance(found, np.ndarray):
        raise DataError(f"{path.name} is an archive, not an array", where=str(path), mend=mend)
    if broken_text(found):
        raise DataError(f"{path.name} holds what is no text", where=str(path), mend=mend)
    return found


def broken_text(array: NDArray[Any]) -> bool:
    """Whether a text array holds numbers that are no characters: Python fails on them, late."""
    if array.dtype.kind != "U" or not array.size or not array.dtype.itemsize:
        return False
    codes = np.frombuffer(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))), "u4")
    return bool(((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any())
