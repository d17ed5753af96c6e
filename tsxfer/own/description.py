"""What a user says of a file: flags of the commands, or the card beside the file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

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
        margin: Smallest difference of it that matters; 0.02, or a twentieth of the labels' sd.
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
        nan: A number that stands for samples which are missing, such as ``-999``; ``none`` where
            such a number is a sample.
        missing: What becomes of samples that are missing: ``refuse``, ``interpolate`` or ``drop``.
        lengths: What becomes of windows of unequal length: ``refuse``, ``pad`` or ``crop``.
        resample: Samples a second to resample to; 0 keeps the file's own.
        window: Length of the windows that a long recording is cut into, ``2s`` or a number of
            samples.
        step: From one such window to the next, as `window`; the window itself by default.
        pattern: Names of files in a folder, e.g. ``{label}_{group}_{n}.wav``.
        intervals: A second file with start, end and label of each stretch of a recording.
        test: A second file, or the array or column that tells windows of the official test part.
        columns: Columns that hold the samples, in order; what a fitted model's card says of the
            file that it was fitted on, so that no other column is mistaken for one.
        windows_axis: Axis of an array that counts windows, from 0; as `columns`, what a fitted
            model's card says: without labels nothing else tells it.
        unlabelled: The windows alone are wanted, as `tsxfer predict` does; labels may be missing.
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
    nan: str = ""
    missing: Literal["refuse", "interpolate", "drop"] = "refuse"
    lengths: Literal["refuse", "pad", "crop"] = "refuse"
    resample: float = 0.0
    window: str = ""
    step: str = ""
    pattern: str = ""
    intervals: str = ""
    test: str = ""
    columns: tuple[str, ...] = ()
    windows_axis: int = 0
    unlabelled: bool = False

    def __post_init__(self) -> None:
        for name in ("rate", "margin", "resample"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SpecError(
                    f"{name} = {getattr(self, name)} is no number of 0 or more",
                    mend=f"give {name} above 0, or leave it out",
                )
        if self.nan not in ("", "none") and _not_finite(self.nan):
            raise SpecError(
                f"--nan {self.nan!r} is no number", mend="e.g. --nan -999, or --nan none"
            )


def _not_finite(text: str) -> bool:
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return True
