"""Copies that `tsxfer.data.marks` does not see: cut elsewhere, shifted in time, or resampled.

Two looks. *Stretches*: of each window, pieces around its sharpest turns, which move with the
signal, get marks; where two agree, all that the windows share at that shift must correlate as a
copy does.
*Resampled*: windows of two lengths are compared as wholes by their lowest harmonics, which another
sampling rate leaves as they are; each is weighed by how large it is on average, so that a hum or a
drift that all windows have makes no copies of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from tsxfer.data.marks import (
    DIRECTIONS,
    NEAR,
    SAME,
    STILL,
    Windows,
    nearest,
    onto,
    parts_of,
    standard,
)
from tsxfer.keys import stream

PIECE, SHORTEST = 32, 16  # most samples of a piece, and of one that still tells something
ROUNDED = 1e-4  # of a stretch's deviation: turns below may be rounding
PIECES = 4  # of a channel of a window, the sharpest ones
SHARED = 0.5  # share of the shorter window that a copy holds at least
COMES_BACK = 0.95  # correlation of a stretch with itself, later, from which it is periodic
TURNED = 0.9  # correlation of small turns
TURNS = 8  # of a stretch, below which it is a ramp, a step or a single wave: many windows have one
SEEN, TESTED = 20_000, 4_000  # windows that are looked at; of more, a random part
HARMONICS, FEWEST = 48, 8  # of a whole window; fewer than the latter tell nothing
RESAMPLED = 0.99  # correlation of weighed harmonics; linear interpolation takes 0.1 % off
BY_CHANCE = 1e-3  # pairs of different windows that may pass as copies, over all that are compared
LOOSE = 0.3  # distance of marks of harmonics up to which they are compared
Rows = NDArray[np.int64]


def moved(seen: Windows, test: Windows) -> Rows:
    """For each test window a seen one that holds half of it or more, shifted or resampled.

    Returns:
        ``(n,)`` row of a seen window, -1 where none is found.
    """
    found = np.full(len(test.rows), -1, np.int64)
    first, asked = _some(seen, SEEN), _some(test, TESTED)
    few, tested = (
        Windows(w.x, w.marks, w.rows[where]) for w, where in ((seen, first), (test, asked))
    )
    if not len(first) or not len(asked):
        return found
    found[asked] = _stretches(few, tested)
    if seen.x.shape[2] != test.x.shape[2]:
        again = _resampled(few, tested)
        found[asked] = np.where(found[asked] >= 0, found[asked], again)
    return found


def _some(windows: Windows, most: int) -> Rows:
    """Places in its rows, all of them or a random part."""
    count = len(windows.rows)
    return np.sort(stream("moved", count).permutation(count)[:most])


def _stretches(seen: Windows, test: Windows) -> Rows:
    found = np.full(len(test.rows), -1, np.int64)
    shorter = min(seen.x.shape[2], test.x.shape[2])
    piece = max(SHORTEST, min(PIECE, shorter // 4))
    if shorter < 2 * piece:
        return found
    (place, flat), (asked, wanted) = (_pieces(windows, piece) for windows in (seen, test))
    if not len(flat) or not len(wanted):
        return found
    near, which = nearest(flat, wanted, NEAR)
    for hit in np.flatnonzero(np.isfinite(near)):
        one, other = place[which[hit]], asked[hit]
        if found[other[0]] < 0 and _shared(seen, one, test, other):
            found[other[0]] = seen.rows[one[0]]
    return found


def _pieces(windows: Windows, piece: int) -> tuple[Rows, NDArray[np.float64]]:
    """``(place in rows, channel, first sample)`` of each piece, and its marks."""
    where: list[Rows] = []
    marks: list[NDArray[np.float64]] = []
    directions = onto(piece)
    length = windows.x.shape[2]
    for part in parts_of(len(windows.rows), windows.x.shape[1] * length):
        x = np.asarray(windows.x[windows.rows[part]], np.float64)
        at = _sharpest(x, piece)
        if not len(at):
            continue
        samples = at[:, 2, None] + np.arange(piece)
        made = standard(x[at[:, 0, None], at[:, 1, None], samples]) @ directions
        told = np.isfinite(made).all(axis=1)
        at[:, 0] += part.start
        where.append(at[told])
        marks.append(made[told])
    if not where:
        return np.zeros((0, 3), np.int64), np.zeros((0, DIRECTIONS))
    return np.concatenate(where), np.concatenate(marks)


def _sharpest(x: NDArray[np.float64], piece: int) -> Rows:
    """``(window, channel, first sample)`` of pieces around the sharpest turns of each channel.

    A turn counts where no sharper one lies within half a piece, so that it is found again wherever
    the signal around it is.
    """
    half = piece // 2
    bend = np.zeros_like(x)
    bend[:, :, 1:-1] = np.abs(x[:, :, 2:] - 2 * x[:, :, 1:-1] + x[:, :, :-2])
    top = (bend == maximum_filter1d(bend, 2 * half + 1, axis=2)) & (bend > 0)
    top[:, :, :half] = top[:, :, x.shape[2] - piece + half + 1 :] = False
    sharp = np.where(top, bend, 0.0)
    kept = np.argsort(-sharp, axis=2, kind="stable")[:, :, :PIECES]
    real = np.take_along_axis(sharp, kept, axis=2) > 0
    window, channel, rank = np.nonzero(real)
    return np.stack([window, channel, kept[window, channel, rank] - half], axis=1).astype(np.int64)


def _shared(seen: Windows, one: Rows, test: Windows, other: Rows) -> bool:
    """Whether all that two windows share, one laid over the other at two pieces, is the same."""
    shift = int(one[2] - other[2])
    first = np.asarray(seen.x[seen.rows[one[0]]], np.float64)
    second = np.asarray(test.x[test.rows[other[0]]], np.float64)
    if len(first) != len(second) or one[1] != other[1]:
        first, second = first[one[1]][None], second[other[1]][None]
    begin = max(0, -shift)
    end = min(second.shape[1], first.shape[1] - shift)
    if end - begin < SHARED * min(first.shape[1], second.shape[1]):
        return False
    a, b = first[:, begin + shift : end + shift], second[:, begin:end]
    told = [c for c in range(len(a)) if _tells(a[c]) or _tells(b[c])]
    pairs = standard(a[told]) * standard(b[told])
    same = bool(told) and bool((np.abs(pairs.mean(axis=1)) >= SAME).all())
    return same and all(_turn_alike(a[c], b[c]) for c in told)


def _turn_alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether small turns agree too: one large step or drift would outweigh all others."""
    bends = [np.diff(stretch, 2) for stretch in (one, other)]
    sizes = [3 * np.median(np.abs(bend)) for bend in bends]
    a, b = (np.clip(bend, -size, size) for bend, size in zip(bends, sizes, strict=True))
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return norm > 0 and abs(float(a @ b)) >= TURNED * norm


