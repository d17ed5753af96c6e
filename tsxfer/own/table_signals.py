"""Recordings in tables, one sample a row: text, parquet, and arrays of numpy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.arrays import read_array
from tsxfer.errors import DataError, SpecError
from tsxfer.own.clocks import Clock, clock_of, is_time, seconds
from tsxfer.own.columns import LABELS, few
from tsxfer.own.description import Description
from tsxfer.own.faults import unreadable
from tsxfer.own.runs import Runs
from tsxfer.own.signals import Signal

ROWS = 200_000  # of a block; what memory holds at once
TEXT = (".csv", ".tsv", ".txt", ".dat", ".csv.gz", ".tsv.gz", ".txt.gz")


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a recording are.

    Attributes:
        samples: Channels.
        label: Column of labels; "" where there is none.
        group: Column of groups; "" where there is none.
        time: Column of times; "" where there is none.
        notes: What was guessed.
    """

    samples: tuple[str, ...]
    label: str
    group: str
    time: str
    notes: tuple[str, ...] = ()


def signal(path: Path, name: str, described: Description, scratch: Path) -> tuple[Signal, Roles]:
    """A recording in a table; its samples go to `scratch`, so that memory stays at one block.

    Raises:
        DataError: If a column is missing, is of no known use, or holds what is no number.
    """
    roles, clock, runs = Roles((), "", "", ""), None, Runs(name)
    pieces: list[tuple[int, float]] = []
    count, last = 0, np.nan
    raw = scratch / f"{len(list(scratch.glob('*.raw')))}.raw"
    with raw.open("wb") as out:
        for block in blocks_of(path, described):
            if not count:
                roles = roles_of(block, described, path)
                clock = _clock(block, roles, described, path)
            values = _numbers(block, roles, path, count)
            breaks = np.zeros(len(block), np.bool_)
            if clock is not None:
                times = _times(block, roles, path, count)
                breaks = clock.breaks(times, last)
                last = float(times[-1])
                starts = (
                    np.flatnonzero(breaks) if count else np.union1d([0], np.flatnonzero(breaks))
                )
                pieces += [
                    (count + int(at), float(times[at]) * (clock.unit or 1.0)) for at in starts
                ]
            values.tofile(out)
            runs.add(*_said(block, roles), breaks)
            count += len(block)
    if not count:
        raise unreadable(path, ValueError("it holds no row"))
    return _signal(raw, name, roles, clock, count, runs, pieces), roles


def _signal(
    raw: Path, name: str, roles: Roles, clock: Clock | None, count: int, runs: Runs,
    pieces: list[tuple[int, float]],
) -> Signal:  # fmt: skip
    samples = np.memmap(raw, np.float64, "r", shape=(count, len(roles.samples)))
    notes = list(roles.notes)
    if clock is not None and clock.note:
        notes.append(clock.note)
    if len(pieces) > 1:
        notes.append(
            f"time has {len(pieces) - 1} gaps or steps back in {name}; no window crosses one"
        )
    return Signal(
        name, roles.samples, clock.rate if clock else 0.0, count, np.dtype(np.float64),
        lambda start, stop: np.asarray(samples[start:stop]).T,
        runs.spans(), tuple(pieces) or ((0, 0.0),), tuple(notes),
    )  # fmt: skip


def _clock(block: Any, roles: Roles, described: Description, path: Path) -> Clock | None:
    if not roles.time or len(block) < 2:
        return None
    times, dated = seconds(block[roles.time])
    try:
        return clock_of(roles.time, times, dated, described.rate)
    except DataError as error:
        error.where = str(path) if not error.where else f"{path}, {error.where}"
        raise


def _times(block: Any, roles: Roles, path: Path, before: int) -> NDArray[np.float64]:
    times = seconds(block[roles.time])[0]
    bad = ~np.isfinite(times)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{block[roles.time].iloc[row]!r} is no time ({int(bad.sum())} such cells)",
            where=f"{path}, column {roles.time}, row {before + row + 1}",
            mend=f"correct those rows, or say --ignore {roles.time}",
        )
    return times


def _said(block: Any, roles: Roles) -> tuple[Any, Any]:
    nothing: Any = np.full(len(block), None)
    label: Any = block[roles.label] if roles.label else nothing
    if roles.label and label.dtype.kind not in "iufb":
        label = label.where(label.notna() & (label.astype(str).str.strip() != ""), None)
    return label, block[roles.group] if roles.group else nothing


