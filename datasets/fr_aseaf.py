"""Distant earthquakes at one station on the sea floor (FR.ASEAF)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tsxfer.data import Series, Whole, dataset
from tsxfer.data.reading import Instance, find_files, finite, in_blocks
from tsxfer.data.sac import read_sac
from tsxfer.errors import DataError

RATE_HZ, LENGTH = 20.0, 1000
COMPONENTS = ("E", "N", "Z")
NAME = re.compile(r"(\d{4}(?:\.\d+){5})\.([^.]*)\.([^.]*)\.BH([ENZ])\.")


@dataset(
    version=1,
    domain="seismology",
    task="regression",
    label="magnitude",
    unit="magnitude",
    rate_hz=RATE_HZ,
    channels=COMPONENTS,
    length=LENGTH,
    group="event",
    metric="mae",
    extra_metrics=("medae", "rmse", "r2"),
    margin=0.02,
    whole=Whole(groups=60),
    manual="take the folder test_data/ASEAF/ASEAF_data of github.com/IPGP/splitlab",
    licence="GPL-2.0 (repository, which says nothing apart about the data)",
    cite="A. Wuestefeld et al., SplitLab, Computers & Geosciences 2008, "
    "doi:10.1016/j.cageo.2007.08.002; RESIF, doi:10.15778/RESIF.FR",
)
def fr_aseaf(folder: Path) -> Iterator[Series]:
    """Magnitude of a distant earthquake from 50 s at one sea-floor station (FR.ASEAF).

    Format: SAC, ``<yyyy.jjj.hh.mm.ss.ffff>.FR.ASEAF.<BHE|BHN|BHZ>..SAC``, one file a component,
    20 Hz, 49,999 or 50,000 samples of counts; 60 events, 90 to 119 degrees away. Reading needs
    obspy. Three files of one stamp make an event; an incomplete triple is an error.
    ``database_ASEAF_SKS.dat`` lists events that are not in the folder, and is not read.

    Windows: 1,000 samples, one after the other, from the P onset (header ``a`` of the vertical;
    those of the three components differ by less than a sample) to the end of the record. What is
    left over at the end is shorter than a window.

    Labels: the header ``mag``, unrounded, 6.0 to 8.24 and mostly below 6.5.

    Groups: the stamp, that is the event. Sixty events at one station are few.

    Split: none is published.
    """
    events: dict[str, dict[str, Path]] = {}
    for path in find_files(folder, "*.SAC", "*.sac"):
        stamp, component = _parse(path)
        events.setdefault(stamp, {})[component] = path
    return in_blocks(_instances(events), RATE_HZ, folder)


def _instances(events: dict[str, dict[str, Path]]) -> Iterator[Instance]:
    for stamp, paths in events.items():
        missing = [f"BH{name}" for name in COMPONENTS if name not in paths]
        if missing:
            raise DataError(
                f"event {stamp} lacks {' and '.join(missing)}",
                where=str(next(iter(paths.values())).parent),
                mend="fetch the missing file, or remove the other components of that event",
            )
        traces = [read_sac(paths[name], RATE_HZ) for name in COMPONENTS]
        if len({len(trace.data) for trace in traces}) > 1:
            raise DataError(
                f"components of {[len(trace.data) for trace in traces]} samples",
                where=stamp,
                mend="fetch the files of that event again",
            )
        yield from _windows(stamp, traces, paths["Z"])


def _windows(stamp: str, traces: list[Any], path: Path) -> Iterator[Instance]:
    record, header = np.stack([trace.data for trace in traces]), traces[-1].stats.sac
    onset_s, begin_s, label = (
        finite(header.get(key), f"SAC header {key!r}", str(path)) for key in ("a", "b", "mag")
    )
    onset = round((onset_s - begin_s) * RATE_HZ)
    starts = range(onset, record.shape[1] - LENGTH + 1, LENGTH)
    if onset < 0 or not starts:
        raise DataError(
            f"P onset at sample {onset} of {record.shape[1]}, so no window fits behind it",
            where=str(path),
            mend="repair the header 'a', or remove the three files of that event",
        )
    first = traces[-1].stats.starttime.timestamp
    for start in starts:
        time = first + start / RATE_HZ
        x = record[:, start : start + LENGTH].astype(np.float32)
        yield Instance(x, label, stamp, f"{stamp}#{start}", time, time + LENGTH / RATE_HZ)


def _parse(path: Path) -> tuple[str, str]:
    found = NAME.match(path.name)
    if not found:
        raise DataError(
            f"the name {path.name!r} is not <stamp>.<network>.<station>.<BHE|BHN|BHZ>..SAC",
            where=str(path),
            mend="remove files of other sets from the folder",
        )
    return found[1], found[4]
