"""What a user says of a file, and what a file holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import SpecError


@dataclass(frozen=True, slots=True)
class Description:
    """What a user says of a file; the same names as flags, or in ``mine.toml`` beside ``mine.csv``.

    Attributes:
        label: Column (csv, parquet) or array (npz) of labels.
        group: Column or array that names what must stay on one side of a split.
        rate: Samples a second; 0 where unknown, and times then count samples.
        task: Where the labels alone would be read otherwise.
        metric: Primary metric; macro F1 or MAE by default.
        margin: Difference of it that nobody cares about; 0.02, or a twentieth of the labels' sd.
        unit: Of a regression label.
        domain: For tables.
        licence: Terms of the data.
        cite: What to cite.
        ignore: Columns that are neither samples nor label nor group.
    """

    label: str = ""
    group: str = ""
    rate: float = 0.0
    task: Literal["", "classification", "regression"] = ""
    metric: str = ""
    margin: float = 0.0
    unit: str = ""
    domain: str = "own"
    licence: str = "not stated"
    cite: str = "not stated"
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("rate", "margin"):
            if getattr(self, name) < 0:
                raise SpecError(
                    f"{name} = {getattr(self, name)} is negative", mend=f"give {name} above 0"
                )


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        x: ``(n, channel, time)``, not yet checked for NaN.
        y: ``(n,)`` labels as found: text or numbers.
        group: ``(n,)`` group names, or None where the file names none.
        channels: Names.
        label: Name of the label in the file.
        group_name: Name of the group in the file, "" without one.
        task: What the file itself declares: ``classification``, ``regression`` or "".
    """

    x: NDArray[Any]
    y: NDArray[Any]
    group: NDArray[np.str_] | None
    channels: tuple[str, ...]
    label: str
    group_name: str
    task: str = ""
