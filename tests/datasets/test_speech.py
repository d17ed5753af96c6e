"""Speech Commands: the real test files, and made clips of other lengths."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tsxfer.data import Series
from tsxfer.errors import DataError

PLACE = "speech/speech_commands_v0.02_testset"
COUNTS = {
    "_silence_": 250,
    "_unknown_": 255,
    "down": 255,
    "go": 246,
    "left": 252,
    "no": 264,
    "off": 246,
    "on": 247,
    "right": 249,
    "stop": 251,
    "up": 264,
    "yes": 253,
}


@pytest.fixture(scope="module")
def real(read, unpacked) -> Series:
    """All of the real clips."""
    return read("speech", unpacked(PLACE))


def clip(path: Path, values: object, rate_hz: int = 16000) -> None:
    """A 16-bit wav file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.asarray(values, np.int16), rate_hz, subtype="PCM_16", format="WAV")


def test_real_clips(real: Series) -> None:
    """3,032 clips of exactly 16,000 samples at 16 kHz, in the twelve classes of the set."""
    assert real.x.shape == (3_032, 1, 16_000)
    assert real.rate_hz == 16_000
    assert Counter(real.y.tolist()) == COUNTS
    assert np.abs(real.x).max() == 1


def test_real_speakers(real: Series) -> None:
    """159 speakers and 250 clips of silence, each its own group; no word is taken for a speaker."""
    silent = real.y == "_silence_"
    assert len(set(real.group[~silent])) == 159
    assert len(set(real.group[silent])) == 250
    assert all(re.fullmatch("[0-9a-f]{8}", group) for group in real.group[~silent])
    assert not set(real.group[silent]) & set(real.group[~silent])


def test_real_names_with_a_word_before_the_speaker(real: Series) -> None:
    """`_unknown_` clips are named word_speaker_nohash_n.wav.wav and share speakers with others."""
    unknown = real.y == "_unknown_"
    assert all(uid.endswith(".wav.wav") for uid in real.uid[unknown])
    assert set(real.group[unknown]) & set(real.group[~unknown])


def test_short_clips_are_padded_with_rolling_noise(read, tmp_path: Path) -> None:
    """Each clip takes up the concatenated noise where the last one left it, around the end."""
    clip(tmp_path / "_background_noise_/b.wav", np.arange(3_000, 5_000))
    clip(tmp_path / "_background_noise_/a.wav", np.arange(0, 3_000))
    for word, length in (("bed", 15_000), ("cat", 12_500), ("dog", 16_000)):
        clip(tmp_path / word / "0a7c2a8d_nohash_0.wav", np.full(length, -7))
    found = (read("speech", tmp_path).x[:, 0] * 32768).round().astype(int)
    assert (found[0, :15_000] == -7).all()
    assert found[0, 15_000:].tolist() == list(range(1_000))
    assert found[1, 12_500:].tolist() == list(range(1_000, 4_500))
    assert (found[2] == -7).all()


def test_noise_rolls_over_its_end(read, tmp_path: Path) -> None:
    """Noise that is shorter than the gap is repeated, and is no class of its own."""
    clip(tmp_path / "_background_noise_/a.wav", np.arange(1, 4))
    clip(tmp_path / "bed/0a7c2a8d_nohash_0.wav", np.zeros(15_992))
    found = read("speech", tmp_path)
    assert (found.x[0, 0, -8:] * 32768).round().tolist() == [1, 2, 3, 1, 2, 3, 1, 2]
    assert found.y.tolist() == ["bed"]


def test_zeros_where_there_is_no_noise_and_a_cut_at_the_end(read, tmp_path: Path) -> None:
    """A short clip ends in zeros without the folder of noise; a long one loses its end."""
    clip(tmp_path / "x/bed/0a7c2a8d_nohash_0.wav", np.full(10_000, 5))
    clip(tmp_path / "x/bed/0a7c2a8d_nohash_1.wav", np.arange(20_000))
    found = (read("speech", tmp_path).x[:, 0] * 32768).round()
    assert not found[0, 10_000:].any()
    assert found[1].tolist() == list(range(16_000))


@pytest.mark.parametrize(
    ("values", "rate_hz", "shown"),
    [
        (np.zeros(8_000), 8_000, r"8000 Hz and shape \(8000,\), not 16000 Hz and one channel"),
        (np.zeros((16_000, 2)), 16_000, r"shape \(2, 16000\)"),
        (np.zeros(0), 16_000, r"shape \(0,\)"),
    ],
)
def test_bad_clips(read, tmp_path: Path, values: object, rate_hz: int, shown: str) -> None:
    """Another rate, a second channel and an empty clip are shown with the file."""
    clip(tmp_path / "bed/0a7c2a8d_nohash_0.wav", values, rate_hz)
    with pytest.raises(DataError, match=shown) as caught:
        read("speech", tmp_path)
    assert caught.value.where.endswith("bed/0a7c2a8d_nohash_0.wav")


@pytest.mark.parametrize("content", [b"", b"ID3 this is no wav file", b"RIFF\0\0\0\0WAVEjunk"])
def test_what_is_no_wav(read, tmp_path: Path, content: bytes) -> None:
    """A file that only bears the name of a wav is named, and no decoder warns."""
    path = tmp_path / "bed/0a7c2a8d_nohash_0.wav"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"nohash_0\.wav \({len(content)} bytes\) is no readable"):
        read("speech", tmp_path)


def test_folders_that_are_wrong(read, tmp_path: Path) -> None:
    """No files, an empty class, clips outside of classes and odd names each have a message."""
    with pytest.raises(DataError, match="no file like"):
        read("speech", tmp_path)
    clip(tmp_path / "bed/hello.wav", np.zeros(16_000))
    with pytest.raises(DataError, match=r"'hello\.wav' tells no speaker"):
        read("speech", tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(DataError, match="class folder 'cat' holds no wav file"):
        read("speech", tmp_path)
    with pytest.raises(DataError, match="outside of the class folders"):
        read("speech", tmp_path / "bed")


def test_the_card_names_both_rates_and_the_checksum(load) -> None:
    """Files are at 16 kHz, models see 8 kHz, and the archive has the published checksum."""
    card = load("speech").card
    assert (card.file_rate_hz, card.rate_hz, card.seconds) == (16_000, 8_000, 1)
    assert card.files[0].sha256.startswith("af14739e")
