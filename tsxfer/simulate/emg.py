"""Surface EMG of the forearm: motor-unit trains of each muscle, mixed on a ring of 8 electrodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.series import Series

Array = NDArray[np.float64]

RATE_HZ, LENGTH, ELECTRODES, SUBJECTS, SESSIONS = 200.0, 80, 8, 48, 2
MUSCLES, UNITS = 6, 14  # muscles around the forearm, motor units each
GESTURES = ("Pinch1", "Pinch2", "Pinch3", "Pinch4")  # thumb against each finger
CHUNK = 512
# Activation of each muscle per gesture, 0..1: neighbouring fingers share muscles.
ACTIVATION = np.array(
    [
        [0.70, 0.45, 0.20, 0.15, 0.30, 0.20],
        [0.60, 0.65, 0.35, 0.15, 0.22, 0.25],
        [0.50, 0.55, 0.55, 0.25, 0.18, 0.32],
        [0.42, 0.40, 0.60, 0.42, 0.15, 0.40],
    ]
)


def gestures(count: int, rng: np.random.Generator) -> Series:
    """Four pinches by 48 subjects: 8 × 80 samples at 200 Hz, armband units; groups are subjects."""
    subject, gesture = rng.integers(SUBJECTS, size=count), rng.integers(len(GESTURES), size=count)
    bodies = _bodies(rng)
    x = np.empty((count, ELECTRODES, LENGTH), np.float32)
    for first in range(0, count, CHUNK):
        rows = slice(first, first + CHUNK)
        own = {name: values[subject[rows]] for name, values in bodies.items()}
        x[rows] = _window(gesture[rows], own, rng)
    return Series(
        x=x,
        y=np.array(GESTURES)[gesture],
        group=np.char.add("subject-", subject.astype(str)),
        uid=np.char.add("window-", np.arange(count).astype(str)),
        rate_hz=RATE_HZ,
    )


def _bodies(rng: np.random.Generator) -> dict[str, Array]:
    """What belongs to a subject: armband rotation, muscle strengths, habits, skin gain, noise."""
    n = SUBJECTS
    return {
        "rotation": rng.normal(0, 0.30, n),  # rad
        "spread": rng.uniform(0.5, 0.8, n),  # rad; fat spreads the field
        "strength": 10 ** rng.normal(0, 0.10, (n, MUSCLES)),
        "habit": rng.normal(0, 0.07, (n, len(GESTURES), MUSCLES)),
        "width": rng.uniform(0.004, 0.008, n),  # s, of an action potential
        "gain": 10 ** rng.normal(1.2, 0.12, n),
        "noise": rng.uniform(0.8, 2.0, n),
    }


def _window(gesture: NDArray[np.int64], body: dict[str, Array], rng: np.random.Generator) -> Array:
    n = len(gesture)
    effort = rng.uniform(0.6, 1.3, (n, 1))
    drive = ACTIVATION[gesture] + body["habit"][np.arange(n), gesture]
    drive = np.clip(drive * effort + rng.normal(0, 0.06, drive.shape), 0.02, 1)
    muscles = _muscles(drive, body["width"], rng) * body["strength"][:, :, None]
    mixed = np.einsum("nem,nmt->net", _mixing(body), muscles)
    noisy = mixed * body["gain"][:, None, None]
    noisy += body["noise"][:, None, None] * rng.normal(size=noisy.shape)
    signed_bytes: Array = np.clip(np.round(noisy), -128, 127)  # as the armband sends
    return signed_bytes


def _muscles(drive: Array, width: Array, rng: np.random.Generator) -> Array:
    """Sum of motor-unit action potential trains per muscle (Fuglevand 1993)."""
    threshold = np.linspace(0, 0.75, UNITS)  # size principle: large units come late
    size = np.exp(np.linspace(0, 1.6, UNITS)) / 3
    excess = drive[:, :, None] - threshold
    rate = np.where(excess > 0, np.minimum(8 + 30 * excess, 35), 0)  # Hz
    fired = rng.random((*rate.shape, LENGTH)) < (rate / RATE_HZ)[..., None]
    strength = size * rng.choice([-1.0, 1.0], size=rate.shape) * rng.uniform(0.7, 1.3, rate.shape)
    pulses = np.einsum("nmut,nmu->nmt", fired, strength)
    f = np.fft.rfftfreq(2 * LENGTH, 1 / RATE_HZ)
    # Second derivative of a Gaussian, in frequency: the classic tripole potential.
    shape = (f**2) * np.exp(-2 * (np.pi * f * width[:, None]) ** 2)
    shape /= np.sqrt((shape**2).mean(axis=1, keepdims=True))
    trains = np.fft.irfft(np.fft.rfft(pulses, 2 * LENGTH) * shape[:, None], 2 * LENGTH)
    kept: Array = trains[..., :LENGTH]
    return kept


def _mixing(body: dict[str, Array]) -> Array:
    """Weight of muscle m at electrode e ``(n, electrode, muscle)``, falling with the angle."""
    electrodes = np.arange(ELECTRODES) * 2 * np.pi / ELECTRODES
    muscles = np.arange(MUSCLES) * 2 * np.pi / MUSCLES
    angle = electrodes[None, :, None] - muscles[None, None] + body["rotation"][:, None, None]
    apart = np.abs((angle + np.pi) % (2 * np.pi) - np.pi)
    weights: Array = np.exp(-((apart / body["spread"][:, None, None]) ** 2) / 2)
    return weights
