"""Reading arrays that numpy wrote, whose faults are told in words and which never run code."""

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
    return found
