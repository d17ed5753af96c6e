"""Spoken words of one second."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tsxfer.data import RemoteFile, Series, Whole, dataset
from tsxfer.data.reading import Instance, find_files, in_blocks
from tsxfer.data.series import Floats
from tsxfer.data.wav import read_wav
from tsxfer.errors import DataError
from tsxfer.simulate.speech import spoken_words

FILE_RATE_HZ, SAMPLES = 16000, 16000
NOISE, SILENCE = "_background_noise_", "_silence_"
SPEAKER = re.compile(r"(?:.*_)?([0-9a-f]+)_nohash_\d+(?:\.wav)?$")


@dataset(
    version=1,
    domain="speech",
    task="classification",
    label="word",
    rate_hz=8000.0,
    file_rate_hz=float(FILE_RATE_HZ),
    channels=("sound",),
    length=8000,
    group="speaker",
    metric="macro_f1",
    extra_metrics=("weighted_f1", "accuracy"),
    margin=0.02,
    whole=Whole(instances=105_829, groups=2_618, classes=35),  # Warden 2018, sections 5 and 7
    files=(
        RemoteFile(
            "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
            sha256="af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
        ),
    ),
    manual="download speech_commands_v0.02.tar.gz from download.tensorflow.org/data",
    licence="CC-BY-4.0",
    cite="P. Warden, Speech Commands, arXiv:1804.03209, 2018",
)
def speech(folder: Path) -> Iterator[Series]:
    """One of 35 spoken words from one second of sound (Speech Commands v0.02).

    Format: a folder for each word, ``<speaker>_nohash_<n>.wav``, 16 kHz, mono, 16 bits, at most
    one second. A shorter clip is padded at its end with a piece of the concatenated files of
    ``_background_noise_``, each piece following the last one used (with zeros where there is no
    such folder); a longer one is cut at its end. Files are read with librosa.

    Classes: the names of the folders. The archive of test files is read too: its ``_unknown_``
    holds ``<word>_<speaker>_nohash_<n>.wav.wav`` and its ``_silence_`` plain numbers, each of
    which is its own group.

    Groups: the speaker's hash.

    Split: the lists of the publisher are not used; neither did the study use them.
    """
    paths = find_files(folder, "*.wav")
    _check_folders(folder, paths)
    noise = [read_wav(path, FILE_RATE_HZ) for path in paths if path.parent.name == NOISE]
    clips = [path for path in paths if path.parent.name != NOISE]
    background = np.concatenate(noise) if noise else np.zeros(SAMPLES, np.float32)
    return in_blocks(_instances(clips, background), float(FILE_RATE_HZ), folder, 256)


def _instances(paths: list[Path], background: Floats) -> Iterator[Instance]:
    used = 0
    for path in paths:
        sound = read_wav(path, FILE_RATE_HZ)[:SAMPLES]
        lacking = SAMPLES - len(sound)
        piece = background[np.arange(used, used + lacking) % len(background)]
        used += lacking
        word, x = path.parent.name, np.concatenate((sound, piece))[None]
        yield Instance(x, word, _speaker(path), f"{word}/{path.name}")


def _speaker(path: Path) -> str:
    found = SPEAKER.match(path.stem)
    if found:
        return found[1]
    if path.parent.name == SILENCE:
        return f"{SILENCE}/{path.stem}"
    raise DataError(
        f"the name {path.name!r} tells no speaker, like 0a7c2a8d_nohash_0.wav",
        where=str(path),
        mend="remove files that are not of Speech Commands from the folder",
    )


def _check_folders(folder: Path, paths: list[Path]) -> None:
    """Complain about wav files outside of class folders, and about class folders without any."""
    words = {path.parent for path in paths}
    if folder in words:
        raise DataError(
            "wav files lie outside of the class folders",
            where=str(folder),
            mend="give the folder that holds one folder for each word",
        )
    beside = {child for word in words for child in word.parent.iterdir() if child.is_dir()}
    for empty in sorted(beside - words):
        if not empty.name.startswith(".") and not any(empty in word.parents for word in words):
            raise DataError(
                f"the class folder {empty.name!r} holds no wav file",
                where=str(empty),
                mend="unpack the archive again, or remove that folder to do without the class",
            )


speech.simulator(version=1, count=15500, length=1500, rate_hz=4000.0)(spoken_words)
