"""WFDB records (``.hea`` with ``.dat`` and annotations), read with wfdb."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.codes import LOOKED_AT, left_out, told
from tsxfer.own.description import Description
from tsxfer.own.signals import Signal, Span

HELD = ("annotation", "note")  # labels that hold until the next; beats label no other windows
ANNOTATIONS = ("atr", "ann", "ari", "qrs", "hyp")
PLAIN = re.compile(r"^(?!\.)[A-Za-z0-9_.\-]+$|^~$")  # names of files beside the header, and of none


def signal(path: Path, name: str, described: Description) -> Signal:
    """A record; samples in physical units, read in slices.

    Rhythms (notes such as ``(AFIB``) and sleep stages hold until the next one. Where annotations
    are beats alone, each labels the window around it. ``--label symbol`` or ``--label note``
    settles it.

    Raises:
        DataError: If it is no such record, or names files elsewhere.
    """
    wfdb = _wfdb(path)
    record, stem = _header(wfdb, path), str(path.with_suffix(""))
    names = tuple(map(str, record.sig_name or ()))
    wanted = [part.strip() for part in described.x.split(",") if part.strip()]
    missing = [part for part in wanted if part not in names]
    if missing or not names or not record.sig_len:
        raise DataError(
            f"no signal {', '.join(missing)}" if missing else "the record holds no signal",
            where=f"{path} has: {', '.join(names)}",
            mend="name signals of the record with --x NAME,NAME",
        )
    kept = [
        n
        for n, each in enumerate(names)
        if (each in wanted if wanted else each not in described.ignore)
    ]
    kept, notes = (kept, ()) if wanted else _signals_of(kept, names, wfdb, record, path)

    def read(start: int, stop: int) -> NDArray[Any]:
        try:
            found = wfdb.rdrecord(stem, sampfrom=start, sampto=stop, channels=kept).p_signal
            if found.shape != (stop - start, len(kept)):
                raise ValueError(f"samples {start} to {stop} are not there")
        except Exception as error:  # wfdb passes on what numpy and its parsers raise
            raise _unreadable(path, error) from None
        return np.ascontiguousarray(found.T)

    made = Signal(
        name=name,
        channels=tuple(names[n] for n in kept),
        rate=float(record.fs),
        length=int(record.sig_len),
        dtype=np.dtype(np.float64),
        read=read,
        units=tuple(str(record.units[n]) for n in kept) if record.units else (),
        notes=notes,
    )
    silent = described.unlabelled and described.label not in HELD
    if described.intervals or silent:
        return made
    return _annotated(wfdb, made, described, path)


def _signals_of(
    kept: list[int], names: tuple[str, ...], wfdb: Any, record: Any, path: Path
) -> tuple[list[int], tuple[str, ...]]:
    """Without signals that are codes of events, and what is said of those."""
    stop, stem = min(int(record.sig_len), LOOKED_AT), str(path.with_suffix(""))

    def part(at: int) -> NDArray[Any]:
        try:
            found = wfdb.rdrecord(stem, sampto=stop, channels=[kept[at]], physical=False)
            return np.asarray(found.d_signal[:, 0])
        except Exception as error:  # as above
            raise _unreadable(path, error) from None

    mine = [names[n] for n in kept]
    out = left_out(mine, part)
    return [n for at, n in enumerate(kept) if at not in out], told(mine, [mine[at] for at in out])


def _wfdb(path: Path) -> Any:
    try:
        import wfdb
    except ImportError as error:
        raise DataError(
            f"WFDB records need wfdb, which cannot be imported: {error}",
            where=str(path),
            mend='pip install "tsxfer[biosignals]"',
        ) from None
    return wfdb


def _header(wfdb: Any, path: Path) -> Any:
    """The header; refused where it names files that do not lie beside it."""
    try:
        record = wfdb.rdheader(str(path.with_suffix("")))
        files = [
            *(getattr(record, "file_name", None) or ()),
            *(getattr(record, "seg_name", None) or ()),
        ]
    except Exception as error:  # as above
        raise _unreadable(path, error) from None
    elsewhere = [file for file in files if not PLAIN.match(str(file))]
    if elsewhere:
        raise DataError(
            f"the record names {elsewhere[0]!r}, which is no plain name of a file beside it",
            where=str(path),
            mend="put all files of the record into one folder",
        )
    if getattr(record, "seg_name", None):
        raise DataError(
            f"{path.name} joins {len(record.seg_name)} segments, which is not supported",
            where=str(path),
            mend="give the records of its segments",
        )
    return record


def _annotated(wfdb: Any, made: Signal, described: Description, path: Path) -> Signal:
    ending = next((e for e in ANNOTATIONS if path.with_suffix(f".{e}").exists()), "")
    if not ending:
        return made
    try:
        found = wfdb.rdann(str(path.with_suffix("")), ending)
        at, symbols = np.asarray(found.sample), list(map(str, found.symbol))
        notes = [str(note).strip("\0 ") for note in found.aux_note or [""] * len(at)]
        if not len(at) == len(symbols) == len(notes) or (
            len(at) and (at.min() < 0 or at.max() > made.length)
        ):
            raise ValueError("annotations lie outside of the record, or lack a part")
    except Exception as error:  # as above
        raise _unreadable(path.with_suffix(f".{ending}"), error) from None
    told = {"symbol": False, "": any(notes)} | dict.fromkeys(HELD, True)
    if described.label not in told:
        raise DataError(
            f"--label {described.label} is nothing that annotations of WFDB have",
            where=str(path),
            mend="say --label note (rhythms, stages) or --label symbol (beats)",
        )
    if told[described.label]:
        return _held(made, at, ["" if n.lstrip("(") in described.ignore else n for n in notes])
    return _around(made, at, symbols, described, path)


def _held(made: Signal, at: NDArray[Any], notes: list[str]) -> Signal:
    said = [(int(a), n.lstrip("(")) for a, n in zip(at, notes, strict=True) if n.lstrip("(")]
    starts = [a for a, _ in said] + [made.length]
    spans = [Span(a, b, n) for (a, n), b in zip(said, starts[1:], strict=True) if a < b]
    note = (
        "labels are the notes of annotations; each holds until the next (--label symbol takes "
        "beats)"
    )
    return replace(made, spans=tuple(spans), notes=(*made.notes, note))


def _around(
    made: Signal, at: NDArray[Any], symbols: list[str], described: Description, path: Path
) -> Signal:
    """A span of one window around each beat, where it fits."""
    from tsxfer.own.signals import span_of

    if not described.window:
        raise DataError(
            f"{len(at)} beats are annotated, and how long a window is does not stand there",
            where=str(path),
            mend="say --window, e.g. --window 1s: from half a second before each beat",
        )
    length = span_of(described.window, described.rate or made.rate, "--window")
    starts = [int(a) - length // 2 for a in at]
    spans = [
        Span(a, a + length, s)
        for a, s in zip(starts, symbols, strict=True)
        if a >= 0 and a + length <= made.length and s not in described.ignore
    ]
    note = "labels are the symbols of beats, each in the middle of its window"
    return replace(made, spans=tuple(spans), notes=(*made.notes, note))


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, DataError):
        return error
    return DataError(
        f"{path.name} is no complete WFDB file: {str(error)[:200] or type(error).__name__}",
        where=str(path),
        mend="copy or fetch the files of that record again (.hea, .dat, .atr)",
    )
