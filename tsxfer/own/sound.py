"""Sound files as signals; read with soundfile, whose faults become clear messages."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.signals import Signal

UNKNOWN = (0, 0xFFFFFFFF)  # lengths that programs write which do not know it yet


def signal(path: Path, name: str) -> Signal:
    """A wav or flac file; samples from -1 to 1.

    Raises:
        DataError: If it is no such file, is empty, or shorter than its own header declares.
    """
    import soundfile

    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".wav":
                _refuse_cut(file, path)
            info = soundfile.info(file)
    except (soundfile.SoundFileError, OSError, struct.error, TypeError) as error:
        raise _unreadable(path, error) from None
    if not info.frames:
        raise _unreadable(path, ValueError("it holds no sample"))

    def read(start: int, stop: int) -> NDArray[Any]:
        return _samples(path, start, stop)

    names = ("sound",) if info.channels == 1 else tuple(f"c{n}" for n in range(info.channels))
    return Signal(
        name=name,
        channels=names,
        rate=float(info.samplerate),
        length=info.frames,
        dtype=np.dtype(np.float32),
        read=read,
    )


def _samples(path: Path, start: int, stop: int) -> NDArray[np.float32]:
    import soundfile

    try:
        # An open file, not a path: libsndfile must not look for anything else beside it.
        with path.open("rb") as file, soundfile.SoundFile(file) as sound:
            sound.seek(start)
            found = sound.read(stop - start, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        raise _unreadable(path, error) from None
    if len(found) < stop - start:
        raise _cut(path, stop, start + len(found), "samples")
    return np.ascontiguousarray(found.T)


def _refuse_cut(file: BinaryIO, path: Path) -> None:
    """A wav file whose header declares more bytes of sound than there are."""
    size = path.stat().st_size
    if file.read(4) == b"RIFF":
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, declared = head[:4], struct.unpack("<I", head[4:])[0]
            if name == b"data":
                there = size - file.tell()
                if declared not in UNKNOWN and declared > there:
                    raise _cut(path, declared, there, "bytes of sound")
                break
            file.seek(declared + declared % 2, 1)
    file.seek(0)


def _cut(path: Path, declared: int, there: int, what: str) -> DataError:
    return DataError(
        f"{path.name} is cut: its header declares {declared:,} {what}, it holds {there:,}",
        where=str(path),
        mend="copy or unpack that file again, or remove it",
    )


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path.name} ({path.stat().st_size:,} bytes) is no readable sound file: {error}",
        where=str(path),
        mend="copy or unpack that file again, or remove it",
    )
