"""Distances between the training windows of a source and of a target; smaller promises more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Windows = NDArray[np.floating[Any]]  # (n, channel, time)

BINS, OCTAVE = 32, 2.0
POINTS, MEMBERS, ROUNDS = 64, 40, 5  # of a prototype: samples, windows averaged, rounds


def spectral(source: Windows, target: Windows, source_rate: float, target_rate: float) -> float:
    """Jensen-Shannon distance between mean power spectra on the band that both can show.

    Spectra are Hann periodograms, averaged over channels, then over windows of unit power each;
    their shares of power fall into 32 bins of equal width on a logarithmic axis.

    Args:
        source: ``(n, channel, time)``.
        target: ``(m, channel, time)``.
        source_rate: Samples a second; 1 for both compares what kernels see, in cycles a sample.
        target_rate: Likewise.

    Returns:
        From 0 (same shape) to 1; 1 where the common band is less than an octave.
    """
    grids = [_spectrum(x, rate) for x, rate in ((source, source_rate), (target, target_rate))]
    low, high = max(f[0] for f, _ in grids), min(f[-1] for f, _ in grids)
    if not high >= OCTAVE * low:
        return 1.0
    edges = np.geomspace(low, high, BINS + 1)
    shares = [np.diff(np.interp(edges, f, total)) for f, total in grids]
    p, q = (share / max(share.sum(), 1e-300) for share in shares)
    middle = (p + q) / 2
    divergence = sum(float(np.sum(_surprise(part, middle))) for part in (p, q)) / 2
    return float(np.sqrt(min(1.0, max(0.0, divergence))))


def _surprise(p: Floats, q: Floats) -> Floats:
    held = p > 0
    return np.asarray(p[held] * np.log2(p[held] / q[held]))


def _spectrum(x: Windows, rate: float) -> tuple[Floats, Floats]:
    """Edges of the frequency bins in hertz, and the share of power below each; no constant part."""
    length = x.shape[2]
    power = np.zeros(length // 2)
    for window in x:  # one after the other: long windows of many channels fill memory
        moving = window - window.mean(axis=1, keepdims=True)
        found = np.abs(np.fft.rfft(moving * np.hanning(length), axis=1)[:, 1 : len(power) + 1]) ** 2
        total = found.mean(axis=0)
        power += total / max(total.sum(), 1e-300)
    edges = (np.arange(len(power) + 1) + 0.5) * rate / length
    return edges, np.concatenate([[0.0], np.cumsum(power)])


def dtw_prototypes(
    source: Windows, source_codes: Codes, target: Windows, target_codes: Codes
) -> float:
    """Least DTW distance between a class prototype of the source and one of the target.

    Ismail Fawaz et al. 2018, "Transfer learning for time series classification" (arXiv 1811.01533,
    section III-C). A prototype is the DTW barycentre (Petitjean et al. 2011) of up to 40 windows of
    a class, each one the channel of most variance, resampled to 64 samples and z-normalised, since
    rates, lengths and channels differ between domains.

    Args:
        source: ``(n, channel, time)``.
        source_codes: ``(n,)`` class codes; of numbers, their quartiles.
        target: ``(m, channel, time)``.
        target_codes: ``(m,)`` likewise.

    Returns:
        From 0, in standard deviations times the root of the path's length; smaller is better.
    """
    a, b = prototypes(source, source_codes), prototypes(target, target_codes)
    pairs = np.repeat(a, len(b), axis=0), np.tile(b, (len(a), 1))
    return float(distances(*pairs).min())


def prototypes(x: Windows, codes: Codes) -> Floats:
    """``(class, 64)`` barycentre of the first 40 windows of each class that has any."""
    members = [np.flatnonzero(codes == code)[:MEMBERS] for code in np.unique(codes)]
    return np.stack([barycentre(_series(x[rows])) for rows in members])


def _series(x: Windows) -> Floats:
    """One z-normalised series of 64 samples for each window."""
    from scipy.signal import resample

    best = x.var(axis=2).argmax(axis=1)
    short = resample(x[np.arange(len(x)), best], POINTS, axis=1)
    sd = short.std(axis=1, keepdims=True)
    return np.asarray((short - short.mean(axis=1, keepdims=True)) / np.where(sd > 0, sd, 1))


def distances(a: Floats, b: Floats) -> Floats:
    """DTW distances of ``a[i]`` and ``b[i]``, both ``(n, time)``: root of the summed squares."""
    return np.asarray(np.sqrt(_totals(a, b)[-1, -1]))


def barycentre(series: Floats) -> Floats:
    """DBA mean of ``(n, time)``, from the medoid of the first 16 series."""
    few = series[:16]
    apart = distances(np.repeat(few, len(few), axis=0), np.tile(few, (len(few), 1)))
    mean = few[apart.reshape(len(few), len(few)).sum(axis=1).argmin()]
    for _ in range(ROUNDS):
        mean = _aligned_mean(mean, series)
    return np.asarray(mean)


def _aligned_mean(mean: Floats, series: Floats) -> Floats:
    """Each sample becomes the mean of all samples that the best paths align with it."""
    total = _totals(np.broadcast_to(mean, series.shape), series)
    rows = np.arange(len(series))
    i, j = np.full(len(series), len(mean)), np.full(len(series), series.shape[1])
    sums, counts = np.zeros(len(mean)), np.zeros(len(mean))
    while len(rows):
        np.add.at(sums, i - 1, series[rows, j - 1])
        np.add.at(counts, i - 1, 1)
        before = [total[i - 1, j - 1, rows], total[i - 1, j, rows], total[i, j - 1, rows]]
        step = np.argmin(before, axis=0)
        i, j = i - (step != 2), j - (step != 1)
        going = (i > 0) & (j > 0)
        rows, i, j = rows[going], i[going], j[going]
    return np.asarray(sums / counts)


def _totals(a: Floats, b: Floats) -> Floats:
    """Cost of the best path to each cell, ``(time + 1, time + 1, n)``, along anti-diagonals."""
    rows, columns, a, b = a.shape[1], b.shape[1], a.T, b.T
    total = np.full((rows + 1, columns + 1, a.shape[1]), np.inf)
    total[0, 0] = 0
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j = diagonal - i
        best = np.minimum(total[i - 1, j], total[i, j - 1])
        best = np.minimum(best, total[i - 1, j - 1])
        total[i, j] = (a[i - 1] - b[j - 1]) ** 2 + best
    return total
