"""Numbers that programs write where a sample is missing: ``-999``, ``1e20``, ``-32768``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.description import Description

NINES = [sign * (10.0**digits - 1) for digits in range(2, 8) for sign in (-1, 1)]
BOUNDS = [
    -32768.0,
    32767.0,
    -(2.0**31),
    2.0**31 - 1,
    65535.0,
    9.969209968386869e36,
    float(np.finfo(np.float32).max),
    -float(np.finfo(np.float32).max),
    -12345.0,
    -999.25,
]  # of 16 bits, int32; netCDF; float32; SAC; logs of wells
POWERS = [sign * 10.0**power for power in (10, 20, 30, 34, 35, 36, 37, 38) for sign in (-1, 1)]
KNOWN = np.array([*NINES, *BOUNDS, *POWERS])
TO_PREPARE = (
    "if it does, say --nan {value} --missing interpolate (or drop); if it is a sample, --nan none"
)
FIT = "fit again with --nan {value} --missing interpolate (or drop), and predict with that model"
LIKEWISE = "; if it is a sample, fit again with --nan none"
GAPS = "if it does, leave those cells of the file empty (NaN in arrays): as in the fit, "
TO_PREDICT = {
    "refuse": f"if it does, correct the file, or {FIT}{LIKEWISE}",
    "interpolate": f"{GAPS}they are filled in from their neighbours{LIKEWISE}",
    "drop": f"{GAPS}such windows are left out{LIKEWISE}",
}  # by `missing` of the fit, since `predict` takes no flags of a file
FAR = 10  # times the size of all other extremes: no signal goes there and nowhere between


def refuse_sentinel(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    described: Description,
    names: NDArray[np.str_],
    mend: str = TO_PREPARE,
) -> None:
    """Refuse what looks like a number that stands for missing samples.

    Args:
        low: ``(n, channel)`` smallest samples.
        high: ``(n, channel)`` largest samples.
        described: ``nan`` settles it.
        names: ``(n,)`` of the windows.
        mend: What helps, with ``{value}``.

    Raises:
        DataError: If the extremes of a channel are such a number, far from all others.
    """
    if described.nan:
        return
    for channel, (down, up) in enumerate(zip(low.T, high.T, strict=True)):
        for one, other in ((down, up), (up, down)):
            if (value := _found(one, other)) is not None:
                first = names[int(np.argmax(one == value))]
                raise _far(value, one == value, f"{first}, channel {channel + 1}", mend)


def _far(value: float, hit: NDArray[np.bool_], first: str, mend: str) -> DataError:
    return DataError(
        f"the sample {value:g} in {int(hit.sum())} of {len(hit)} windows is far from all others: "
        "does it stand for what is missing?",
        where=f"first in {first}",
        mend=mend.format(value=f"{value:.9g}"),
    )


def _found(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """The known number that is the outermost of a channel, far from what is not that number."""
    at = int(np.nanargmax(np.abs(one))) if np.isfinite(one).any() else 0
    value = float(one[at])
    if not np.isclose(value, KNOWN, rtol=1e-6, atol=0).any():
        return None
    rest = np.abs(np.concatenate([one, other]))
    rest = rest[np.isfinite(rest) & (rest < abs(value) * (1 - 1e-6))]
    return value if rest.size and rest.max() * FAR < abs(value) else None
