"""Samples that are hardly a signal: clocks, copies, clipping, and numbers that stand for nothing.

Nature may do the same, so these are said and not refused; a look at some windows is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.content import Content
from tsxfer.own.survey import blocks, own_samples

LOOKED_AT = 200  # windows
FEWEST = 8  # samples of a window, from which on it tells anything
EVEN = 1e-4  # share by which steps of a clock differ, in the precision that files have
STAYS, LEVELS = 3, 100  # samples that stay at a bound, and values of a signal that is not coarse
FAR, OFTEN = 10.0, 3  # times the range of all others; windows that a stand-in is in, at least
COUNTED = 10  # windows, whose numbers in a row are no chance
LIMITS = {2.0**bits - low for bits in (15, 23, 31) for low in (0, 1)}  # of whole numbers
WRAP = 65536.0  # values of 16 bits

Floats = NDArray[np.float64]


def of_samples(content: Content) -> tuple[str, ...]:
    """What is to be said of the first windows."""
    first = next(blocks(content.x), slice(0, 0))  # of long windows fewer: memory holds them
    x = own_samples(content, slice(0, min(LOOKED_AT, first.stop)))
    if len(x) < OFTEN or x.shape[2] < FEWEST or np.isnan(x).all():
        return ()
    return (*_clocks(x, content), *_copies(x, content), *_bounds(x, content), *_wraps(x, content))


def refuse_index(content: Content, name: str) -> None:
    """Refuse windows whose first or last sample counts the windows: an index is no sample.

    Raises:
        DataError: If it does so.
    """
    count = min(LOOKED_AT, next(blocks(content.x)).stop)
    if content.x.shape[2] < FEWEST or count < COUNTED:
        return
    x = np.array(content.x[:count], np.float64)
    for channel, sample in ((0, 0), (-1, -1)):
        if (np.diff(x[:, channel, sample]) == 1).all():
            place = "first" if sample == 0 else "last"
            raise DataError(
                f"the {place} sample of each window counts the windows ({x[0, channel, sample]:g}, "
                f"{x[1, channel, sample]:g}, ...): an index, no sample",
                where=name,
                mend="leave that column out of the file, or out of a table with --ignore NAME (its "
                "position, from 0, where there is no header)",
            )


def _clocks(x: Floats, content: Content) -> Iterator[str]:
    """Channels that rise or fall by one step, or that are the same in all windows."""
    for at, name in enumerate(content.channels):
        step = np.diff(x[:, at], axis=1)
        usual = step[:, :1]
        one_way = bool((usual > 0).all() or (usual < 0).all())
        even = one_way and bool((np.abs(step - usual) <= EVEN * np.abs(usual)).all())
        same = bool((x[:, at] == x[:1, at]).all()) and bool(np.ptp(x[0, at]) > 0)
        if even or same:
            how = "goes in equal steps in every window" if even else "is the same in every window"
            yield (
                f"channel {name} {how}: is it a clock or a counter? Then leave it out of the file, "
                "or with --ignore or --x"
            )


def _copies(x: Floats, content: Content) -> Iterator[str]:
    """Channels that hold the same samples as another."""
    seen: dict[bytes, str] = {}
    for at, name in enumerate(content.channels):
        other = seen.setdefault(x[:, at].tobytes(), name)
        if other != name and bool((np.ptp(x[:, at], axis=1) > 0).any()):
            yield f"channels {other} and {name} hold the same samples: is one of them meant?"


def _bounds(x: Floats, content: Content) -> Iterator[str]:
    """Windows that stay at the largest or smallest sample of all, but 0."""
    for at, name in enumerate(content.channels):
        values = x[:, at]
        if len(np.unique(values[np.isfinite(values)])) < LEVELS:
            continue
        for bound, which in ((np.nanmax(values), "largest"), (np.nanmin(values), "smallest")):
            hits = _stays(values == bound, 1 if abs(bound) in LIMITS else STAYS)
            if bound and hits >= OFTEN:
                yield (
                    f"{hits} of {len(x)} windows of channel {name} stay at {bound:g}, the {which} "
                    "of all: was the sensor at its limit?"
                )


def _stays(at: NDArray[np.bool_], samples: int) -> int:
    """Windows in which so many neighbours are all at the bound."""
    runs: NDArray[np.bool_] = np.lib.stride_tricks.sliding_window_view(at, samples, axis=1)
    return int(runs.all(axis=2).max(axis=1).sum())


def _wraps(x: Floats, content: Content) -> Iterator[str]:
    """Whole numbers of 16 bits that jump from one end to the other: the count overflowed."""
    for at, name in enumerate(content.channels):
        values = x[:, at][np.isfinite(x[:, at]).all(axis=1)]
        if not len(values):
            continue
        step = np.abs(np.diff(values, axis=1))
        jumps = int((step > 0.75 * WRAP).sum())
        small = np.median(step) < WRAP / 4
        if jumps >= OFTEN and small and np.abs(values).max() <= WRAP:
            yield (
                f"channel {name} jumps by some {WRAP:g} {jumps} times in {len(x)} windows: whole "
                "numbers of 16 bits that overflowed? Save it in 32 bits, or unwrap it"
            )


def far_values(low: Floats, high: Floats, channels: tuple[str, ...]) -> tuple[str, ...]:
    """One value that several windows reach exactly, with nothing near it.

    Args:
        low: ``(n, channel)`` smallest samples of each window.
        high: Largest.
        channels: Names.
    """
    notes = []
    for name, *ends in zip(channels, low.T, high.T, strict=True):
        every = np.concatenate(ends)
        every = np.sort(every[np.isfinite(every)])
        for value in (every[0], every[-1]) if len(every) else ():
            hits = int((ends[0 if value == every[0] else 1] == value).sum())
            rest = every[every != value]
            if hits >= OFTEN and len(rest) and _alone(value, rest):
                notes.append(
                    f"the sample {value:g} in {hits} windows of channel {name} is far from all "
                    f"others ({rest[0]:g} to {rest[-1]:g}): if it stands for what is missing, say "
                    f"--nan {value:.9g} --missing interpolate (or drop)"
                )
                break
    return tuple(notes)


def _alone(value: float, rest: Floats) -> bool:
    """Whether a value lies apart, and the others lie close together, with no gap of their own."""
    spread = float(np.ptp(rest))
    gap = max((float(b - a) for a, b in pairwise(rest)), default=0.0)
    return spread > 0 and gap < spread and float(np.abs(rest - value).min()) > FAR * spread
