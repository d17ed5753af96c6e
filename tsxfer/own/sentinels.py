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
FAR = 10  # times the size of all other extremes: no signal goes there and nowhere between


def refuse_sentinel(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    described: Description,
    names: NDArray[np.str_],
) -> None:
    """Refuse what looks like a number that stands for missing samples.

    Args:
        low: ``(n, channel)`` smallest samples.
        high: ``(n, channel)`` largest samples.
        described: ``nan`` settles it.
        names: ``(n,)`` of the windows.

    Raises:
        DataError: If the extremes of a channel are such a number, far from all others.
    """
    if described.nan:
        return
    for channel, (down, up) in enumerate(zip(low.T, high.T, strict=True)):
        for one, other in ((down, up), (up, down)):
            if (value := _found(one, other)) is not None:
                raise _far(value, one == value, f"{{}}, channel {channel + 1}", names)


def _far(value: float, hit: NDArray[np.bool_], where: str, names: NDArray[np.str_]) -> DataError:
    return DataError(
        f"the sample {value:g} in {int(hit.sum())} of {len(hit)} windows is far from all others: "
        "does it stand for what is missing?",
        where=f"first in {where.format(names[int(np.argmax(hit))])}",
        mend=f"if it does, say --nan {value:.9g} --missing interpolate (or drop); if it is a "
        "sample, --nan none",
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
