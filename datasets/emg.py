"""Pinches of the fingers in the muscles of the forearm (Myo armband)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data import RemoteFile, Series, Whole, dataset
from tsxfer.data.arrays import read_array
from tsxfer.data.reading import find_files, refuse_empty
from tsxfer.data.windows import single_label_starts
from tsxfer.errors import DataError
from tsxfer.simulate.emg import gestures

RATE_HZ, LENGTH, STEP, CHANNELS = 200.0, 80, 10, 8
APART_S = 100_000.0  # sessions carry no date; this keeps their clocks apart


@dataset(
    version=1,
    domain="medicine",
    task="classification",
    label="gesture",
    rate_hz=RATE_HZ,
    channels=tuple(f"emg{number}" for number in range(CHANNELS)),
    length=LENGTH,
    group="subject",
    metric="macro_f1",
    extra_metrics=("weighted_f1", "accuracy"),
    margin=0.02,
    whole=Whole(classes=4),
    paper_channels=(0, 2, 5),
    files=(RemoteFile("https://zenodo.org/record/3194792/files/Pinch.zip?download=1"),),
    manual="download Pinch.zip (or its sibling Roshambo.zip) from zenodo.org/record/3194792",
    licence="CC-BY-4.0 (not verified; see zenodo.org/record/3194792)",
    cite="E. Donati, EMG from forearm datasets for hand gestures recognition, Zenodo 2019, "
    "doi:10.5281/zenodo.3194792",
)
def emg(folder: Path) -> Iterator[Series]:
    """Four pinches recognised from 0.4 s of forearm EMG.

    Format: pairs ``<stem>_emg.npy`` ``(samples, 8)`` and ``<stem>_ann.npy`` ``(samples,)``, a
    session each, 200 Hz, Myo units of signed 8 bits. Annotations come as bytes (``|S7``) or as
    unicode (``<U7``), and both are read. Files that hold Python objects are refused, since reading
    them would run code. The sibling archive Roshambo has the same layout.

    Classes: the annotations, ``Pinch1`` to ``Pinch4`` in the study; ``none`` is dropped.
    Windows of 80 samples start every 10 and carry one single label, as in the study.

    Groups: the subject, ``subjectNN`` in the stem; a stem without one is its own group. Windows
    overlap by 70 samples, so they must never be split at random. Times are seconds within the
    session, on clocks that do not overlap.

    Split: none is published.
    """
    blocks = (_windows(*pair, index) for index, pair in enumerate(_pairs(folder)))
    return refuse_empty(blocks, folder)


def _pairs(folder: Path) -> list[tuple[str, Path, Path]]:
    stems = {
        path.with_name(path.stem[:-4]): None
        for path in find_files(folder, "*_emg.npy", "*_ann.npy")
    }
    pairs = [
        (p.name, p.with_name(f"{p.name}_emg.npy"), p.with_name(f"{p.name}_ann.npy")) for p in stems
    ]
    for _, signal, labels in pairs:
        for path, other in ((signal, labels), (labels, signal)):
            if not path.exists():
                raise DataError(
                    f"{path.name} is missing, {other.name} is there",
                    where=str(path.parent),
                    mend="unpack the archive again; the two files belong together",
                )
    return pairs


def _windows(stem: str, signal_path: Path, label_path: Path, index: int) -> Series:
    signal, labels = _load(signal_path, "iuf"), _words(label_path)
    if signal.shape != (*labels.shape, CHANNELS) or labels.ndim != 1:
        raise DataError(
            f"shapes {signal.shape} and {labels.shape}, not (samples, {CHANNELS}) and (samples,)",
            where=f"{signal_path} and {label_path.name}",
            mend="unpack the archive again",
        )
    starts = single_label_starts(labels, LENGTH, STEP)
    starts = starts[labels[starts] != "none"]
    x = signal[starts[:, None] + np.arange(LENGTH)].transpose(0, 2, 1).astype(np.float32)
    subject = re.match(r"(subject_?\d+)", stem, re.IGNORECASE)
    group = subject[1].lower() if subject else stem
    time = index * APART_S + starts / RATE_HZ
    uid = np.array([f"{stem}#{start}" for start in starts], np.str_)
    groups = np.full(len(starts), group)
    return Series(
        x=x,
        y=labels[starts],
        group=groups,
        uid=uid,
        rate_hz=RATE_HZ,
        time_start=time,
        time_end=time + LENGTH / RATE_HZ,
    )


def _words(path: Path) -> NDArray[np.str_]:
    """Annotations as text; those that came as bytes are ASCII."""
    found = _load(path, "SU")
    try:
        return found.astype(np.str_)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name} holds an annotation that is no ASCII text: {error.reason}",
            where=str(path),
            mend="unpack the archive again",
        ) from error


def _load(path: Path, kinds: str) -> NDArray[Any]:
    """The array of a file, which never runs code."""
    mend = "fetch the archive again; files of Python objects are not read, as they run code"
    array = read_array(path, mend=mend)
    if array.dtype.kind not in kinds:
        raise DataError(
            f"{path.name} holds {array.dtype}, not {'text' if 'U' in kinds else 'numbers'}",
            where=str(path),
            mend="unpack the archive again",
        )
    return array


emg.simulator(version=1, count=15500)(gestures)
