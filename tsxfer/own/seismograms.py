"""SAC and miniSEED files as signals; read with obspy."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.sac import obspy_read
from tsxfer.errors import DataError
from tsxfer.own.signals import Signal

NAMED = re.compile(r"(?:^|[._\-])([A-Za-z]{0,2}[ENZRT123])(?=[._\-]|$)")  # a component in a name
KINDS = {6: "displacement", 7: "velocity", 8: "acceleration", 50: "volts"}  # SAC's IDEP
UNSCALED = {1.0, -12345.0}
FORMATS = {".sac": "SAC", ".mseed": "MSEED", ".miniseed": "MSEED", ".msd": "MSEED"}


def signal(path: Path, name: str) -> Signal:
    """A seismogram; its traces are the channels, in order of their codes.

    A trace without a code is called by the component in the name of the file, where one stands.

    Raises:
        DataError: If it is no such file, or its traces differ in rate or length.
    """
    traces = _traces(path, headonly=True)
    rates = {float(trace.stats.sampling_rate) for trace in traces}
    lengths = {int(trace.stats.npts) for trace in traces}
    codes = [str(trace.stats.channel) or _called(path, n) for n, trace in enumerate(traces)]
    kinds = [KINDS.get(int(t.stats.get("sac", {}).get("idep", 0)), "") for t in traces]
    if len(rates) > 1 or len(lengths) > 1 or len(set(codes)) < len(codes):
        raise DataError(
            f"{len(traces)} traces that do not fit together: rates {sorted(rates)} Hz, lengths "
            f"{sorted(lengths)}, channels {', '.join(codes[:6])}",
            where=str(path),
            mend="give files whose traces have one rate and length and no gap (merge or trim them "
            "first)",
        )

    def read(start: int, stop: int) -> NDArray[Any]:
        found = np.stack([trace.data for trace in _traces(path, headonly=False)])
        if found.shape[1] < stop:
            raise _unreadable(path, ValueError(f"it holds {found.shape[1]} of {stop} samples"))
        return found[:, start:stop]

    return Signal(
        name=name,
        channels=tuple(codes),
        rate=rates.pop(),
        length=lengths.pop(),
        dtype=np.dtype(np.float64),
        read=read,
        units=tuple(kinds) if all(kinds) else (),
        notes=_scaled(traces),
    )


def _scaled(traces: list[Any]) -> tuple[str, ...]:
    """What is to be said of SAC's factor ``SCALE``, which is not applied; -12345 is none."""
    found = sorted({float(t.stats.get("sac", {}).get("scale", 1.0)) for t in traces} - UNSCALED)
    shown = ", ".join(f"{scale:g}" for scale in found)
    end = "is not applied; where files differ in it, multiply their samples by it first"
    return (f"SAC's header SCALE {shown} {end}",) if found else ()


def _called(path: Path, number: int) -> str:
    """The last part of a file's name that is a component (``ev1.BHZ.sac``), else a number."""
    found = NAMED.findall(path.stem)
    return str(found[-1]).upper() if found and not number else f"c{number}"


def _traces(path: Path, *, headonly: bool) -> list[Any]:
    read = obspy_read("SAC and miniSEED files", str(path))
    try:
        # Given a path, obspy expands wildcards in it and unpacks archives into temporary files.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind = FORMATS.get(path.suffix.lower(), "SAC")
            found = read(file, format=kind, headonly=headonly, check_compression=False)
        traces = sorted(found, key=lambda trace: str(trace.stats.channel))
    except Exception as error:  # obspy has no common base class of its errors
        raise _unreadable(path, error) from None
    if not traces or not traces[0].stats.npts:
        raise _unreadable(path, ValueError("it holds no sample"))
    return traces


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, DataError):
        return error
    return DataError(
        f"{path.name} ({path.stat().st_size:,} bytes) is no complete SAC or miniSEED file: {error}",
        where=str(path),
        mend="copy or fetch that file again",
    )
