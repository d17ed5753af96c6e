"""Magnitudes of local earthquakes, instrument response removed (LEN-DB)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tsxfer.data import RemoteFile, Series, Whole, dataset
from tsxfer.data.hdf5 import at, attribute, group_at, opened, samples, trace_at
from tsxfer.data.reading import Instance, find_file, finite, in_blocks
from tsxfer.simulate.earthquakes import local_ground_motion

SHAPE = (3, 540)  # (channel, time), 27 s


@dataset(
    version=1,
    domain="seismology",
    task="regression",
    label="magnitude",
    unit="magnitude",
    rate_hz=20.0,
    channels=("Z", "N", "E"),
    length=540,
    group="event",
    metric="mae",
    extra_metrics=("medae", "rmse", "r2"),
    margin=0.02,
    whole=Whole(instances=629_095, groups=304_878),  # Magrini et al. 2020, abstract
    files=(RemoteFile("https://zenodo.org/record/3648232/files/LEN-DB.hdf5?download=1"),),
    manual="download LEN-DB.hdf5 (about 20 GB) from zenodo.org/record/3648232",
    licence="CC-BY-4.0",
    cite="F. Magrini, D. Jozinović, F. Cammarano, A. Michelini, L. Boschi, Artificial "
    "Intelligence in Geosciences 1 (2020) 1-10; doi:10.5281/zenodo.3648232",
)
def local_eq_ir(folder: Path) -> Iterator[Series]:
    """Magnitude of a local earthquake from 27 s of ground velocity (LEN-DB).

    Format: one HDF5 file; group ``EQ`` (629,095 traces; read) and ``AN`` (noise; not read). A
    trace is a data set ``(3, 540)``, components Z, N, E at 20 Hz, response removed, named
    ``<network>_<station>_<start, Unix time>``.

    Labels: the attribute ``mag``.

    Groups: attributes ``otime``, ``evla`` and ``evlo``, that is one earthquake at one place; all
    its traces carry the same numbers.

    Split: none is used here; the study split by trace.
    """
    return in_blocks(_instances(find_file(folder, "*.hdf5", "*.h5")), 20.0, folder)


def _instances(path: Path) -> Iterator[Instance]:
    with opened(path) as file:
        traces = group_at(file, "EQ")
        for name in sorted(traces):
            node = trace_at(traces, name)
            origin, latitude, longitude = (_number(node, k) for k in ("otime", "evla", "evlo"))
            group = f"{origin:.3f}/{latitude:.4f}/{longitude:.4f}"
            yield Instance(samples(node, SHAPE), _number(node, "mag"), group, name)


def _number(node: Any, name: str) -> float:
    return finite(attribute(node, name), f"attribute {name!r}", at(node))


local_eq_ir.simulator(version=1, count=15500, length=400)(local_ground_motion)
