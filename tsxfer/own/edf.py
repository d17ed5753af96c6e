"""EDF and BDF recordings with their annotations; read with edfio."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.codes import LOOKED_AT, left_out, told
from tsxfer.own.description import Description
from tsxfer.own.interval_tables import Interval
from tsxfer.own.intervals import apply
from tsxfer.own.signals import Signal

ENDINGS = (".edf", ".bdf")
ANNOTATION = "annotation"  # what the label of such a file is called


def signal(path: Path, name: str, described: Description) -> Signal:
    """A recording; samples in physical units, read in slices, labels from its annotations.

    Raises:
        DataError: If it is no such file, or its channels differ in rate.
    """
    opened = _opened(path)
    channels, notes = _chosen(opened.signals, described, path)
    rate, length = float(channels[0].sampling_frequency), _length(channels, opened, path)

    def read(start: int, stop: int) -> NDArray[Any]:
        try:
            found = [_slice(channel, start, stop, rate) for channel in channels]
            return np.stack(found)
        except Exception as error:  # edfio passes on what numpy raises on damaged records
            raise _unreadable(path, error) from None

    names = tuple(channel.label.strip() or f"c{n}" for n, channel in enumerate(channels))
    made = Signal(
        name=name,
        channels=names,
        rate=rate,
        length=length,
        dtype=np.dtype(np.float64),
        read=read,
        units=tuple(str(channel.physical_dimension).strip() for channel in channels),
        notes=notes,
    )
    silent = described.unlabelled and described.label != ANNOTATION
    if described.intervals or silent:
        return made
    return _annotated(made, opened, described, path)


def _slice(channel: Any, start: int, stop: int, rate: float) -> NDArray[np.float64]:
    # A little after the first sample's time: so rounding cannot reach the sample before.
    found = channel.get_data_slice((start + 1e-3) / rate, (stop + 1e-3) / rate)
    if len(found) != stop - start:
        raise ValueError(f"samples {start} to {stop} are not there")
    return np.asarray(found, np.float64)


def _opened(path: Path) -> Any:
    try:
        import edfio
    except ImportError as error:
        raise DataError(
            f"EDF and BDF files need edfio, which cannot be imported: {error}",
            where=str(path),
            mend='pip install "tsxfer[biosignals]"',
        ) from None
    _refuse_cut(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.suffix.lower() == ".bdf":
                return edfio.read_bdf(path)
            return edfio.read_edf(path, lazy_load_data=True)
    except Exception as error:  # edfio has no common base class of its errors
        raise _unreadable(path, error) from None


def _refuse_cut(path: Path) -> None:
    """A file that holds fewer data records than its header declares (-1 there is not known)."""
    with path.open("rb") as file:
        head = file.read(256)
        try:
            records, signals = int(head[236:244]), int(head[252:256])
            file.seek(256 + signals * 216)  # past the other fields of each signal
            counts = [int(file.read(8)) for _ in range(min(signals, 10_000))]
            begin = int(head[184:192])
        except ValueError as error:
            raise _unreadable(path, error) from None
    wide = 3 if path.suffix.lower() == ".bdf" else 2
    there = (path.stat().st_size - begin) // max(1, sum(counts) * wide)
    if records > there:
        raise DataError(
            f"{path.name} is cut: its header declares {records:,} data records, it holds "
            f"{max(0, there):,}",
            where=str(path),
            mend="copy or fetch that file again",
        )


def _chosen(every: Any, described: Description, path: Path) -> tuple[list[Any], tuple[str, ...]]:
    """The channels that are taken, of one rate, and what is said of those that are codes."""
    wanted = [part.strip() for part in described.x.split(",") if part.strip()]
    labels = [one.label.strip() for one in every]
    missing = [part for part in wanted if part not in labels]
    found = [
        one
        for one, label in zip(every, labels, strict=True)
        if (label in wanted if wanted else label not in described.ignore)
    ]
    if missing or not found:
        raise DataError(
            f"no channel {', '.join(missing)}" if missing else "it holds no channel",
            where=f"{path} has: {', '.join(labels[:20])}",
            mend="name channels of the file with --x NAME,NAME",
        )
    names = [one.label.strip() for one in found]
    out = [] if wanted else left_out(names, lambda at: _counted(found[at], path))
    notes = told(names, [names[at] for at in out])
    found = [one for at, one in enumerate(found) if at not in out]
    rates = {float(one.sampling_frequency) for one in found}
    if len(rates) > 1:
        shown = [f"{one.label.strip()} {one.sampling_frequency:g} Hz" for one in found]
        fastest = [o.label.strip() for o in found if float(o.sampling_frequency) == max(rates)]
        raise DataError(
            f"channels of different rates: {', '.join(shown[:12])}",
            where=str(path),
            mend=f"choose channels of one rate, e.g. --x '{','.join(fastest)}'",
        )
    return found, notes


def _counted(channel: Any, path: Path) -> NDArray[Any]:
    """The first samples of a channel, as whole numbers."""
    seconds = LOOKED_AT / float(channel.sampling_frequency)
    try:
        return np.asarray(channel.get_digital_slice(0, seconds))
    except ValueError:  # it is shorter
        return np.asarray(channel.digital)
    except Exception as error:  # as above
        raise _unreadable(path, error) from None


def _length(channels: list[Any], opened: Any, path: Path) -> int:
    samples = int(channels[0].samples_per_data_record) * int(opened.num_data_records)
    if samples < 1:
        raise _unreadable(path, ValueError("it holds no sample"))
    try:
        continuous = bool(opened.is_continuous)
    except Exception as error:  # as above
        raise _unreadable(path, error) from None
    if not continuous:
        raise DataError(
            f"{path.name} has gaps in time (EDF+D), which are not supported",
            where=str(path),
            mend="save its stretches as one continuous file each",
        )
    return samples


def _annotated(made: Signal, opened: Any, described: Description, path: Path) -> Signal:
    """Labels of the annotations; one without a duration holds until the next begins."""
    from dataclasses import replace

    try:
        noted = [(float(a.onset), a.duration, str(a.text)) for a in opened.annotations]
        found = sorted(noted, key=lambda each: (each[0], each[1] or 0.0, each[2]))
    except Exception as error:  # as above
        raise _unreadable(path, error) from None
    found = [each for each in found if each[2].strip() and each[2] not in described.ignore]
    if not found:
        return made
    begins = [each[0] for each in found[1:]] + [made.length / made.rate]
    held = [a for a in found if not a[1]]
    intervals = [
        Interval(onset, onset + (duration or max(0.0, following - onset)), text, "", "")
        for (onset, duration, text), following in zip(found, begins, strict=True)
    ]
    if held:
        made = replace(
            made,
            notes=(
                *made.notes,
                (
                    f"{len(held)} annotations have no duration and hold until the next one, e.g. "
                    f"{held[0][2]} (--intervals FILE settles it)"
                ),
            ),
        )
    return apply([made], [one for one in intervals if one.end > one.start], path)[0]


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, DataError):
        return error
    return DataError(
        f"{path.name} ({path.stat().st_size:,} bytes) is no complete {path.suffix[1:].upper()} "
        f"file: {error}",
        where=str(path),
        mend="copy or fetch that file again",
    )
