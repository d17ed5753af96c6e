"""What the package knows of data that weights have learned from and that is not here.

Beside weights of the zoo lies ``seen.npz``: marks of some channels of the windows learned from,
names of their groups, and for events their times and magnitudes. The windows themselves are left
with their publishers.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.marks import DIRECTIONS, Windows
from tsxfer.errors import StoreError

FILE = "seen.npz"
EQUAL = 2e-4  # a tenth of what marks may differ by where the windows are there to be compared


@dataclass(frozen=True, slots=True)
class Seen:
    """Windows that weights have learned from or were selected on.

    Attributes:
        length: Samples of a window.
        marks: ``(n, channel, direction)`` of the channels that are kept.
        groups: Names, each once.
        time: ``(n,)`` Unix time of their starts, NaN where unknown.
        magnitude: ``(n,)`` of their events; empty where they are no events.
    """

    length: int
    marks: NDArray[np.float32]
    groups: NDArray[np.str_]
    time: NDArray[np.float64]
    magnitude: NDArray[np.float64]


def write(path: Path, seen: Seen) -> None:
    """Keep it as arrays that need no unpickling."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            length=np.array(seen.length),
            marks=seen.marks,
            groups=seen.groups,
            time=seen.time,
            magnitude=seen.magnitude,
        )


def read(folder: Path) -> Seen | None:
    """What lies beside weights; None where nothing does.

    Raises:
        StoreError: If it is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as held:
            parts: dict[str, Any] = {name: held[name] for name in held.files}
            length = int(parts.pop("length"))
            return Seen(length=length, **parts)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"what weights have learned from cannot be read: {error}",
            where=str(path),
            mend="delete its folder and name the source again",
        ) from None


def found(seen: Seen, test: Windows) -> int:
    """How many test windows have a channel whose marks are those of one that was learned from."""
    from scipy.spatial import cKDTree

    flat = seen.marks.reshape(-1, DIRECTIONS)
    flat = flat[np.isfinite(flat).all(axis=1)]
    asked = test.marks[test.rows]
    told = np.isfinite(asked).all(axis=2)
    if seen.length != test.x.shape[2] or not len(flat) or not told.any():
        return 0
    near, _ = cKDTree(flat).query(asked[told], distance_upper_bound=EQUAL)
    hit = np.zeros(told.shape, np.bool_)
    hit[told] = np.isfinite(near)
    return int(hit.any(axis=1).sum())