def roles_of(block: Any, described: Description, path: Path) -> Roles:
    """What each column is, from the flags and from names.

    Raises:
        DataError: If a named column is not there, or one is of no known use.
    """
    names = [name for name in block.columns if name not in described.ignore]
    time = next(
        (n for n in names if is_time(n) and n not in (described.label, described.group)), ""
    )
    group = "group" if "group" in names else ""
    if described.group and not (described.intervals and described.group not in names):
        group = _wanted(described.group, names, block.columns, path, "--group")
    label, notes = _label_of(block, names, (time, group), described, path)
    said = [part.strip() for part in described.x.split(",") if part.strip()]
    for part in said:
        _wanted(part, names, block.columns, path, "--x")
    samples = said or [n for n in names if n not in (time, group, label)]
    strangers = [n for n in samples if not _numeric(block[n])]
    if strangers or not samples:
        raise DataError(
            f"columns that are no numbers, nor label, group or time: {few(strangers)}"
            if samples
            else "no column of samples",
            where=f"{path} has: {few(list(block.columns))}",
            mend=f"say what they are with --label or --group, or leave them out with --ignore {','.join(strangers) or 'NAME'}",
        )
    return Roles(tuple(samples), label, group, time, notes)


def _label_of(
    block: Any, names: list[str], taken: tuple[str, str], described: Description, path: Path
) -> tuple[str, tuple[str, ...]]:
    if described.unlabelled:
        found = described.label if described.label in names else ""
        return found, ()
    if described.label and not described.intervals and "{" not in described.label:
        return _wanted(described.label, names, block.columns, path, "--label"), ()
    if described.intervals:
        return "", ()
    known = [n for n in LABELS if n in names]
    if known:
        return known[0], ()
    words = [n for n in names if n not in taken and not _numeric(block[n])]
    if len(words) == 1 and "{label}" not in described.pattern:
        return words[0], (f"the only column of words, {words[0]}, is taken as label (--label settles it)",)  # fmt: skip
    return "", ()


def _wanted(name: str, names: list[str], every: Any, path: Path, flag: str) -> str:
    """A column by name, or by position where the file names none."""
    if not name:
        return ""
    if name not in names and name.lstrip("-").isdigit() and list(every) == [str(n) for n in range(len(every))]:  # fmt: skip
        at = int(name)
        name = str(at + len(every)) if at < 0 else name
    if name in names:
        return name
    raise DataError(
        f"no column {name!r} for {flag}",
        where=f"{path} has: {few(list(every))}",
        mend=f"name one of them with {flag}",
    )


def _numeric(column: Any) -> bool:
    import pandas as pd

    return column.dtype.kind in "iufb" or bool(pd.to_numeric(column, errors="coerce").notna().mean() > 0.5)  # fmt: skip


def _numbers(block: Any, roles: Roles, path: Path, before: int) -> NDArray[np.float64]:
    """Samples ``(rows, channel)``."""
    import pandas as pd

    out = np.empty((len(block), len(roles.samples)))
    for at, name in enumerate(roles.samples):
        column = block[name]
        found = column if column.dtype.kind in "iufb" else pd.to_numeric(column, errors="coerce")
        bad = (found.isna() & column.notna()).to_numpy()
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                f"{column.iloc[row]!r} is not a number ({int(bad.sum())} such cells)",
                where=f"{path}, column {name}, row {before + row + 1}",
                mend=f"correct the cells, or leave the column out with --ignore {name}",
            )
        out[:, at] = found.to_numpy(np.float64, na_value=np.nan)
    return out


def blocks_of(path: Path, described: Description) -> Iterator[Any]:
    """Blocks of rows as data frames with columns of text names."""
    if path.suffix.lower() == ".parquet":
        yield from _parquet_blocks(path)
    else:
        yield from _text_blocks(path, described)


def _parquet_blocks(path: Path) -> Iterator[Any]:
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=ROWS):
                block = batch.to_pandas()
                block.columns = [str(name) for name in block.columns]
                yield block
    except DataError:
        raise
    except Exception as error:  # pyarrow passes on any fault of a damaged file
        raise unreadable(path, error) from None


