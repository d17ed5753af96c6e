"""Noise with labels drawn at random: what a source is worth that has nothing to teach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsxfer.data import Series, synthetic

RATE_HZ, LENGTH, GROUPS, CLASSES = 100.0, 256, 80, 4


@synthetic(
    version=1,
    count=8000,
    domain="noise",
    task="classification",
    label="drawn at random",
    rate_hz=RATE_HZ,
    channels=("noise",),
    length=LENGTH,
    group="block of 100 windows",
    metric="macro_f1",
    extra_metrics=("weighted_f1", "accuracy"),
    margin=0.02,
    licence="Apache-2.0 (made by tsxfer)",
    cite="made by tsxfer",
    warnings=("random noise",),
)
def noise(count: int, rng: np.random.Generator) -> Series:
    """White and 1/f noise with random labels: a control, never a source of its own."""
    white = rng.normal(size=(count, 1, LENGTH))
    pink = rng.random(count) < 0.5
    x = np.where(pink[:, None, None], _pink(white), white)
    number = np.arange(count)
    return Series(
        x=x.astype(np.float32),
        y=np.char.add("class-", rng.integers(CLASSES, size=count).astype(str)),
        group=np.char.add("block-", (number % GROUPS).astype(str)),
        uid=np.char.add("window-", number.astype(str)),
        rate_hz=RATE_HZ,
    )


def _pink(white: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same noise with power 1/f and unit variance; the mean is left out."""
    f = np.fft.rfftfreq(LENGTH)
    gain = np.concatenate([[0.0], 1 / np.sqrt(f[1:])])
    shaped = np.fft.irfft(np.fft.rfft(white) * gain, LENGTH)
    pink: NDArray[np.float64] = shaped / shaped.std(axis=-1, keepdims=True)
    return pink
