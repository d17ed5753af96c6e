"""Magnitudes of local earthquakes in counts (STEAD)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from tsxfer.data import Series, dataset
from tsxfer.data.hdf5 import at, attribute, group_at, opened, samples, trace_at
from tsxfer.data.reading import Instance, find_files, finite, in_blocks
from tsxfer.data.tables import read_table
from tsxfer.errors import DataError
from tsxfer.simulate.earthquakes import local_counts

SHAPE = (6000, 3)  # (time, channel), 60 s
LAYOUTS = ("earthquake/local", "data")  # of 2019, as in the study, and of 2020
FACTS = ("trace_category", "source_id", "source_origin_time", "source_magnitude")
UNKNOWN = ("", "None", "nan")


@dataset(
    version=1,
    domain="seismology",
    task="regression",
    label="magnitude",
    unit="magnitude",
    rate_hz=100.0,
    channels=("E", "N", "Z"),
    length=6000,
    group="event",
    metric="mae",
    extra_metrics=("medae", "rmse", "r2"),
    margin=0.02,
    amplitude=False,  # the one set of the study that is fed without it
    manual="download merge.hdf5 and merge.csv (85 GB), or chunk2 to chunk6 (.hdf5 and .csv), as "
    "github.com/smousavi05/STEAD describes, into one folder",
    licence="CC-BY-4.0",
    cite="S. M. Mousavi et al., STanford EArthquake Dataset (STEAD), IEEE Access 2019, "
    "doi:10.1109/ACCESS.2019.2947848",
)
def local_eq(folder: Path) -> Iterator[Series]:
    """Magnitude of a local earthquake from 60 s of seismogram in counts (STEAD).

    Format: HDF5, one file or several chunks. Traces are data sets ``(6000, 3)``, components E, N,
    Z at 100 Hz, in ``earthquake/local`` (2019, which the study read) or ``data`` (2020). Facts
    are attributes of the trace, as text, bytes or numbers; one that is missing there is
    taken from the CSV beside the file: the one of the same name, else all of that folder.

    Labels: ``source_magnitude``, whatever its type (mostly local magnitude).

    Groups: ``source_id``; where it is unknown, ``source_origin_time``.

    Noise (``trace_category`` noise, or a name that ends in ``_NO`` if no category is given) is no
    part of this task and left out. A trace in two files is an error, since a chunk
    beside the merged file would count twice.

    Split: none is used here; the study split by trace.
    """
    return in_blocks(_instances(find_files(folder, "*.hdf5", "*.h5")), 100.0, folder, 256)


def _instances(paths: list[Path]) -> Iterator[Instance]:
    home: dict[str, str] = {}
    for path in paths:
        beside = _Table(path)
        with opened(path) as file:
            for name, node in _nodes(file):
                facts = {fact: _fact(node, name, fact, beside) for fact in FACTS}
                if (facts["trace_category"] or name[-3:]).startswith(("noise", "_NO")):
                    continue
                if home.setdefault(name, path.name) != path.name:
                    raise _twice(name, home[name], path)
                yield _instance(name, node, facts)


def _nodes(file: Any) -> Iterator[tuple[str, Any]]:
    layout = next((layout for layout in LAYOUTS if layout in file), None)
    if layout is None:
        raise DataError(
            f"no group {' or '.join(LAYOUTS)}; the file has {', '.join(file) or 'nothing'}",
            where=file.filename,
            mend="give files of STEAD only",
        )
    group = group_at(file, layout)
    return ((name, trace_at(group, name)) for name in sorted(group))


def _instance(name: str, node: Any, facts: dict[str, str]) -> Instance:
    label = finite(facts["source_magnitude"] or None, "source_magnitude", at(node))
    origin = facts["source_origin_time"]
    # An id that went through a table of floats is the same id.
    group = facts["source_id"].removesuffix(".0") or (origin and f"origin {origin}")
    if not group:
        raise DataError(
            "neither source_id nor source_origin_time is known, so the event is not",
            where=at(node),
            mend="put the metadata CSV of STEAD beside the HDF5 file",
        )
    return Instance(samples(node, SHAPE).T, label, group, name)


def _fact(node: Any, name: str, fact: str, beside: _Table) -> str:
    text = str(attribute(node, fact)).strip()
    if text in UNKNOWN:
        text = beside.get(name, fact).strip()
    return "" if text in UNKNOWN else text


class _Table:
    """The CSV beside an HDF5 file, read when the first attribute is missing."""

    def __init__(self, path: Path) -> None:
        own = path.with_suffix(".csv")
        self.paths = [own] if own.exists() else sorted(path.parent.glob("*.csv"))

    def get(self, name: str, fact: str) -> str:
        return self._facts.get(fact, {}).get(name, "")

    @cached_property
    def _facts(self) -> dict[str, dict[str, str]]:
        facts: dict[str, dict[str, str]] = {fact: {} for fact in FACTS}
        for path in self.paths:
            rows = _rows(path)
            for fact in rows.columns.intersection(list(FACTS)):
                facts[fact].update(zip(rows["trace_name"], rows[fact], strict=True))
        return facts


def _rows(path: Path) -> Any:
    wanted = {"trace_name", *FACTS}
    rows = read_table(path, usecols=wanted.__contains__, dtype=str, keep_default_na=False)
    if "trace_name" not in rows:
        raise DataError(
            "no column 'trace_name'",
            where=str(path),
            mend="keep only the metadata CSV of STEAD beside the HDF5 files",
        )
    return rows


def _twice(name: str, first: str, path: Path) -> DataError:
    return DataError(
        f"trace {name} is in {first} and in {path.name}",
        where=str(path.parent),
        mend="keep either the merged file or the chunks",
    )


local_eq.simulator(version=1, count=15500, length=300, rate_hz=20.0)(local_counts)
