"""Reading wav files with librosa, whose faults become clear messages."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from tsxfer.data.series import Floats
from tsxfer.errors import DataError

STREAMED = 0xFFFFFFFE  # programs that write to a pipe do not know the length, and put this or more


def read_wav(path: Path, rate_hz: int) -> Floats:
    """The samples of a mono wav file, -1 to 1.

    Args:
        path: The file.
        rate_hz: The rate that it must have.

    Raises:
        DataError: If it is no wav file, is damaged or empty, or has another rate or two channels.
    """
    _refuse_cut_off(path)
    with warnings.catch_warnings():
        # librosa imports deprecated modules, and on a broken file warns of each decoder it tries.
        warnings.simplefilter("ignore")
        import librosa
        import soundfile

        try:
            # Given a path, librosa hands what it cannot decode to ffmpeg; given a file, not.
            with path.open("rb") as file:
                sound, found_hz = librosa.load(file, sr=None, mono=False)
        except (soundfile.SoundFileError, EOFError, ValueError, TypeError, KeyError) as error:
            raise _unreadable(path, str(error) or type(error).__name__) from error
        except Exception as error:  # of librosa's own machinery: no file is to blame
            raise _broken_librosa(error) from error
    if found_hz != rate_hz or sound.ndim != 1 or not sound.size:
        raise DataError(
            f"{found_hz} Hz and shape {sound.shape}, not {rate_hz} Hz and one channel",
            where=str(path),
            mend="take the original files; tsxfer resamples by itself",
        )
    return np.asarray(sound, np.float32)


def _refuse_cut_off(path: Path) -> None:
    """Decoders read a file with fewer samples than its header declares without a word."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            raise _unreadable(path, f"it starts with {head!r}, not with RIFF and WAVE")
        while len(chunk := file.read(8)) == 8:
            length = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                break
            file.seek(length + length % 2, 1)
        else:
            return  # what decoders say of a file without samples is clear enough
        held = size - file.tell()
    if held < length < STREAMED:
        raise _unreadable(
            path, f"its header declares {length:,} bytes of samples, {held:,} are there"
        )


def _broken_librosa(error: Exception) -> DataError:
    said = f"{type(error).__name__}: {error}"
    cache = "cache" in str(error) or "locator" in str(error)
    return DataError(
        f"librosa cannot work here ({said})",
        mend="export NUMBA_CACHE_DIR=FOLDER, one that this user can write to"
        if cache
        else "python -m pip install --upgrade librosa soundfile",
    )


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(
        f"{path.name} ({path.stat().st_size:,} bytes) is no readable wav file: {why}",
        where=str(path),
        mend="unpack the archive again, or remove that file",
    )