def _tells(stretch: NDArray[np.float64]) -> bool:
    """Whether a stretch is more than a ramp, a step or a single wave."""
    bend = np.diff(stretch, 2)
    least = max(1e-3 * np.abs(bend).max(initial=0.0), ROUNDED * float(stretch.std()))
    large = bend[np.abs(bend) > least]
    turns = int((np.sign(large[1:]) != np.sign(large[:-1])).sum())
    return turns >= TURNS and not _periodic(stretch)


def _periodic(stretch: NDArray[np.float64]) -> bool:
    """Whether a stretch comes back to itself: any window of such a signal is another's, shifted."""
    count = len(stretch)
    s = stretch - stretch.mean()
    size = 2 * count
    found = np.fft.irfft(np.abs(np.fft.rfft(s, size)) ** 2, size)[: count // 2 + 1]
    energy = np.concatenate([[0.0], np.cumsum(s**2)])
    lags = np.arange(len(found))
    both = energy[count - lags] * (energy[count] - energy[lags])
    back = found / np.sqrt(np.maximum(both, 1e-300))
    away = np.flatnonzero(back < 0.5)  # beyond the lags at which anything smooth is like itself
    return bool(len(away)) and bool((back[away[0] :] >= COMES_BACK).any())


def _resampled(seen: Windows, test: Windows) -> Rows:
    """Copies of whole windows at another sampling rate, all channels of them."""
    found = np.full(len(test.rows), -1, np.int64)
    count = min(HARMONICS, min(seen.x.shape[2], test.x.shape[2]) // 6)
    if count < FEWEST or seen.x.shape[1] != test.x.shape[1]:
        return found
    first, second = (np.concatenate(list(_harmonics(w, count))) for w in (seen, test))
    usual = np.sqrt(np.nanmean(np.abs(np.concatenate([first, second])) ** 2, axis=0))
    first, second = (_weighed(h, usual) for h in (first, second))
    draw = stream("moved", "harmonics", first.shape[1]).normal(size=(first.shape[1], DIRECTIONS))
    near, which = nearest(first @ draw, second @ draw, LOOSE)
    hits = np.flatnonzero(np.isfinite(near))
    alike = np.abs((first[which[hits]] * second[hits]).sum(axis=1)) >= _enough(
        count * seen.x.shape[1], len(first) * len(second)
    )
    found[hits[alike]] = seen.rows[which[hits[alike]]]
    return found


def _enough(values: int, pairs: int) -> float:
    """Correlation from which windows are copies: few harmonics of many pairs agree by chance.

    Of two random directions in `values` dimensions the share above c is about
    ``(1 - c**2) ** ((values - 1) / 2)``. A harmonic counts once, though it has two parts, since
    neighbours depend on one another.
    """
    chance = float((BY_CHANCE / max(pairs, 1)) ** (2 / (values - 1)))
    return max(RESAMPLED, float(np.sqrt(1 - chance)))


def _harmonics(windows: Windows, count: int) -> Iterator[NDArray[np.complex128]]:
    """Of each window ``(channel, count)``, of size 1; tapered, since rates differ at the ends."""
    channels, length = windows.x.shape[1:]
    taper = np.sin(np.pi * np.arange(length) / length) ** 2
    for part in parts_of(len(windows.rows), channels * length):
        x = np.asarray(windows.x[windows.rows[part]], np.float64)
        level = (x * taper).sum(axis=2, keepdims=True) / taper.sum()
        found = np.fft.rfft((x - level) * taper, axis=2)[:, :, 1 : count + 1]
        size = np.linalg.norm(found, axis=2, keepdims=True)
        still = size <= STILL * length * np.maximum(np.abs(level), np.finfo(np.float32).tiny)
        yield found / np.where(still, np.inf, size)


def _weighed(found: NDArray[np.complex128], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """As real vectors of length 1, each harmonic by how large it usually is."""
    even = found / np.maximum(usual, 1e-300)
    flat = np.concatenate([even.real, even.imag], axis=2).reshape(len(found), -1)
    size = np.linalg.norm(flat, axis=1, keepdims=True)
    result: NDArray[np.float64] = flat / np.where(size > 0, size, 1.0)
    return result
