"""Folders of files, and single long recordings: what each file is, and what its name says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError, SpecError
from tsxfer.own import array_signals, edf, physionet, seismograms, sound, table_signals
from tsxfer.own.alike import same_channels
from tsxfer.own.catalogues import Catalogue, catalogue_of
from tsxfer.own.content import Content
from tsxfer.own.cutting import content_of
from tsxfer.own.description import Description
from tsxfer.own.folder_doubts import odd_folders, other_kinds, refuse_deep
from tsxfer.own.interval_tables import read_intervals
from tsxfer.own.intervals import apply
from tsxfer.own.naming import Pattern, any_fits, named
from tsxfer.own.official import parts_of, with_parts
from tsxfer.own.packed import WORDS
from tsxfer.own.signals import Signal
from tsxfer.own.walking import files_below

SOUNDS, EARTH = (".wav", ".flac"), tuple(seismograms.FORMATS)
TABLES = table_signals.ENDINGS
KINDS = (SOUNDS, edf.ENDINGS, (".hea",), EARTH, (".npy",), TABLES)  # one is read at a time
ENDINGS = (*SOUNDS, *EARTH, *edf.ENDINGS, ".hea", ".npy", *TABLES)


@dataclass(frozen=True, slots=True)
class One:
    """A window or recording before it is opened: its files and what is known of it."""

    files: tuple[Path, ...]
    name: str
    label: Any = None
    group: str = ""
    fields: tuple[tuple[str, str], ...] = ()


def beside(path: Path, described: Description) -> tuple[Path, ...]:
    """Files read with a recording: the other files of a WFDB record, labels of an array."""
    if path.suffix.lower() == ".hea":
        return tuple(sorted(f for f in path.parent.iterdir() if f.stem == path.stem and f != path))
    if path.suffix.lower() == ".npy" and described.label:
        return tuple(f for f in (path.parent / described.label,) if f.is_file())
    return ()


def _of_one_kind(below: Sequence[Path]) -> list[Path]:
    """Of files below a folder those of the first kind there."""
    for kind in KINDS:
        chosen = [file for file in below if _ending(file) in kind]
        if chosen:
            return [file for file in chosen if not WORDS.match(file.name)] or chosen
    return []


def _ending(path: Path) -> str:
    return next((e for e in ENDINGS if path.name.lower().endswith(e)), "")


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows of a folder of files, or of one recording.

    Raises:
        TsxferError: If nothing can be read, or labels are missing.
    """
    ones, label, group, notes = _listed(path, described)
    signals, inner = _opened(ones, described, scratch)
    if described.intervals and not described.unlabelled:
        where = Path(described.intervals)
        found, inner_label, inner_group = read_intervals(where, described)
        signals = [replace(s, rate=s.rate or described.rate) for s in signals]
        signals, inner = apply(signals, found, where), (inner_label, inner_group)
    named = not described.unlabelled or described.label == label  # to predict, if it is asked for
    signals = [
        s.labelled(one.label if named else None, one.group)
        for s, one in zip(signals, ones, strict=True)
    ]
    known = (label, inner[0] or label)
    label, group = inner[0] or label, inner[1] or group
    _refuse_no_label(ones[0].files[0], known, described)
    if described.group and not group and not described.unlabelled:
        raise DataError(
            f"no column {described.group!r} for --group",
            where=str(path),
            mend="name a column of the recording or of the intervals, or write it as a field of "
            "--pattern, e.g. {session}",
        )
    if not described.unlabelled:
        _refuse_unlabelled(signals, path, described)
    if described.window and len(ones) > 1 and not group and not described.unlabelled:
        signals = [s.labelled(None, one.name) for s, one in zip(signals, ones, strict=True)]
        group = "file"
        notes = [
            *notes,
            "each file is a group of its own (--pattern with {group}, or --group, settles it)",
        ]
    made = content_of(signals, described, label or "label", group)
    table = ones[0].name.lower().endswith(TABLES) and made.channels == signals[0].channels
    columns = made.channels if table else ()
    made = replace(made, notes=(*notes, *made.notes), columns=columns)
    return made if described.unlabelled else _parted(made, ones, described, path)


def _refuse_no_label(first: Path, known: tuple[str, ...], described: Description) -> None:
    """``--label`` that names nothing, where folders or annotations say the label in any case."""
    unnamed = _ending(first) in (*SOUNDS, *EARTH, *edf.ENDINGS) and not described.unlabelled
    if unnamed and described.label and described.label not in known:
        raise DataError(
            f"--label {described.label} names no field of --pattern, and no column",
            where=str(first),
            mend=f"leave it out: folders, names or annotations say the label; or write it into "
            f"--pattern, e.g. '{{{described.label}}}_{{n}}{first.suffix}'",
        )


def _parted(made: Content, ones: list[One], described: Description, path: Path) -> Content:
    """With the official split, where ``--test`` names a field of the pattern.

    Raises:
        SpecError: If it names none.
    """
    if described.test in ("", "no"):
        return made
    sides = {one.name: dict(one.fields).get(described.test) for one in ones}
    if None in sides.values() or described.window:
        raise SpecError(
            f"--test {described.test} is no field of --pattern"
            + (", and windows are cut" if described.window else ""),
            where=str(path),
            mend="name a field that says train or test, e.g. --pattern "
            "'{part}/{label}/{name}.wav' --test part; or leave --test out",
        )
    values = np.array([sides[one.name] for one in ones])
    part, note = parts_of(values, described.test, str(path))
    return with_parts(made, part, note, str(path))


