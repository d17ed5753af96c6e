"""What a reader returns: blocks of windows with labels, groups and times, checked when built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError

Floats: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = NDArray[np.float32] | NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Series:
    """A block of instances; a reader yields one or many, so that memory stays flat.

    Attributes:
        x: float32 ``(n, channel, time)``, in the units and at the rate of the files.
        y: ``(n,)``: class names (str) or numbers in the card's unit.
        group: ``(n,)`` names of what must not be on both sides of a split: event, speaker,
            subject, session, ticker.
        uid: ``(n,)`` unique names, for messages and for overlap checks.
        rate_hz: Sampling rate of `x` in Hz.
        time_start: ``(n,)`` seconds on any clock the set shares (Unix time where known);
            NaN where unknown. Needed for splits in time.
        time_end: As `time_start`; the end of what the instance *and its label* have seen.
        part: ``(n,)`` ``train`` or ``test``, where the data has an official split.

    Raises:
        DataError: On disagreeing lengths, non-finite samples or labels, or empty groups.
    """

    x: Floats
    y: Labels
    group: NDArray[np.str_]
    uid: NDArray[np.str_]
    rate_hz: float
    time_start: NDArray[np.float64] | None = None
    time_end: NDArray[np.float64] | None = None
    part: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        if self.x.ndim != 3 or self.x.dtype != np.float32:
            raise DataError(
                f"x is {self.x.dtype} {self.x.shape}, not float32 (n, channel, time)",
                mend="transpose or cast it in the reader",
            )
        for name in ("y", "group", "uid", "time_start", "time_end", "part"):
            column = getattr(self, name)
            if column is not None and column.shape != (len(self.x),):
                raise DataError(
                    f"{name} has shape {column.shape}, x has {len(self.x)} instances",
                    mend="give one value an instance",
                )
        self._refuse_where(
            np.asarray(~np.isfinite(self.x).all(axis=(1, 2))), "a sample that is NaN or infinite"
        )
        if self.y.dtype.kind == "f":
            self._refuse_where(~np.isfinite(self.y), "a label that is NaN or infinite")
        else:
            self._refuse_where(self.y == "", "an empty class name")
        self._refuse_where(self.group == "", "an empty group name")

    def _refuse_where(self, bad: NDArray[np.bool_], what: str) -> None:
        if bad.any():
            first = int(np.argmax(bad))
            raise DataError(
                f"{int(bad.sum())} of {len(self.x)} instances have {what}",
                where=f"first in {self.uid[first]}",
                mend="repair or remove that record in the files, then prepare again",
            )

    def __len__(self) -> int:
        return len(self.x)
