"""Spoken words: a harmonic glottal source, moving formants, noise for fricatives and bursts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.series import Series

Array = NDArray[np.float64]

RATE_HZ, LENGTH, SPEAKERS = 4000.0, 1500, 160
FRAME = 50  # samples; formants move between frames
HARMONICS = 24
CHUNK = 256
BANDWIDTHS = np.array([70.0, 110.0, 160.0])  # Hz

# F1, F2, F3 in Hz (Peterson and Barney 1952), voicing 0..1, hiss 0..1.
SOUNDS = {
    "iy": (270, 2290, 3010, 1.0, 0.0),
    "ih": (390, 1990, 2550, 1.0, 0.0),
    "eh": (530, 1840, 2480, 1.0, 0.0),
    "ae": (660, 1720, 2410, 1.0, 0.0),
    "aa": (730, 1090, 2440, 1.0, 0.0),
    "ao": (570, 840, 2410, 1.0, 0.0),
    "uh": (440, 1020, 2240, 1.0, 0.0),
    "uw": (300, 870, 2240, 1.0, 0.0),
    "ah": (640, 1190, 2390, 1.0, 0.0),
    "r": (420, 1300, 1600, 0.8, 0.0),
    "l": (360, 1100, 2600, 0.7, 0.0),
    "n": (280, 1450, 2300, 0.5, 0.0),
    "w": (300, 650, 2200, 0.7, 0.0),
    "y": (260, 2200, 2900, 0.7, 0.0),
    "s": (400, 1700, 2400, 0.0, 0.7),
    "f": (400, 1200, 2300, 0.0, 0.3),
    "t": (400, 1700, 2500, 0.0, 0.5),
    "p": (400, 900, 2300, 0.0, 0.3),
    "d": (350, 1700, 2500, 0.3, 0.2),
    "g": (300, 1500, 2200, 0.3, 0.2),
    "-": (400, 1300, 2400, 0.0, 0.0),
}
WORDS = {
    "yes": "y eh s",
    "no": "n ao uw",
    "up": "ah - p",
    "down": "d aa uw n",
    "left": "l eh f t",
    "right": "r aa ih t",
    "on": "aa n n",
    "off": "ao f f",
    "stop": "s t aa p",
    "go": "g ao uw",
    "learn": "l r r n",
    "two": "t uw uw",
}


def spoken_words(count: int, rng: np.random.Generator) -> Series:
    """Twelve words by 160 speakers: 1 × 1,500 samples at 4 kHz; a group is a speaker."""
    speaker = rng.integers(SPEAKERS, size=count)
    word = rng.integers(len(WORDS), size=count)
    voices = _voices(rng)
    x = np.empty((count, 1, LENGTH), np.float32)
    for first in range(0, count, CHUNK):
        rows = slice(first, first + CHUNK)
        own = {name: values[speaker[rows]] for name, values in voices.items()}
        x[rows, 0] = _utter(word[rows], own, rng)
    return Series(
        x=x,
        y=np.array(list(WORDS))[word],
        group=np.char.add("speaker-", speaker.astype(str)),
        uid=np.char.add("utterance-", np.arange(count).astype(str)),
        rate_hz=RATE_HZ,
    )


def _voices(rng: np.random.Generator) -> dict[str, Array]:
    """What belongs to a speaker: pitch in Hz, vocal tract scale, tilt, background level."""
    low = rng.random(SPEAKERS) < 0.5
    return {
        "pitch": np.where(low, rng.normal(115, 15, SPEAKERS), rng.normal(205, 22, SPEAKERS)),
        "tract": np.where(low, 1.0, 1.14) * rng.normal(1, 0.09, SPEAKERS),
        "tilt": rng.uniform(0.7, 1.5, SPEAKERS),
        "noise": 10 ** rng.uniform(-0.6, 0.4, SPEAKERS),
        "accent": rng.normal(1, 0.09, (SPEAKERS, 3)),
    }


def _utter(word: NDArray[np.int64], voice: dict[str, Array], rng: np.random.Generator) -> Array:
    n = len(word)
    track = _trajectories(word, rng)  # (n, frame, 5)
    formants = track[:, :, :3] * voice["tract"][:, None, None] * voice["accent"][:, None, :]
    pitch = _pitch(voice["pitch"], rng)
    voiced = _voiced(formants, track[:, :, 3], pitch, voice["tilt"])
    hiss = _hiss(track[:, :, 4], formants[:, :, 1], rng)
    clean = voiced + 0.3 * hiss
    clean /= np.sqrt((clean**2).mean(axis=1, keepdims=True)) + 1e-9
    noisy = clean + voice["noise"][:, None] * 10 ** rng.normal(0, 0.2, (n, 1)) * rng.normal(
        size=clean.shape
    )
    loud: Array = noisy * 0.1 * 10 ** rng.normal(0, 0.2, (n, 1))
    return loud


def _trajectories(word: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Targets of each word, stretched by speaking rate, shifted, and smoothed by coarticulation."""
    frames = LENGTH // FRAME
    out = np.zeros((len(word), frames, 5))
    spellings = [np.array([SOUNDS[s] for s in text.split()], float) for text in WORDS.values()]
    grid = np.arange(frames)
    for i, code in enumerate(word):
        targets = spellings[code]
        spans = rng.uniform(0.7, 1.3, len(targets))
        length, start = frames * rng.uniform(0.55, 0.85), rng.uniform(0.02, 0.14) * frames
        edges = start + length * np.cumsum(spans) / spans.sum()
        sound = np.searchsorted(edges, grid).clip(max=len(targets) - 1)
        out[i] = targets[sound]
        silent = (grid < start) | (grid > start + length)
        out[i, silent, 3:] = 0
    kernel = np.hanning(7)[1:-1] / np.hanning(7)[1:-1].sum()
    padded = np.pad(out, ((0, 0), (2, 2), (0, 0)), mode="edge")
    smooth: Array = sum(w * padded[:, k : k + frames] for k, w in enumerate(kernel))
    return smooth


