"""Windows in another unit than those that a model was fitted on: told by their size."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.scale import Scaler
from tsxfer.errors import DataError, SpecError

FAR, SPREADS = 50.0, 4.0  # times as large or small, and standard deviations of the logarithm


def to_scale(
    x: NDArray[np.float64],
    scale: float | None,
    scaler: Scaler,
    taken_off: tuple[float, ...],
    where: str,
) -> NDArray[np.float64]:
    """Windows multiplied by what the user says, or looked at where nothing is said.

    A window is divided by its largest sample, whose logarithm is fed beside it, so a model sees
    the size of windows and answers otherwise when they come in millivolts for microvolts.

    Args:
        x: ``(n, channel, time)`` in the unit of the file.
        scale: To the unit of the data that the model was fitted on; 1 says that it is that unit,
            None that nothing is known.
        scaler: Of the model; it has the size of the training windows.
        taken_off: Level of each channel that the model takes off first; () for none.
        where: For messages.

    Raises:
        DataError: If nothing is said, and the median of the largest samples is far from all that
            the model was fitted on: `FAR` times, and `SPREADS` standard deviations.
        SpecError: If `scale` is no number above 0.
    """
    if scale is not None and not (math.isfinite(scale) and scale > 0):
        raise SpecError(f"--scale {scale} is no factor", mend="e.g. --scale 1000")
    if scale is not None:
        return x * scale
    level = np.array(taken_off or (0.0,) * x.shape[1])[:, None]
    peaks = np.abs(x - level)[:, list(scaler.channels)].max(axis=(1, 2))
    shift = _shift(peaks, scaler)
    if abs(shift) > max(math.log10(FAR), SPREADS * scaler.extra_sd):
        raise _other_unit(float(np.median(peaks[peaks > 0])), shift, scaler, where)
    return x


def _shift(peaks: NDArray[np.float64], scaler: Scaler) -> float:
    """Decimal logarithm of how much larger windows are than those of the training; 0 if unknown.

    Only the strict profile's scaler knows; windows of nothing but zeros have no size.
    """
    peaks = peaks[peaks > 0]
    if scaler.kind != "peak" or not len(peaks) or scaler.extra_mean < -11:
        return 0.0
    return float(np.median(np.log10(peaks)) - scaler.extra_mean)


def _other_unit(found: float, shift: float, scaler: Scaler, where: str) -> DataError:
    times = f"{10 ** abs(shift):,.3g} times {'larger' if shift > 0 else 'smaller'}"
    back = 10.0 ** -(3 * round(shift / 3) or round(shift))  # units mostly differ by thousands
    return DataError(
        f"windows are {times} than those that the model was fitted on: their largest samples are "
        f"about {found:.3g}, there {10**scaler.extra_mean:.3g}; is the file in another unit?",
        where=where,
        mend=f"if it is, say what its samples are multiplied by, e.g. --scale {back:g}; if it is "
        "not, --scale 1",
    )
