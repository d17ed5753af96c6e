"""Magnitudes of earthquakes all over the world (LOMAX)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tsxfer.data import RemoteFile, Series, dataset
from tsxfer.data.hdf5 import at, attribute, group_at, opened, samples, trace_at
from tsxfer.data.reading import Instance, find_file, finite, in_blocks
from tsxfer.errors import DataError
from tsxfer.simulate.earthquakes import teleseisms

PARTS = ("train", "validate", "test", "test2")
SHAPE = (1001, 3)  # (time, channel), 50 s
APART_S = 1300.0  # P needs at most some 1,210 s to reach any station on Earth
START = re.compile(r"(\d{4}\.\d{1,2}\.\d{1,2}\.\d{1,2}\.\d{1,2}\.\d{1,2})\.(\d{1,3})$")


@dataset(
    version=1,
    domain="seismology",
    task="regression",
    label="magnitude",
    unit="magnitude",
    rate_hz=20.0,
    channels=("1", "2", "3"),
    length=1001,
    group="event",
    metric="mae",
    extra_metrics=("medae", "rmse", "r2"),
    margin=0.02,
    files=(
        RemoteFile(
            "https://zenodo.org/record/5040865/files/ConvNetQuake_INGV_dataset.hdf5?download=1"
        ),
    ),
    manual="download ConvNetQuake_INGV_dataset.hdf5 from zenodo.org/record/5040865",
    licence="not stated; see zenodo.org/record/5040865",
    cite="doi:10.5281/zenodo.5040865; doi:10.1016/j.knosys.2021.107976",
)
def global_eq(folder: Path) -> Iterator[Series]:
    """Magnitude of an earthquake anywhere on Earth from 50 s of seismogram (LOMAX).

    Format: one HDF5 file; groups ``train``, ``validate``, ``test`` and ``test2``, each with
    ``events`` (read) and ``noise`` (not read). A trace is a data set ``(1001, 3)`` at 20 Hz,
    named ``<network>_<station>_<location>_<channel>.<start of the trace>``, and starts 5 s before
    the predicted P arrival. The order of the components is not stated.

    Labels: the attribute ``magnitude``.

    Groups: the four parts share traces, and a name that occurs again is dropped, as in the study.
    If every trace has an attribute ``event_id``, it is the group. Otherwise traces are chained in
    time: one that starts less than 1,300 s after the one before it joins its group. P reaches
    any station on Earth within some 1,210 s of the origin, so traces of an event are never parted;
    events that follow one another closely share a group, which costs little and leaks nothing.

    Split: the four parts are pooled and split again by group; the study split by trace.
    """
    path = find_file(folder, "*.hdf5", "*.h5")
    return in_blocks(_instances(path), 20.0, folder)


def _instances(path: Path) -> Iterator[Instance]:
    with opened(path) as file:
        nodes: dict[str, str] = {}
        for part in PARTS:
            for name in sorted(group_at(file, f"{part}/events")):
                nodes.setdefault(name, f"{part}/events/{name}")
        groups = _groups(file, nodes)
        for name in sorted(nodes):
            node = trace_at(file, nodes[name])
            label = finite(attribute(node, "magnitude"), "attribute 'magnitude'", at(node))
            yield Instance(samples(node, SHAPE).T, label, groups[name], name)


def _groups(file: Any, nodes: dict[str, str]) -> dict[str, str]:
    """Event of each trace: as the file says, or else chained in time."""
    known = {name: attribute(trace_at(file, node), "event_id") for name, node in nodes.items()}
    if all(value not in (None, "") for value in known.values()):
        return {name: str(value) for name, value in known.items()}
    groups, group, before = {}, "", -APART_S
    for start, name in sorted((_start(name, file.filename), name) for name in nodes):
        if start - before >= APART_S:
            group = datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        groups[name], before = group, start
    return groups


def _start(name: str, filename: str) -> float:
    """Unix time at which a trace starts, from its name."""
    try:
        moment, thousandths = START.search(name).groups()  # type: ignore[union-attr]
        parsed = datetime.strptime(moment, "%Y.%m.%d.%H.%M.%S").replace(tzinfo=UTC)
        return parsed.timestamp() + int(thousandths) / 1000
    except (AttributeError, ValueError) as error:
        raise DataError(
            f"the trace name {name!r} does not end in a start time like 2007.07.31.10.49.59.717",
            where=filename,
            mend="rename or remove that trace",
        ) from error


global_eq.simulator(version=1, count=15500, length=600)(teleseisms)
