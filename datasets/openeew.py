"""Earthquake or quiet, at cheap accelerometers in Mexico (OpenEEW)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tsxfer.data import Series, dataset
from tsxfer.data.reading import Instance, find_file, find_files, finite, in_blocks, text_of
from tsxfer.data.series import Floats
from tsxfer.errors import DataError

RATE_HZ, LENGTH = 31.25, 844  # 27 s, as long as a window of LEN-DB
CLOCK_S = 5.0  # device and cloud may differ by this
JUMP_S = 0.45  # a line that comes this much early or late ends a run
QUIET_S = 600.0  # nothing in the catalogue for so long before a window of noise
REACH_KM, S_KM_S, SHAKING_S = 200.0, 3.5, 20.0


class Quakes(NamedTuple):
    """The catalogue."""

    time: NDArray[np.float64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]


@dataset(
    version=1,
    domain="seismology",
    task="classification",
    label="earthquake or noise",
    rate_hz=RATE_HZ,
    channels=("x", "y", "z"),
    length=LENGTH,
    group="event folder",
    metric="macro_f1",
    extra_metrics=("weighted_f1", "accuracy"),
    margin=0.02,
    manual="take the folder data of github.com/openeew/openeew-seismology",
    licence="CC-BY-SA-4.0",
    cite="OpenEEW, Grillo, github.com/openeew/openeew",
)
def openeew(folder: Path) -> Iterator[Series]:
    """Earthquake or noise in 27 s of acceleration at low-cost sensors in Mexico (OpenEEW).

    Format: ``<event day>/<device>/<minute>.jsonl``, five minutes a file; a line holds 32 values
    of ``x``, ``y`` and ``z`` (gal; which axis is vertical is not stated), ``sr`` 31.25 and the
    Unix time of the last value by two clocks. Lines may be out of order and missing; they are
    ordered in time, and no window crosses a gap. ``device_t`` counts, but where it differs from
    ``cloud_t`` by more than 5 s, the device's clock was wrong and ``cloud_t`` counts. Many devices
    of 2017 and 2018 send their 32 values every 1.065 s, so they sampled at some 30.05 Hz, whatever
    ``sr`` says; times follow the clocks, and samples are taken as they are.

    Classes, from ``events.txt`` (origin times and places) and ``device_locations.json``:
    ``earthquake`` if the window meets the 20 s after the S arrival (at 3.5 km/s over the ground)
    of an event at most 200 km away; ``noise`` if no event of the catalogue began during the
    window or in the ten minutes before. Other windows (waves on their way, coda, far events that
    these sensors hardly see) are neither and are left out.

    Groups: the event folder; a folder holds one event at many devices.

    Split: none is published.
    """
    quakes, places = _catalogue(folder), _places(folder)
    paths = find_files(folder, "*.jsonl")
    rows = (row for path in paths for row in _instances(path, quakes, places))
    return in_blocks(rows, RATE_HZ, folder)


def _instances(
    path: Path, quakes: Quakes, places: dict[str, tuple[float, float]]
) -> Iterator[Instance]:
    day, device = path.absolute().parts[-3:-1]
    if device not in places:
        raise DataError(
            f"device {device!r} is not in device_locations.json, so its distance is unknown",
            where=str(path),
            mend="add its coordinates there, or remove the folder of that device",
        )
    distances = _distances(*places[device], quakes)
    for times, run in _runs(path):
        for start in range(0, len(times) - LENGTH + 1, LENGTH):
            begin, end = times[start], times[start + LENGTH - 1]
            label = _label(begin, end, distances, quakes.time)
            uid = f"{day}/{device}/{path.stem}#{begin:.3f}"
            if label:
                yield Instance(run[:, start : start + LENGTH], label, day, uid, begin, end)


def _label(begin: float, end: float, km: NDArray[np.float64], origin: NDArray[np.float64]) -> str:
    if not ((origin > begin - QUIET_S) & (origin < end)).any():
        return "noise"
    s_wave = origin + km / S_KM_S
    shaken = (km <= REACH_KM) & (s_wave < end) & (s_wave + SHAKING_S > begin)
    return "earthquake" if shaken.any() else ""


def _runs(path: Path) -> Iterator[tuple[NDArray[np.float64], Floats]]:
    """Stretches without a gap: Unix time of each sample, samples ``(3, time)``."""
    lines = text_of(path).splitlines()
    packets = sorted(
        (_packet(text, f"{path}, line {n}") for n, text in enumerate(lines, 1) if text.strip()),
        key=lambda packet: packet[0],
    )
    ends = np.array([end for end, _ in packets])
    late = np.diff(ends) - np.array([x.shape[1] for _, x in packets[1:]]) / RATE_HZ
    cuts = [0, *(np.flatnonzero(np.abs(late) > JUMP_S) + 1), len(packets)]
    for start, stop in pairwise(cuts):
        if stop > start:
            run = packets[start:stop]
            # Counted from the start of the run, times would be 12 s off after five minutes.
            times = [end - np.arange(x.shape[1])[::-1] / RATE_HZ for end, x in run]
            yield np.concatenate(times), np.concatenate([x for _, x in run], axis=1)


def _packet(text: str, where: str) -> tuple[float, Floats]:
    """Time of the last sample, and the samples of one line."""
    try:
        fields = json.loads(text)
        x = np.array([fields[axis] for axis in "xyz"], np.float32)
        device, cloud, rate_hz = (fields[key] for key in ("device_t", "cloud_t", "sr"))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise DataError(
            f"the line is no record of x, y, z, device_t, cloud_t and sr: {error!r}",
            where=where,
            mend="remove that line, or fetch the file again",
        ) from error
    if rate_hz != RATE_HZ or x.ndim != 2 or not x.size:
        raise DataError(
            f"sr is {rate_hz!r} and x, y, z have shape {x.shape}, not {RATE_HZ} and (3, 32)",
            where=where,
            mend="remove that line, or fetch the file again",
        )
    device, cloud = finite(device, "device_t", where), finite(cloud, "cloud_t", where)
    return (device if abs(cloud - device) <= CLOCK_S else cloud), x


def _distances(latitude: float, longitude: float, quakes: Quakes) -> NDArray[np.float64]:
    """Kilometres over the ground to each event (haversine)."""
    here, there = np.radians(latitude), np.radians(quakes.latitude)
    east = np.radians(quakes.longitude - longitude)
    half = np.sin((there - here) / 2) ** 2 + np.cos(here) * np.cos(there) * np.sin(east / 2) ** 2
    return np.asarray(2 * 6371.0 * np.arcsin(np.sqrt(half)))


def _catalogue(folder: Path) -> Quakes:
    """Blocks of ``key = value`` between lines of dashes."""
    path = find_file(folder, "events.txt")
    rows: list[tuple[float, float, float]] = []
    for block in text_of(path).split("-----"):
        fields = dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line)
        if fields:
            rows.append(_event(fields, f"{path}, event {len(rows) + 1}"))
    if not rows:
        raise DataError("the catalogue holds no event", where=str(path), mend="fetch it again")
    return Quakes(*np.array(rows, np.float64).T)


def _event(fields: dict[str, str], where: str) -> tuple[float, float, float]:
    try:
        time = datetime.fromisoformat(fields.get("time", "")).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise DataError(
            f"the origin time is {fields.get('time', 'missing')!r}, not like 2017-12-01 00:28:59",
            where=where,
            mend="repair or remove that event",
        ) from error
    latitude, longitude = (finite(fields.get(key), key, where) for key in ("latitude", "longitude"))
    return time, latitude, longitude


def _places(folder: Path) -> dict[str, tuple[float, float]]:
    path = find_file(folder, "device_locations.json")
    try:
        devices: list[dict[str, Any]] = json.loads(text_of(path))
        places = {d["device_id"]: (d["latitude"], d["longitude"]) for d in devices}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(
            f"{path.name} is no list of device_id, latitude and longitude: {error!r}",
            where=str(path),
            mend="fetch the file again",
        ) from error
    return {
        device: (finite(north, "latitude", str(path)), finite(east, "longitude", str(path)))
        for device, (north, east) in places.items()
    }