def _text_blocks(path: Path, described: Description) -> Iterator[Any]:
    import pandas as pd

    options = _dialect(path, described)
    try:
        with pd.read_csv(path, chunksize=ROWS, low_memory=False, **options) as blocks:
            for block in blocks:
                block.columns = [str(name).strip() for name in block.columns]
                yield block
    except DataError:
        raise
    except (ValueError, OverflowError, OSError, EOFError) as error:
        raise unreadable(path, error) from None


def _dialect(path: Path, described: Description) -> dict[str, Any]:
    """Encoding, separator, decimal sign and header of a text table, from its first lines."""
    encoding, lines = _first_lines(path)
    counts = {sep: min(line.count(sep) for line in lines) for sep in ("\t", ";", ",")}
    sep = next((s for s, found in counts.items() if found), r"\s+")
    cells = _cells(lines[0], sep)
    first = [not _is_number(cell) for cell in cells]
    header = {"yes": True, "no": False}.get(described.header, all(first))
    decimal = "," if sep == ";" and not any("." in line for line in lines[1:]) else "."
    return {
        "sep": sep, "decimal": decimal, "encoding": encoding, "header": 0 if header else None,
        "keep_default_na": False, "na_values": ["", "NaN", "nan", "NA"],
    }  # fmt: skip


def _cells(line: str, sep: str) -> list[str]:
    cells = line.split() if sep == r"\s+" else line.split(sep)
    return [cell.strip().strip('"') for cell in cells]


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _first_lines(path: Path) -> tuple[str, list[str]]:
    import gzip
    import zlib

    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rb") as file:
            head = file.read(1 << 16)
        encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        text = head.decode(encoding, "ignore")
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise unreadable(path, error) from None
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    if not lines:
        raise unreadable(path, ValueError("it holds no line of text"))
    return encoding, lines


def array_signal(path: Path, name: str, described: Description) -> Signal:
    """A recording ``(time, channel)`` or ``(channel, time)`` in a ``.npy`` file, left on disk.

    Raises:
        DataError: If it is no array of numbers with one or two axes.
    """
    array = read_array(path, mend="save it with np.save, without Python objects", mapped="r")
    if array.ndim not in (1, 2) or array.dtype.kind not in "iufb" or not array.size:
        raise DataError(
            f"{array.dtype} {array.shape} is no recording (time, channel)",
            where=str(path),
            mend="give one array of numbers a file",
        )
    table = array[:, None] if array.ndim == 1 else array
    flip = described.axes == "channel,time" or (
        not described.axes and table.shape[0] < table.shape[1]
    )
    table = table.T if flip else table
    notes = () if described.axes or array.ndim == 1 else (
        f"the longer axis of {array.shape} is taken as time (--axes settles it)",
    )  # fmt: skip
    channels = tuple(f"c{number}" for number in range(table.shape[1]))
    return Signal(
        name, channels, 0.0, len(table), table.dtype,
        lambda start, stop: np.asarray(table[start:stop]).T, notes=notes,
    )  # fmt: skip


def array_labels(path: Path, made: Signal) -> Signal:
    """The signal with one label a sample, from a ``.npy`` file of labels.

    Raises:
        DataError: If it does not hold one label a sample.
    """
    from dataclasses import replace

    labels = read_array(path, mend="save it with np.save, without Python objects")
    if labels.shape not in ((made.length,), (made.length, 1)) or labels.dtype.kind not in "iufbSU":
        raise DataError(
            f"labels of {labels.dtype} {labels.shape}, the recording has {made.length} samples",
            where=str(path),
            mend="give one label a sample",
        )
    flat = labels.reshape(-1)
    flat = np.char.decode(flat, "utf-8", "replace") if flat.dtype.kind == "S" else flat
    runs = Runs(made.name)
    runs.add(flat, np.full(len(flat), None), np.zeros(len(flat), np.bool_))
    return replace(made, spans=runs.spans())


def label_file(path: Path, pattern: str, fields: dict[str, str]) -> Path:
    """The file of labels beside a recording: ``--label '{group}_{n}_ann.npy'`` with its fields.

    Raises:
        SpecError: If it names a field that the file's own name does not have, or is not there.
    """
    try:
        beside = path.parent / pattern.format_map(fields)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        raise SpecError(
            f"--label {pattern} names {error}, which --pattern does not", mend="use its fields"
        ) from None
    if beside.parent != path.parent or not beside.is_file():
        raise SpecError(f"no file of labels {beside}", mend="correct --label")
    return beside
