"""Summary features of a window, channel by channel: level, shape, memory and spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
LAGS = (1, 2, 4, 8, 16)
BANDS = 8
NAMES = (
    "mean",
    "standard deviation",
    "smallest",
    "largest",
    "first",
    "last",
    "slope",
    *(f"quantile {q:g}" for q in QUANTILES),
    "skewness",
    "kurtosis",
    "mean absolute difference",
    "crossings of the mean",
    *(f"autocorrelation at {lag}" for lag in LAGS),
    *(f"log power in band {band + 1} of {BANDS}" for band in range(BANDS)),
    "spectral centroid",
    "spectral spread",
    "spectral entropy",
    "strongest frequency",
)
TINY = 1e-12


def summary(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features of windows.

    Args:
        x: ``(n, channel, time)``.

    Returns:
        ``(n, channel · len(NAMES))``. Frequencies are shares of the Nyquist frequency, in [0, 1];
        bands are equal parts of it; a lag that the window does not hold gives 0.
    """
    values = x.astype(np.float64)
    parts = (*_level(values), *_shape(values), *_memory(values), *_spectrum(values))
    return np.stack(parts, axis=2).reshape(len(x), -1).astype(np.float32)


def _level(x: Array) -> list[Array]:
    time = np.linspace(-1, 1, x.shape[2])
    slope = (x * time).sum(axis=2) / max(float((time**2).sum()), TINY)
    found = [x.mean(axis=2), x.std(axis=2), x.min(axis=2), x.max(axis=2), x[:, :, 0], x[:, :, -1]]
    return [*found, slope, *np.quantile(x, QUANTILES, axis=2)]


def _shape(x: Array) -> list[Array]:
    z = _standard(x)
    steps = np.diff(x, axis=2, prepend=x[:, :, :1])
    crossings = (np.diff(z > 0, axis=2)).mean(axis=2) if x.shape[2] > 1 else np.zeros(x.shape[:2])
    return [(z**3).mean(axis=2), (z**4).mean(axis=2), np.abs(steps).mean(axis=2), crossings]


def _memory(x: Array) -> list[Array]:
    z, length = _standard(x), x.shape[2]
    return [
        (z[:, :, lag:] * z[:, :, :-lag]).sum(axis=2) / length
        if lag < length
        else np.zeros(x.shape[:2])
        for lag in LAGS
    ]


def _spectrum(x: Array) -> list[Array]:
    power = np.abs(np.fft.rfft(x - x.mean(axis=2, keepdims=True), axis=2)) ** 2 / x.shape[2]
    frequency = np.linspace(0, 1, power.shape[2])
    share = power / np.maximum(power.sum(axis=2, keepdims=True), TINY)
    centroid = (share * frequency).sum(axis=2)
    spread = np.sqrt((share * (frequency - centroid[:, :, None]) ** 2).sum(axis=2))
    entropy = -(share * np.log(share + TINY)).sum(axis=2)
    bands = np.minimum((frequency * BANDS).astype(int), BANDS - 1)
    logs = [np.log(power[:, :, bands == band].sum(axis=2) + TINY) for band in range(BANDS)]
    return [*logs, centroid, spread, entropy, frequency[power.argmax(axis=2)]]


def _standard(x: Array) -> Array:
    """Mean 0 and standard deviation 1; a constant channel is 0."""
    centred = x - x.mean(axis=2, keepdims=True)
    sd: Array = x.std(axis=2, keepdims=True)
    standard: Array = centred / np.where(sd > 1e-9, sd, np.inf)
    return standard
