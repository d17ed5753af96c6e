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
        x: Array, column or variable that holds the samples, where it is not called ``x``.
        axes: Order of the axes of an array of windows: ``channel,time`` or ``time,channel``; ""
            asks where the shape is implausible.
        header: ``yes`` or ``no``: whether the first line of a text table names the columns; ""
            decides.
        missing: What becomes of samples that are missing: ``refuse``, ``interpolate`` or ``drop``.
        lengths: What becomes of windows of unequal length: ``refuse``, ``pad`` or ``crop``.
        resample: Samples a second to resample to; 0 keeps the file's own.
        window: Length of the windows that a long recording is cut into, ``2s`` or a number of
            samples.
        step: From one such window to the next, as `window`; the window itself by default.
        pattern: Names of files in a folder, e.g. ``{label}_{group}_{n}.wav``.
        intervals: A second file with start, end and label of each stretch of a recording.
        test: A second file, or the array or column that tells windows of the official test part.
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
    x: str = ""
    axes: Literal["", "channel,time", "time,channel"] = ""
    header: Literal["", "yes", "no"] = ""
    missing: Literal["refuse", "interpolate", "drop"] = "refuse"
    lengths: Literal["refuse", "pad", "crop"] = "refuse"
    resample: float = 0.0
    window: str = ""
    step: str = ""
    pattern: str = ""
    intervals: str = ""
    test: str = ""

    def __post_init__(self) -> None:
        for name in ("rate", "margin", "resample"):
            if getattr(self, name) < 0:
                raise SpecError(
                    f"{name} = {getattr(self, name)} is negative", mend=f"give {name} above 0"
                )


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        x: ``(n, channel, time)`` in the file's own type, not yet checked for NaN: an array, or what
            is sliced like one along its first axis (``np.memmap``), so that large files need no
            memory.
        y: ``(n,)`` labels as found: text or numbers.
        group: ``(n,)`` group names, or None where the file names none.
        channels: Names.
        label: Name of the label in the file.
        group_name: Name of the group in the file, "" without one.
        task: What the file itself declares: ``classification``, ``regression`` or "".
        rate: Samples a second that the file itself states, in Hz; 0 where it does not.
        part: ``(n,)`` ``train`` or ``test``, the official split of the data; None where there is
            none.
        notes: What was guessed or changed while reading, each with the flag that settles it.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    group: NDArray[np.str_] | None
    channels: tuple[str, ...]
    label: str
    group_name: str
    task: str = ""
    rate: float = 0.0
    part: NDArray[np.str_] | None = None
    notes: tuple[str, ...] = ()