def _listed(path: Path, described: Description) -> tuple[list[One], str, str, list[str]]:
    """What there is to open, with the names of label and group."""
    if path.is_file():
        return [One((path,), path.name)], "", "", []
    below = files_below(path)
    files = _of_one_kind(below)
    table = catalogue_of(path, files, described)
    if table is not None:
        return _from_catalogue(path, table), table.label, table.group, list(table.notes)
    if not files:
        raise DataError(
            "no file that can be read",
            where=str(path),
            mend=f"give a folder of files that end in {', '.join(ENDINGS)}; docs/layouts.md lists "
            f"all",
        )
    pattern = described.pattern
    if described.unlabelled and pattern and not any_fits(files, path, pattern):
        pattern = ""  # files to predict need no label in their names
    fits, notes = named(files, path, pattern)
    field, label = _field_of_group(described), _field_of_label(described)
    notes += other_kinds(path, below, files, ENDINGS)
    if not described.pattern and not described.window:
        refuse_deep(files, path)
        notes += odd_folders(path, files)
    ones = [
        One(
            (file,),
            file.relative_to(path).as_posix(),
            fields.get(label),
            fields.get(field, ""),
            tuple(fields.items()),
        )
        for file, fields in fits
    ]
    group = field if any(one.group for one in ones) else ""
    return ones, label, group, notes


def _field_of_label(described: Description) -> str:
    """The field of a pattern that names labels: what ``--label`` says, or ``{label}``."""
    said = bool(described.pattern) and described.label in Pattern(described.pattern).fields
    return described.label if said else "label"


def _field_of_group(described: Description) -> str:
    """The field of a pattern that names groups: what ``--group`` says, or ``{group}``."""
    said = bool(described.pattern) and described.group in Pattern(described.pattern).fields
    return described.group if said else "group"


def _from_catalogue(path: Path, table: Catalogue) -> list[One]:
    return [
        One(tuple(path / file for file in files), " and ".join(files), label, group)
        for files, label, group in zip(table.files, table.labels, table.groups, strict=True)
    ]


def _opened(
    ones: list[One], described: Description, scratch: Path
) -> tuple[list[Signal], tuple[str, str]]:
    """Signals of all files, and what the label and group columns inside of them are called."""
    signals, inner = [], ("", "")
    for one in ones:
        parts = []
        for file in one.files:
            with _one_of_many(file, len(ones)):
                made, found = _signal(file, one, described, scratch)
            parts.append(made)
            inner = inner if any(inner) else found
        signals.append(parts[0] if len(parts) == 1 else _joined(parts, one.name))
    return signals, inner


@contextmanager
def _one_of_many(file: Path, count: int) -> Iterator[None]:
    """A table of a folder that cannot be read may be none of its recordings."""
    try:
        yield
    except DataError as error:
        if count > 1 and file.name.lower().endswith(TABLES):
            error.mend += (
                f"; if {file.name} is no recording, leave it out: --pattern that the others fit"
            )
        raise


def _signal(
    path: Path, one: One, described: Description, scratch: Path
) -> tuple[Signal, tuple[str, str]]:
    ending = _ending(path)
    if ending in SOUNDS:
        return sound.signal(path, one.name), ("", "")
    if ending in EARTH:
        return seismograms.signal(path, one.name), ("", "")
    if ending in edf.ENDINGS:
        return edf.signal(path, one.name, described), (edf.ANNOTATION, "")
    if ending == ".hea":
        return physionet.signal(path, one.name, described), ("annotation", "")
    if ending == ".npy":
        return _array(path, one, described), ("", "")
    made, roles = table_signals.signal(path, one.name, described, scratch)
    return made, (roles.label, roles.group)


def _array(path: Path, one: One, described: Description) -> Signal:
    made = array_signals.array_signal(path, one.name, described)
    if not described.label:
        return made
    beside = array_signals.label_file(path, described.label, dict(one.fields))
    return array_signals.array_labels(beside, made, described.ignore)


def _joined(parts: list[Signal], name: str) -> Signal:
    """Files of one component each as the channels of one signal."""
    first = parts[0]
    same_channels(parts)
    if {(p.rate, p.length) for p in parts} != {(first.rate, first.length)}:
        shown = ", ".join(f"{p.length} samples at {p.rate:g} Hz" for p in parts)
        raise DataError(
            f"components of unequal length or rate: {shown}",
            where=name,
            mend="trim them to one stretch of time",
        )

    def read(start: int, stop: int) -> NDArray[Any]:
        return np.concatenate([part.read(start, stop) for part in parts])

    channels = [channel for part in parts for channel in part.channels]
    if len(set(channels)) < len(channels):
        channels = [f"c{number}" for number in range(len(channels))]
    units = tuple(unit for part in parts for unit in part.units or ("",) * len(part.channels))
    units = units if any(units) else ()
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    made = replace(first, name=name, channels=tuple(channels), units=units, read=read)
    return replace(made, notes=notes)


def _refuse_unlabelled(signals: list[Signal], path: Path, described: Description) -> None:
    if described.window:
        if any(span.label is not None for signal in signals for span in signal.spans):
            return
    elif all(signal.spans[0].label is not None and len(signal.spans) == 1 for signal in signals):
        return
    bad = next(
        s for s in signals if described.window or len(s.spans) != 1 or s.spans[0].label is None
    )
    if len(bad.spans) > 1:
        raise DataError(
            f"{bad.name} is a recording: {bad.length:,} samples whose label changes "
            f"{len(bad.spans) - 1} times",
            where=str(path),
            mend="cut it into windows of one label, e.g. --window 2s --step 1s",
        )
    raise DataError(
        f"{bad.name} has no label: no column, annotation, sub-folder or part of its name says one",
        where=str(path),
        mend="name the column with --label, put files into a folder for each class, give "
        "--pattern '{label}_{group}_{n}"
        + (_ending(path) or path.suffix or ".wav")
        + "', or --intervals FILE",
    )
