"""Where the traces of a SeisBench file lie: buckets, components, order of axes, rate."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data import hdf5
from tsxfer.data.reading import plain
from tsxfer.errors import DataError

PLACE = re.compile(r"^([^$]+)\$(\d+)((?:,:\d+)*)$")
OLD = ("data", "earthquake/local", "non_earthquake/noise")  # the last two: STEAD before SeisBench


@dataclass(frozen=True, slots=True)
class Chunk:
    """One file of waveforms and how its traces lie.

    Attributes:
        file: The HDF5 file.
        turned: Traces are ``(time, component)``.
        components: Names; () where the file does not say.
        rate: Samples a second in Hz; 0 where the file does not say.
    """

    file: Path
    turned: bool
    components: tuple[str, ...]
    rate: float


@dataclass(frozen=True, slots=True)
class Trace:
    """Where one trace lies.

    Attributes:
        chunk: Its file.
        name: Data set in the file.
        row: Row of a bucket; -1 where a data set is one trace.
        size: Components and samples.
    """

    chunk: Chunk
    name: str
    row: int
    size: tuple[int, int]


def samples_of(file: Any, trace: Trace) -> NDArray[np.float32]:
    """The samples of a trace, ``(component, time)``."""
    node = hdf5.node_at(file, trace.name)
    found = node[trace.row] if trace.row >= 0 else node[...]
    found = found.T if trace.chunk.turned else found
    return np.asarray(found[: trace.size[0], : trace.size[1]], np.float32)


def format_of(file: Any, path: Path) -> Chunk:
    """What ``data_format`` says: order of axes and components, rate."""

    def fact(name: str) -> Any:
        node = file.get(f"data_format/{name}")
        return None if node is None else plain(node[()])

    order, components = str(fact("dimension_order") or "CW"), fact("component_order")
    axes = order.replace("N", "").upper()
    if axes not in ("CW", "WC"):
        raise DataError(
            f"traces are ordered {order!r}, not CW or WC",
            where=str(path),
            mend="write them with components (C) and samples (W) alone",
        )
    rate = fact("sampling_rate")
    return Chunk(path, axes == "WC", tuple(str(components or "")), float(rate or 0.0))


def traces_of(file: Any, chunk: Chunk, names: list[str], metadata: Path) -> list[Trace]:
    """Where traces of these names lie.

    Raises:
        DataError: If one is not there, or has no two axes.
    """
    known: dict[str, tuple[str, tuple[int, ...]]] = {}
    made = []
    for row, name in enumerate(names):
        bucket = PLACE.match(name)
        place, at = (bucket[1], int(bucket[2])) if bucket else (name, -1)
        if place not in known:
            known[place] = _found(file, place, metadata, row)
        full, shape = known[place]
        whole = shape[1:] if at >= 0 else shape
        if len(whole) != 2 or (at >= 0 and at >= shape[0]):
            raise DataError(
                f"the trace {name} is not in its data set of shape {shape}",
                where=f"{metadata}, row {row + 2}",
                mend="copy or fetch metadata and waveforms together again",
            )
        if at < 0 and not chunk.components and whole[0] > whole[1]:
            chunk = replace(chunk, turned=True)  # as STEAD's first files: (6000, 3)
        made.append(_trace(chunk, full, at, whole, bucket[3] if bucket else ""))
    return [replace(trace, chunk=chunk, size=_turned(trace, chunk)) for trace in made]


def _turned(trace: Trace, chunk: Chunk) -> tuple[int, int]:
    """Components and samples of a trace, once it is known which comes first."""
    return trace.size[::-1] if chunk.turned and not trace.chunk.turned else trace.size


def _trace(chunk: Chunk, place: str, at: int, whole: tuple[int, ...], cut: str) -> Trace:
    ends = [
        min(int(e), w) for e, w in zip(cut.replace(":", "").split(",")[1:], whole, strict=False)
    ]
    size = (*ends, *whole[len(ends) :])
    return Trace(chunk, place, at, (size[1], size[0]) if chunk.turned else (size[0], size[1]))


def _found(file: Any, place: str, metadata: Path, row: int) -> tuple[str, tuple[int, ...]]:
    """Path and shape of a data set in the file."""
    folder, _, last = place.strip("/").rpartition("/")
    for root in OLD:
        names = [name for name in (*root.split("/"), *folder.split("/")) if name]
        group = file
        for name in names:
            group = hdf5.group_at(group, name) if name in group else None
            if group is None:
                break
        if group is not None and last in group:
            full = "/".join((*names, last))
            return full, tuple(hdf5.node_at(file, full).shape)
    raise DataError(
        f"the trace {place} is listed and not in the waveforms",
        where=f"{metadata}, row {row + 2}",
        mend="copy or fetch metadata and waveforms together again",
    )
