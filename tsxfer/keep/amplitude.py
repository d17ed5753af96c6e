"""Whether windows to predict have the size of those that a model was fitted on.

Each window is divided by its own size before the network sees it, so another unit leaves its shape
alone. But the logarithm of the size is fed beside it (`tsxfer.data.scale.Scaler`, kind ``peak``),
and far from the sizes of training that number alone can turn an answer.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.scale import Scaler
from tsxfer.errors import SpecError

FAR_SD = 6.0  # standard deviations of the sizes of training
FAR_DECADES = 1.5  # a factor of some 30: weaker signals of the same kind are rarely that far
UNITS = {3: "mV instead of µV", 6: "V instead of µV"}


def other_size(x: NDArray[np.float64], taken_off: tuple[float, ...], scaler: Scaler) -> str:
    """What is to be said where windows are far smaller or larger than those of training; else "".

    Args:
        x: ``(n, channel, time)`` in the unit of the file.
        taken_off: Level that each channel loses before it is scaled; () for none.
        scaler: Of the model.
    """
    if not len(x) or not scaler.amplitude or scaler.kind != "peak":
        return ""
    off = np.array(taken_off or (0.0,) * x.shape[1])[:, None]
    size = np.log10(np.abs((x - off)[:, list(scaler.channels)]).max(axis=(1, 2)) + 1e-12)
    away = float(np.median(size)) - scaler.extra_mean
    deviations = abs(away) / scaler.extra_sd
    if abs(away) < FAR_DECADES or deviations < FAR_SD:
        return ""
    unit = UNITS.get(round(abs(away)), "")
    guess = f" (such as {unit}, or the reverse)" if unit else ""
    return (
        f"windows are {10 ** abs(away):.2g} times {'larger' if away > 0 else 'smaller'} than those "
        f"that the model was fitted on, {deviations:.0f} standard deviations away: is the file in "
        f"another unit{guess}? The size of a window is an input of the model, so these predictions "
        f"may be wrong: if it is, multiply its samples by {_back(away):g} "
        f"(--scale {_back(away):g}; --scale 1 says that they are right)"
    )


def _back(away: float) -> float:
    """The factor that undoes a shift of the decimal logarithm; units mostly differ by thousands."""
    thousands = 3 * round(away / 3)
    return 10.0 ** -(thousands if abs(away - thousands) < 0.75 and thousands else round(away))


def rescaled(x: NDArray[np.float64], scale: float | None) -> NDArray[np.float64]:
    """Windows multiplied by what ``--scale`` says, None for nothing.

    Raises:
        SpecError: If that is no number above 0.
    """
    if scale is None:
        return x
    if not (math.isfinite(scale) and scale > 0):
        raise SpecError(f"--scale {scale} is no factor", mend="e.g. --scale 1000")
    return x * scale
