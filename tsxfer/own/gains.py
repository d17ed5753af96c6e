"""Windows whose samples are far larger than all others': another unit, or another gain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

APART = 2.5  # decades between neighbouring windows that nothing lies in: a factor of some 300
GROUPS_APART = 2.0  # between neighbouring groups, whose medians scatter less
FEWEST = 3  # groups, from which on one can be odd

Floats = NDArray[np.float64]


def said_of_gains(
    size: Floats, group: NDArray[np.str_] | None, names: NDArray[np.str_], channels: tuple[str, ...]
) -> tuple[str, ...]:
    """What is to be said where windows of a channel fall into two sizes with nothing between.

    Nature does so too (a sensor that was off), so this is said and not refused.

    Args:
        size: ``(n, channel)`` largest less smallest sample of each window; NaN or 0 is not looked
            at.
        group: ``(n,)`` names; None where none are known.
        names: ``(n,)`` what messages call each window.
        channels: Names.
    """
    for channel, spans in enumerate(size.T):
        there = np.isfinite(spans) & (spans > 0)
        logs, known = np.log10(spans[there]), names[there]
        odd = _odd(logs, APART)
        if not odd.any() and group is not None:
            odd = _odd_groups(logs, group[there])
        if odd.any():
            return (_sentence(channels[channel], logs, odd, str(known[int(np.argmax(odd))])),)
    return ()


def _odd(logs: Floats, apart: float) -> NDArray[np.bool_]:
    """The smaller part of what a gap of so many decades parts; none where there is no such gap."""
    none = np.zeros(len(logs), np.bool_)
    if len(logs) < FEWEST:
        return none
    ordered = np.sort(logs)
    steps = np.diff(ordered)
    at = int(np.argmax(steps))
    if steps[at] < apart:
        return none
    above = logs > ordered[at]
    return np.asarray(above if above.sum() * 2 <= len(logs) else ~above)


def _odd_groups(logs: Floats, group: NDArray[np.str_]) -> NDArray[np.bool_]:
    every, code = np.unique(group, return_inverse=True)
    middles = np.array([np.median(logs[code == at]) for at in range(len(every))])
    return np.asarray(_odd(middles, GROUPS_APART)[code])


def _sentence(channel: str, logs: Floats, odd: NDArray[np.bool_], first: str) -> str:
    away = float(np.median(logs[odd]) - np.median(logs[~odd]))
    return (
        f"{int(odd.sum())} of {len(odd)} windows of channel {channel} are some "
        f"{10 ** abs(away):.1g} times {'larger' if away > 0 else 'smaller'} than the others, "
        f"first {first}: another unit or gain? Bring all to one before you trust a score, or "
        "remove them"
    )