def _pitch(base: Array, rng: np.random.Generator) -> Array:
    """Pitch in Hz at every sample: declination, a random accent, and slow jitter."""
    t = np.linspace(0, 1, LENGTH)
    n = len(base)
    fall = 1 - rng.uniform(0.05, 0.25, n)[:, None] * t
    rise = 1 + 0.08 * rng.normal(size=(n, 1)) * np.sin(np.pi * t)
    contour: Array = base[:, None] * fall * rise
    return contour


def _voiced(formants: Array, voicing: Array, pitch: Array, tilt: Array) -> Array:
    """Harmonics of the glottal pulse, -12 dB an octave (Rosenberg 1971), times formant gains."""
    phase = 2 * np.pi * np.cumsum(pitch, axis=1) / RATE_HZ
    frame_pitch = pitch[:, FRAME // 2 :: FRAME]
    frames = np.arange(voicing.shape[1]) * FRAME + FRAME / 2
    where = np.clip((np.arange(LENGTH) - frames[0]) / FRAME, 0, len(frames) - 1.001)
    left, share = where.astype(int), where - where.astype(int)
    out = np.zeros_like(pitch)
    step, before, now = 2 * np.cos(phase), np.zeros_like(phase), np.sin(phase)
    for k in range(1, HARMONICS + 1):
        f = k * frame_pitch
        gain = voicing * k ** (-1.2 * tilt[:, None]) * _formant_gain(f, formants)
        gain *= f < 0.48 * RATE_HZ
        out += (gain[:, left] * (1 - share) + gain[:, left + 1] * share) * now
        before, now = now, step * now - before  # sin((k+1)φ) without another sine
    return out


def _formant_gain(f: Array, formants: Array) -> Array:
    """Magnitude of three resonators in parallel at frequencies ``(n, frame)``."""
    weights = (1.0, 0.7, 0.35)
    gains: Array = sum(
        w / np.sqrt(1 + ((f - formants[:, :, i]) / BANDWIDTHS[i]) ** 2)
        for i, w in enumerate(weights)
    )
    return gains


def _hiss(level: Array, centre: Array, rng: np.random.Generator) -> Array:
    """Fricative noise: white noise shifted around the second formant, shaped in time."""
    n, frames = level.shape
    white = rng.normal(size=(n, frames * FRAME))
    carrier = np.cos(2 * np.pi * np.cumsum(np.repeat(centre, FRAME, axis=1), axis=1) / RATE_HZ)
    shaped: Array = (0.4 * white + rng.normal(size=(n, frames * FRAME)) * carrier) * np.repeat(
        level, FRAME, axis=1
    )
    return shaped
