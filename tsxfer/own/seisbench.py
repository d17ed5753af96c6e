"""Data sets of SeisBench: ``metadata.csv`` beside ``waveforms.hdf5``, in chunks where large.

Layout: Woollam et al., SeisBench, Seismological Research Letters 2022, doi:10.1785/0220210324; a
trace name such as ``bucket3$12,:3,:1200`` is row 12 of ``data/bucket3``, its first 3 components and
1,200 samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data import hdf5
from tsxfer.data.tables import read_table
from tsxfer.errors import DataError
from tsxfer.own.columns import few
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.lazy import pulled
from tsxfer.own.official import parts_of, with_parts
from tsxfer.own.seisbench_traces import Chunk, Trace, format_of, samples_of, traces_of
from tsxfer.own.signals import Signal, resampled

LABEL, GROUP, RATE = "source_magnitude", "source_id", "trace_sampling_rate_hz"


def is_seisbench(path: Path) -> bool:
    """Whether a folder holds metadata and waveforms as SeisBench writes them."""
    return path.is_dir() and bool(_chunk_files(path))


def _chunk_files(folder: Path) -> list[tuple[Path, Path]]:
    found = (
        (m, m.with_name(f"waveforms{m.stem.removeprefix('metadata')}.hdf5"))
        for m in sorted(folder.glob("metadata*.csv"))
    )
    return [(metadata, waves) for metadata, waves in found if waves.is_file()]


@dataclass(frozen=True, slots=True)
class Part:
    """What one file of metadata lists; each ``(n,)`` of the traces that have a label.

    Attributes:
        traces: Where they lie.
        rates: Samples a second in Hz.
        y: Labels as found.
        groups: Names; "" where there is no such column.
        sides: Words of the official split; "" where none is asked for.
        unlabelled: Traces that have none and are left out.
    """

    traces: list[Trace]
    rates: NDArray[np.float64]
    y: NDArray[Any]
    groups: NDArray[np.str_]
    sides: NDArray[np.str_]
    unlabelled: int


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows of all chunks, read from the files when they are sliced.

    Raises:
        DataError: If a file is damaged, or traces, labels or rates are not there.
    """
    del scratch
    label, group = described.label or LABEL, described.group or GROUP
    parts = [_part(m, w, label, group, described) for m, w in _chunk_files(path)]
    traces = [trace for part in parts for trace in part.traces]
    rates = np.concatenate([part.rates for part in parts])
    rate, notes = _rate(rates, described, path)
    if not traces:
        raise DataError(f"no trace has a {label}", where=str(path), mend="name another --label")
    _refuse_mixed(traces, path)
    if left_out := sum(part.unlabelled for part in parts):
        notes.append(f"{left_out} traces have no {label} and are left out (--label)")
    lengths = np.array([trace.size[1] for trace in traces])
    lengths = np.where(rates == rate, lengths, np.floor(lengths * (rate / rates))).astype(np.int64)
    channels = traces[0].chunk.components or tuple(f"c{n}" for n in range(traces[0].size[0]))
    groups = np.concatenate([part.groups for part in parts])
    silent = described.unlabelled and not described.label
    y = None if silent else np.concatenate([part.y for part in parts])
    made = Content(
        x=_windows(traces, rates, rate, lengths, len(channels)),
        y=y,
        group=groups if any(groups) else None,
        channels=channels,
        label=label,
        group_name=group if any(groups) else "",
        rate=rate,
        notes=tuple(notes),
        lengths=None if (lengths == lengths[0]).all() else lengths,
        rows=np.array([f"{t.name}{f' row {t.row}' if t.row >= 0 else ''}" for t in traces]),
    )
    if described.test in ("", "no") or described.unlabelled:
        return made
    sides = np.concatenate([part.sides for part in parts])
    return with_parts(made, *parts_of(sides, described.test, str(path)), str(path))


def _refuse_mixed(traces: list[Trace], path: Path) -> None:
    """Traces of another number or order of components would be taken for the same channels."""
    found = {(trace.chunk.components or ("?",), trace.size[0]) for trace in traces}
    if len(found) > 1:
        shown = ", ".join(f"{count} ({''.join(names)})" for names, count in sorted(found))
        raise DataError(
            f"traces of different components: {shown}",
            where=str(path),
            mend="give traces of one number and order of components, in folders of their own",
        )
    first, names = traces[0], traces[0].chunk.components
    if names and len(names) != first.size[0]:
        raise DataError(
            f"the trace {first.name} has {first.size[0]} components of {first.size[1]} samples, "
            f"the file names {len(names)} ({''.join(names)})",
            where=str(first.chunk.file),
            mend="correct data_format/dimension_order (CW: components first, WC: samples first) or "
            "component_order in that file",
        )


