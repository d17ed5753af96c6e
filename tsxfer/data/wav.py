"""Reading wav files with librosa, whose faults are told in words."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from tsxfer.data.series import Floats
from tsxfer.errors import DataError


def read_wav(path: Path, rate_hz: int) -> Floats:
    """The samples of a mono wav file, -1 to 1.

    Args:
        path: The file.
        rate_hz: The rate that it must have.

    Raises:
        DataError: If it is no wav file, is damaged or empty, or has another rate or two channels.
    """
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise _unreadable(path, f"it starts with {head!r}, not with RIFF and WAVE")
    with warnings.catch_warnings():
        # librosa imports deprecated modules, and on a broken file warns of each decoder it tries.
        warnings.simplefilter("ignore")
        import librosa

        try:
            # Given a path, librosa hands what it cannot decode to ffmpeg; given a file, not.
            with path.open("rb") as file:
                sound, found_hz = librosa.load(file, sr=None, mono=False)
        except Exception as error:  # librosa passes on what each of its decoders raises
            raise _unreadable(path, str(error) or type(error).__name__) from error
    if found_hz != rate_hz or sound.ndim != 1 or not sound.size:
        raise DataError(
            f"{found_hz} Hz and shape {sound.shape}, not {rate_hz} Hz and one channel",
            where=str(path),
            mend="take the original files; tsxfer resamples by itself",
        )
    return np.asarray(sound, np.float32)


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(
        f"{path.name} ({path.stat().st_size:,} bytes) is no readable wav file: {why}",
        where=str(path),
        mend="unpack the archive again, or remove that file",
    )
