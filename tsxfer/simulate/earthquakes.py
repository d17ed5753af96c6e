"""Earthquake records: Brune sources, P and S with coda, attenuation, stations, instruments, noise.

Stochastic synthesis (Boore 1983): shaped Gaussian noise gets the spectrum of source, path and site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.series import Series

Array = NDArray[np.float64]

VP, VS = 6100.0, 3500.0  # m/s, crust
DENSITY = 2700.0  # kg/m3
STRESS_DROP = 3e6  # Pa, median (Brune 1970)
QUALITY = 400.0  # of S; P has twice as much
CHUNK = 512  # traces synthesised at once; bounds memory


@dataclass(frozen=True, slots=True)
class Network:
    """What is recorded, and how.

    Attributes:
        rate_hz: Samples a second.
        length: Samples of a window.
        magnitudes: Smallest and largest; between them Gutenberg–Richter with `b_value`.
        b_value: Slope; below 1, as catalogues chosen for training are.
        distances_km: Nearest and farthest, drawn evenly in the logarithm.
        stations: Size of the network.
        per_event: Stations that record an event.
        counts: Record counts through an instrument instead of ground velocity in m/s.
        noise: Median velocity noise in m/s.
    """

    rate_hz: float
    length: int
    magnitudes: tuple[float, float]
    b_value: float
    distances_km: tuple[float, float]
    stations: int
    per_event: int
    counts: bool
    noise: float


GLOBAL = Network(
    rate_hz=20.0,
    length=600,
    magnitudes=(3.5, 7.5),
    b_value=0.45,
    distances_km=(30.0, 8000.0),
    stations=80,
    per_event=5,
    counts=False,
    noise=2e-7,
)
LOCAL_COUNTS = Network(
    rate_hz=20.0,
    length=300,
    magnitudes=(1.5, 5.0),
    b_value=0.5,
    distances_km=(5.0, 80.0),
    stations=60,
    per_event=6,
    counts=True,
    noise=1e-7,
)
LOCAL_GROUND = Network(
    rate_hz=20.0,
    length=400,
    magnitudes=(2.0, 5.5),
    b_value=0.5,
    distances_km=(5.0, 120.0),
    stations=60,
    per_event=4,
    counts=False,
    noise=1e-7,
)


def teleseisms(count: int, rng: np.random.Generator) -> Series:
    """Global earthquakes: 3 × 600 samples at 20 Hz, ground velocity in m/s, magnitude 3.5–7.5."""
    return _record(GLOBAL, count, rng)


def local_counts(count: int, rng: np.random.Generator) -> Series:
    """Local earthquakes in counts: 3 × 300 samples at 20 Hz, magnitude 1.5–5.0."""
    return _record(LOCAL_COUNTS, count, rng)


def local_ground_motion(count: int, rng: np.random.Generator) -> Series:
    """Local earthquakes, response removed: 3 × 400 samples at 20 Hz in m/s, magnitude 2.0–5.5."""
    return _record(LOCAL_GROUND, count, rng)


def _record(net: Network, count: int, rng: np.random.Generator) -> Series:
    events = -(-count // net.per_event)
    magnitude = _gutenberg_richter(net, events, rng)
    stress = STRESS_DROP * 10 ** rng.normal(0, 0.15, events)
    event = np.repeat(np.arange(events), net.per_event)[:count]
    station = _choose_stations(net, events, rng)[:count]
    sites = _sites(net, rng)
    x = np.empty((count, 3, net.length), np.float32)
    for first in range(0, count, CHUNK):
        rows = slice(first, first + CHUNK)
        place = {name: values[station[rows]] for name, values in sites.items()}
        x[rows] = _traces(net, magnitude[event[rows]], stress[event[rows]], place, rng)
    return Series(
        x=x,
        y=magnitude[event].astype(np.float32),
        group=np.char.add("event-", event.astype(str)),
        uid=np.char.add(np.char.add(event.astype(str), "-"), station.astype(str)),
        rate_hz=net.rate_hz,
    )


def _gutenberg_richter(net: Network, events: int, rng: np.random.Generator) -> Array:
    low, high = net.magnitudes
    beta = net.b_value * np.log(10)
    share = 1 - np.exp(-beta * (high - low))
    magnitudes: Array = low - np.log(1 - share * rng.random(events)) / beta
    return np.round(magnitudes, 2)


def _choose_stations(net: Network, events: int, rng: np.random.Generator) -> NDArray[np.int64]:
    order = np.argsort(rng.random((events, net.stations)), axis=1)
    return order[:, : net.per_event].ravel()


def _sites(net: Network, rng: np.random.Generator) -> dict[str, Array]:
    """What belongs to a station: amplification, noise, and the instrument's corner and gain."""
    n = net.stations
    family = rng.integers(3, size=n)  # broadband, 1 s seismometer, 4.5 Hz geophone
    return {
        "amplification": 10 ** rng.normal(0, 0.15, n),
        "noise": net.noise * 10 ** rng.normal(0, 0.35, n),
        "slope": rng.uniform(0.3, 1.2, n),
        "corner_hz": np.array([0.0083, 1.0, 4.5])[family],
        "damping": np.array([0.7, 0.7, 0.6])[family],
        "gain": np.array([1.5e9, 6e8, 3e8])[family] * 10 ** rng.normal(0, 0.15, n),
    }