def _windows(
    traces: list[Trace], rates: NDArray[Any], rate: float, lengths: NDArray[Any], components: int
) -> NDArray[Any]:
    shape = (len(traces), components, int(lengths.max()))

    def pull(wanted: NDArray[np.int64]) -> NDArray[Any]:
        out = np.zeros((len(wanted), *shape[1:]), np.float32)
        for chunk in {id(traces[i].chunk): traces[i].chunk for i in wanted}.values():
            with hdf5.opened(chunk.file) as file:
                for row, index in enumerate(wanted):
                    if traces[index].chunk is chunk:
                        found = samples_of(file, traces[index])
                        out[row, :, : lengths[index]] = _at(
                            found, float(rates[index]), rate, int(lengths[index])
                        )
        return out

    return pulled(shape, np.float32, pull)


def _at(found: NDArray[Any], given: float, rate: float, length: int) -> NDArray[Any]:
    if given == rate:
        return found
    whole = Signal(
        name="",
        channels=(),
        rate=given,
        length=found.shape[1],
        dtype=found.dtype,
        read=lambda a, b: found[:, a:b],
    )
    return resampled(whole, rate).read(0, length)


def _rate(
    rates: NDArray[np.float64], described: Description, path: Path
) -> tuple[float, list[str]]:
    found = np.unique(rates)
    if len(found) > 1 and described.resample:
        return described.resample, [f"{len(found)} rates resampled to {described.resample:g} Hz"]
    if len(found) > 1:
        raise DataError(
            f"traces of {len(found)} rates: {', '.join(f'{r:g}' for r in found[:6])} Hz",
            where=str(path),
            mend=f"bring all to one, e.g. --resample {found[0]:g}",
        )
    return float(found[0]) if len(found) else 0.0, []


def _part(metadata: Path, waves: Path, label: str, group: str, described: Description) -> Part:
    table = read_table(metadata, low_memory=False)
    _refuse_absent(table, metadata, label, described)
    blank = np.full(len(table), "", np.str_)
    empty = np.zeros(len(table), np.bool_)
    if not described.unlabelled:
        empty = table[label].isna().to_numpy()
    kept = table[~empty]
    with hdf5.opened(waves) as file:
        chunk = format_of(file, waves)
        traces = traces_of(file, chunk, kept["trace_name"].astype(str).tolist(), metadata)
        chunk = traces[0].chunk if traces else chunk

    if group in kept.columns and kept[group].isna().any() and not described.unlabelled:
        row = int(kept[group].isna().to_numpy().argmax())
        raise DataError(
            f"{int(kept[group].isna().sum())} of {len(kept)} traces have no {group}",
            where=f"{metadata}, first {kept['trace_name'].iloc[row]}",
            mend="fill it in, or remove those rows: a window without a group could be on both "
            "sides of the split; or name another --group",
        )

    def texts(name: str) -> NDArray[np.str_]:
        column = kept[name].astype(str).to_numpy(np.str_) if name in kept.columns else blank[~empty]
        return np.asarray(column)

    y = kept[label].to_numpy() if label in kept.columns else np.zeros(len(kept))
    sides = texts(described.test)
    rates = _rates(kept, chunk, described, metadata)
    return Part(traces, rates, y, texts(group), sides, int(empty.sum()))


def _refuse_absent(table: Any, metadata: Path, label: str, described: Description) -> None:
    asked = ["trace_name", described.group, "" if described.test == "no" else described.test]
    asked += [] if described.unlabelled and not described.label else [label]
    for name in filter(None, asked):
        if name not in table.columns:
            raise DataError(
                f"no column {name!r}",
                where=f"{metadata} has: {few(list(table.columns))}",
                mend="name one of them with --label, --group or --test",
            )


def _rates(kept: Any, chunk: Chunk, described: Description, metadata: Path) -> NDArray[np.float64]:
    """Of each trace: what the metadata say, else the file's, else what the user says."""
    stated = RATE in kept.columns and kept[RATE].notna().all()
    rates = kept[RATE].to_numpy(np.float64) if stated else np.full(len(kept), chunk.rate)
    return rates if (rates > 0).all() else _said_rate(rates, described, metadata)


def _said_rate(
    rates: NDArray[np.float64], described: Description, metadata: Path
) -> NDArray[np.float64]:
    if not described.rate:
        raise DataError("no sampling rate is stated", where=str(metadata), mend="say --rate HZ")
    return np.full(len(rates), described.rate)
