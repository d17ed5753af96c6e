"""Events of two catalogues that are one: by time and magnitude, above what chance gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SECONDS, MAGNITUDES = 60.0, 0.5  # by which two catalogues may tell of one event
SHIFTS = np.array([s * h * 3600.0 for h in range(3, 53) for s in (-1, 1)])


def same_events(
    time: NDArray[np.float64],
    magnitude: NDArray[np.float64],
    test_time: NDArray[np.float64],
    test_magnitude: NDArray[np.float64],
) -> int:
    """Test windows whose time and magnitude are those of an event that the source has.

    Two large catalogues agree on some by chance. So the same count is made with the source's clock
    set wrong by 3 to 52 hours, a hundred times; what is not well above the largest of those is 0.

    Args:
        time: Start of each source window in seconds of Unix time; NaN where unknown.
        magnitude: Of its event.
        test_time: As `time`, of the test part.
        test_magnitude: As `magnitude`.
    """
    known, asked = np.isfinite(time), np.isfinite(test_time)
    if not known.any() or not asked.any():
        return 0
    order = np.argsort(time[known])
    events = time[known][order], magnitude[known][order]
    tested = test_time[asked], test_magnitude[asked]
    found = _agreeing(*events, *tested)
    chance = max(_agreeing(events[0] + shift, events[1], *tested) for shift in SHIFTS)
    return found if found > 2 * chance + 2 else 0


def _agreeing(
    time: NDArray[np.float64],
    magnitude: NDArray[np.float64],
    test_time: NDArray[np.float64],
    test_magnitude: NDArray[np.float64],
) -> int:
    """How many test windows have an event within both tolerances; `time` is sorted."""
    first = np.searchsorted(time, test_time - SECONDS)
    last = np.searchsorted(time, test_time + SECONDS, side="right")
    return sum(
        bool((np.abs(magnitude[a:b] - m) <= MAGNITUDES).any())
        for a, b, m in zip(first, last, test_magnitude, strict=True)
        if b > a
    )
