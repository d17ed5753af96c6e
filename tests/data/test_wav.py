"""Wav faults told in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tsxfer.data.wav import read_wav
from tsxfer.errors import DataError


def clip(folder: Path, values: object, rate_hz: int = 16000) -> Path:
    """A 16-bit wav file."""
    path = folder / "some.wav"
    soundfile.write(path, np.asarray(values, np.int16), rate_hz, subtype="PCM_16")
    return path


def test_samples_are_those_of_the_file(tmp_path: Path) -> None:
    """16 bits become float32 between -1 and 1, at the rate of the file."""
    found = read_wav(clip(tmp_path, [-32768, 0, 1, 32767]), 16000)
    assert found.dtype == np.float32
    assert (found * 32768).tolist() == [-32768, 0, 1, 32767]


@pytest.mark.parametrize(
    ("values", "rate_hz", "shown"),
    [
        (np.zeros(80), 8_000, r"8000 Hz and shape \(80,\), not 16000 Hz and one channel"),
        (np.zeros((80, 2)), 16_000, r"shape \(2, 80\)"),
        (np.zeros(0), 16_000, r"shape \(0,\)"),
    ],
)
def test_another_rate_or_shape(tmp_path: Path, values: object, rate_hz: int, shown: str) -> None:
    """Another rate, a second channel and an empty clip are shown with the file."""
    with pytest.raises(DataError, match=shown) as caught:
        read_wav(clip(tmp_path, values, rate_hz), 16000)
    assert caught.value.where.endswith("some.wav")


@pytest.mark.parametrize("content", [b"", b"ID3 this is no wav file", b"RIFF\0\0\0\0WAVEjunk"])
def test_what_is_no_wav(tmp_path: Path, content: bytes) -> None:
    """A file that only bears the name of a wav is named, and no decoder warns."""
    path = tmp_path / "some.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"some\.wav \({len(content)} bytes\) is no readable wav"):
        read_wav(path, 16000)


def test_a_clip_that_is_cut_off_is_no_short_clip(tmp_path: Path) -> None:
    """A file with a tenth of the samples that its header declares is refused, with both numbers."""
    path = clip(tmp_path, np.arange(16000))
    path.write_bytes(path.read_bytes()[: 44 + 3200])
    with pytest.raises(DataError, match="declares 32,000 bytes of samples, 3,200 are there"):
        read_wav(path, 16000)


def test_a_missing_cache_folder_is_no_bad_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where librosa's compiler has no folder to write to, no file is blamed."""
    import librosa

    def load(*_: object, **__: object) -> None:
        raise RuntimeError("cannot cache function '__o_fold': no locator available for file")

    monkeypatch.setattr(librosa, "load", load)
    with pytest.raises(DataError, match="librosa cannot work here") as caught:
        read_wav(clip(tmp_path, np.zeros(80)), 16000)
    assert "NUMBA_CACHE_DIR" in caught.value.mend