def _traces(
    net: Network, magnitude: Array, stress: Array, site: dict[str, Array], rng: np.random.Generator
) -> NDArray[np.float32]:
    n = len(magnitude)
    low, high = np.log(net.distances_km)
    distance = 1e3 * np.exp(rng.uniform(low, high, n))
    # Far small earthquakes are not seen by networks, so they come from nearer.
    far = 1e3 * net.distances_km[1] * 10 ** (-0.45 * (net.magnitudes[1] - magnitude))
    distance = np.minimum(
        distance, np.maximum(far * rng.uniform(0.3, 1, n), 1e3 * net.distances_km[0])
    )
    p_onset = rng.uniform(2.0, 4.0, n)
    travel_p, travel_s = _travel_times(distance)
    ground = _phase(net, magnitude, stress, distance, p_onset, travel_p, True, rng)
    ground += _phase(
        net, magnitude, stress, distance, p_onset + travel_s - travel_p, travel_s, False, rng
    )
    ground *= site["amplification"][:, None, None]
    ground += _noise(net, site, n, rng)
    return _instrument(net, ground, site) if net.counts else ground.astype(np.float32)


def _travel_times(distance: Array) -> tuple[Array, Array]:
    """P and S travel times in s; beyond 1,000 km rays dive into the faster mantle."""
    deep = np.clip((distance - 1e6) / 7e6, 0, 1)
    p = distance / (VP * (1 + 0.9 * np.sqrt(deep)))
    return p, p * VP / VS


def _phase(
    net: Network,
    magnitude: Array,
    stress: Array,
    distance: Array,
    onset: Array,
    travel: Array,
    is_p: bool,
    rng: np.random.Generator,
) -> Array:
    """One phase with its coda, ground velocity in m/s, ``(n, 3, time)`` in E, N, Z."""
    n, dt = len(magnitude), 1 / net.rate_hz
    moment = 10 ** (1.5 * magnitude + 9.1)  # N m (Hanks and Kanamori 1979)
    corner = 0.49 * VS * (stress / moment) ** (1 / 3) * (1.5 if is_p else 1.0)
    speed = VP if is_p else VS
    plateau = 0.55 * moment / (4 * np.pi * DENSITY * speed**3 * distance)  # m s
    rise = 0.3 / corner + 0.1
    envelope = _envelope(net, onset, rise, rise + 0.8 + travel * (0.05 if is_p else 0.12))
    shaped = rng.normal(size=(n, 2, net.length)) * envelope[:, None, :]
    spectrum = np.fft.rfft(shaped) / np.sqrt((envelope**2).sum(axis=1))[:, None, None]
    f = np.fft.rfftfreq(net.length, dt)
    star = np.minimum(travel, 600.0) / (QUALITY * (2 if is_p else 1))
    kappa = 0.02
    source = 2 * np.pi * f * plateau[:, None] / (1 + (f / corner[:, None]) ** 2)
    path = np.exp(-np.pi * f * (star[:, None] + kappa))
    wave = np.fft.irfft(spectrum * (source * path)[:, None, :], net.length) / dt
    return _polarise(wave, is_p, rng)


def _envelope(net: Network, onset: Array, rise: Array, decay: Array) -> Array:
    """Zero before the onset, then a fast rise and an exponential coda."""
    t = np.arange(net.length) / net.rate_hz - onset[:, None]
    late = np.maximum(t, 0)
    shape: Array = (1 - np.exp(-late / rise[:, None])) * np.exp(-late / decay[:, None])
    return np.where(t > 0, shape, 0) + 1e-9


def _polarise(wave: Array, is_p: bool, rng: np.random.Generator) -> Array:
    """Coherent and scattered motion onto E, N, Z: P near the ray, S across it."""
    n = len(wave)
    azimuth, incidence = rng.uniform(0, 2 * np.pi, n), np.radians(rng.uniform(10, 45, n))
    pattern = np.abs(rng.normal(0.8, 0.25, n)) + 0.15  # radiation pattern, never nodal
    across, along = np.sin(azimuth), np.cos(azimuth)
    flat, steep = np.sin(incidence), np.cos(incidence)
    axes = [flat * across, flat * along, steep] if is_p else [steep * along, -steep * across, flat]
    direction = np.stack(axes, axis=1) * pattern[:, None]
    scattered = 0.35 * rng.normal(size=(n, 3))
    return direction[:, :, None] * wave[:, :1] + scattered[:, :, None] * wave[:, 1:]


def _noise(net: Network, site: dict[str, Array], n: int, rng: np.random.Generator) -> Array:
    """Station noise: red spectrum with a microseism peak near 0.2 Hz."""
    f = np.fft.rfftfreq(net.length, 1 / net.rate_hz)
    safe = np.maximum(f, f[1])
    colour = safe[None] ** -site["slope"][:, None] + 3 * np.exp(-((np.log(safe / 0.2) / 0.4) ** 2))
    colour[:, 0] = 0
    noise = np.fft.irfft(
        np.fft.rfft(rng.normal(size=(n, 3, net.length))) * colour[:, None], net.length
    )
    scale = site["noise"] * 10 ** rng.normal(0, 0.1, n) / noise.std(axis=(1, 2))
    scaled: Array = noise * scale[:, None, None]
    return scaled


def _instrument(net: Network, ground: Array, site: dict[str, Array]) -> NDArray[np.float32]:
    """Second-order velocity sensor and digitiser: integers, in counts."""
    s: Any = 2j * np.pi * np.fft.rfftfreq(net.length, 1 / net.rate_hz)[None]
    own = 2 * np.pi * site["corner_hz"][:, None]
    response = s**2 / (s**2 + 2 * site["damping"][:, None] * own * s + own**2)
    filtered = np.fft.irfft(np.fft.rfft(ground) * response[:, None], net.length)
    return np.round(filtered * site["gain"][:, None, None]).astype(np.float32)
