"""Reading SAC files with obspy, whose faults become clear messages."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from tsxfer.errors import DataError


def read_sac(path: Path, rate_hz: float) -> Any:
    """The trace of a SAC file, an ``obspy.Trace``.

    Args:
        path: The file.
        rate_hz: The rate that it must have.

    Raises:
        DataError: If it is no SAC file, is damaged, or has another rate; if obspy is missing.
    """
    read = obspy_read("SAC files")
    try:
        # Given a path, obspy expands wildcards in it and unpacks archives into temporary files.
        with path.open("rb") as file:
            trace = read(file, format="SAC", check_compression=False)[0]
    except Exception as error:  # obspy has no common base class of its errors
        raise DataError(
            f"{path.name} ({path.stat().st_size:,} bytes) is no complete SAC file: {error}",
            where=str(path),
            mend="fetch the file again",
        ) from error
    if abs(trace.stats.delta * rate_hz - 1) > 1e-5:  # SAC keeps the interval in 32 bits
        raise DataError(
            f"the sampling interval is {trace.stats.delta:g} s, not {1 / rate_hz:g} s",
            where=str(path),
            mend=f"take the original files at {rate_hz:g} Hz",
        )
    return trace


def obspy_read(what: str, where: str = "") -> Any:
    """The reader of obspy, an extra.

    Args:
        what: Files that need it, for the message.
        where: The file that is to be read.

    Raises:
        DataError: If it cannot be imported.
    """
    try:
        with warnings.catch_warnings():
            # Importing obspy asks importlib.metadata in a way that Python 3.11 deprecates.
            warnings.simplefilter("ignore", DeprecationWarning)
            from obspy import read
    except ImportError as error:
        raise DataError(
            f"{what} need obspy, which cannot be imported: {error}",
            where=where,
            mend='pip install "tsxfer[seismology]"',
        ) from error
    return read
