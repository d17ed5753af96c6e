"""Reading a user's own file: csv, npz, parquet or .ts, one window a row, into plain arrays."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.tables import read_table
from tsxfer.errors import DataError
from tsxfer.own.content import Content

LABELS = ("label", "y", "target", "class")
NUMBERED = re.compile(r"^(.*?)[_.\- ]?(\d{1,9})$")


Columns = tuple[str, str, tuple[str, ...]]
"""Wanted label, wanted group ("" where not named) and columns to ignore."""


def read(path: Path, label: str, group: str, ignore: tuple[str, ...]) -> Content:
    """Read a file by its ending.

    Args:
        path: The file.
        label: Column or array of labels; "" looks for ``label``, ``y``, ``target``, ``class``.
        group: Column or array of groups; "" takes ``group`` where it is there.
        ignore: Columns that are neither.

    Raises:
        DataError: If it cannot be read, or the label is not there.
    """
    return READERS[path.suffix.lower()](path, (label, group, ignore))


def read_windows(path: Path, channels: tuple[str, ...]) -> NDArray[Any]:
    """The windows of a file whose labels are unknown, or not wanted.

    Args:
        path: The file.
        channels: Names; columns of a table that belong to no such channel are left out.

    Returns:
        ``(n, channel, time)`` in the order of `channels`.

    Raises:
        DataError: If it cannot be read, or lacks a channel.
    """
    ending = path.suffix.lower()
    if ending == ".npz":
        return _windows_of(_arrays(path), path)
    if ending == ".ts":
        return _series(path)[0]
    table = _table(path)
    names = [name for name in table.columns if _channel_of(name) in channels]
    missing = [name for name in channels if name not in map(_channel_of, names)]
    if missing:
        raise DataError(
            f"no column of channel {', '.join(missing)}",
            where=f"{path} has: {_few(list(table.columns))}",
            mend="name the columns as in the file that the model was fitted on",
        )
    x, found = _samples(table, names, path)
    return x[:, [found.index(name) for name in channels]]


def _channel_of(column: str) -> str:
    """``ax`` of ``ax_17``; ``x`` of ``17``; "" of what is no sample."""
    numbered = NUMBERED.match(column)
    return (numbered[1] or "x") if numbered else ""


def _tabular(path: Path, columns: Columns) -> Content:
    wanted, grouped, ignore = columns
    table = _table(path)
    names = [name for name in table.columns if name not in ignore]
    label, group = _label(names, wanted, path), _group(names, grouped, path)
    x, channels = _samples(table, [name for name in names if name not in (label, group)], path)
    groups = None if not group else table[group].astype(str).to_numpy(np.str_)
    return Content(
        x=x,
        y=table[label].to_numpy(),
        group=groups,
        channels=channels,
        label=label,
        group_name=group,
    )


def _table(path: Path) -> Any:
    table = (
        _parquet(path) if path.suffix.lower() == ".parquet" else read_table(path, low_memory=False)
    )
    table.columns = [str(name) for name in table.columns]
    if not len(table) or len(table.columns) < 2:
        raise DataError(
            f"{len(table)} row(s) and {len(table.columns)} column(s): no window",
            where=str(path),
            mend="one window a row, columns separated by commas, names of columns in the first row",
        )
    return table


def _parquet(path: Path) -> Any:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except Exception as error:  # pyarrow passes on any fault of a damaged file
        raise _unreadable(path, error) from None


def _samples(
    table: Any, names: list[str], path: Path
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Windows ``(n, channel, time)`` of the columns that hold samples, and their channels."""
    strangers = [name for name in names if not NUMBERED.match(name)]
    if strangers or not names:
        raise DataError(
            f"columns that are neither numbered samples nor label nor group: {_few(strangers)}"
            if names
            else "no column of samples, such as x0, x1, x2, ...",
            where=str(path),
            mend="name them with --label or --group, or list them under ignore in the card "
            f"{path.with_suffix('.toml').name}",
        )
    channels = _channels(names, path)
    values = _numbers(table[[name for members in channels.values() for name in members]], path)
    return values.reshape(len(table), len(channels), -1), tuple(channels)


def _channels(samples: list[str], path: Path) -> dict[str, list[str]]:
    """Columns by channel, in order of time: ``ax_0 ax_1 ... ay_0 ay_1 ...`` are two channels."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in samples:
        prefix, number = NUMBERED.match(name).groups()  # type: ignore[union-attr]
        found.setdefault(prefix or "x", []).append((int(number), name))
    if len({len(members) for members in found.values()}) > 1:
        counts = ", ".join(f"{name} {len(members)}" for name, members in found.items())
        raise DataError(
            f"channels have unequal lengths: {counts} samples",
            where=str(path),
            mend="cut or pad them to one length, or list columns under ignore in the card",
        )
    return {name: [column for _, column in sorted(members)] for name, members in found.items()}


def _numbers(table: Any, path: Path) -> NDArray[Any]:
    import pandas as pd

    for name in table.columns:
        if table[name].dtype.kind in "iufb":
            continue
        try:
            bad = pd.to_numeric(table[name], errors="coerce").isna() & table[name].notna()
        except OverflowError as error:
            raise _unreadable(path, error) from None
        if bad.any():
            row = int(np.argmax(bad.to_numpy()))
            raise DataError(
                f"{table[name].iloc[row]!r} is not a number ({int(bad.sum())} such cells)",
                where=f"{path}, column {name}, row {row + 1}",
                mend="correct the cells, or list the column under ignore in the card",
            )
        table = table.assign(**{name: pd.to_numeric(table[name])})
    values: NDArray[Any] = table.to_numpy(np.float64)
    _refuse_short_rows(values, path)
    return values


def _refuse_short_rows(values: NDArray[Any], path: Path) -> None:
    """Rows whose last cells are empty are shorter windows, not gaps."""
    filled = np.isfinite(values)
    lengths = np.where(filled.any(axis=1), values.shape[1] - filled[:, ::-1].argmax(axis=1), 0)
    short = (lengths < values.shape[1]) & (filled.sum(axis=1) == lengths)
    if short.any():
        row = int(np.argmax(short))
        raise _unequal(path, f"row {row + 1} has {lengths[row]} of {values.shape[1]} samples")


def _npz(path: Path, columns: Columns) -> Content:
    wanted, grouped, ignore = columns
    arrays = {n: a for n, a in _arrays(path).items() if n not in ignore}
    x = _windows_of(arrays, path)
    names = [name for name in arrays if name != "x"]
    label, group = _label(names, wanted, path), _group(names, grouped, path)
    for name in filter(None, (label, group)):
        if arrays[name].shape != (len(x),):
            raise DataError(
                f"{name} has shape {arrays[name].shape}, x holds {len(x)} windows",
                where=str(path),
                mend="give one value a window",
            )
    groups = arrays[group].astype(np.str_) if group else None
    return Content(
        x=x, y=arrays[label], group=groups, channels=_numbered(x), label=label, group_name=group
    )


def _windows_of(arrays: dict[str, NDArray[Any]], path: Path) -> NDArray[Any]:
    if "x" not in arrays:
        raise DataError(
            f"no array called x; there are: {_few(list(arrays))}",
            where=str(path),
            mend="save it as np.savez(file, x=windows, y=labels, group=groups)",
        )
    x = arrays["x"]
    if x.ndim not in (2, 3) or x.dtype.kind not in "iufb":
        raise DataError(
            f"x is {x.dtype} {x.shape}, not numbers (n, channel, time) or (n, time)",
            where=str(path),
            mend="stack the windows into one array",
        )
    return x[:, None, :] if x.ndim == 2 else x


def _numbered(x: NDArray[Any]) -> tuple[str, ...]:
    return tuple(f"c{number}" for number in range(x.shape[1]))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of an npz; files of Python objects are refused, since reading them runs code."""
    import zipfile

    if not zipfile.is_zipfile(path):
        raise _unreadable(path, zipfile.BadZipFile("not a zip archive"))
    try:
        with np.load(path, allow_pickle=False) as packed:
            return {name: _decoded(packed[name]) for name in packed.files}
    except ValueError as error:
        if "pickle" not in str(error) and "Object" not in str(error):
            raise _unreadable(path, error) from None
        raise DataError(
            "an array of Python objects: windows of unequal length, or mixed values",
            where=str(path),
            mend="cut or pad all windows to one length, and save plain numbers or text",
        ) from None
    except Exception as error:  # numpy and zipfile pass on any fault of a damaged file
        raise _unreadable(path, error) from None


def _decoded(array: NDArray[Any]) -> NDArray[Any]:
    """Bytes as text."""
    return np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array


def _ts(path: Path, columns: Columns) -> Content:
    del columns  # the format itself says what is the label, and has no groups
    head = _head(path)
    if "@classlabel true" not in head and "@targetlabel true" not in head:
        raise DataError(
            "the header declares no labels (@classLabel true ... or @targetLabel true)",
            where=str(path),
            mend="add labels to the file",
        )
    x, y = _series(path)
    task = "regression" if "@targetlabel true" in head else "classification"
    labels = np.asarray(y, np.float64) if task == "regression" else np.asarray(y, np.str_)
    label = "target" if task == "regression" else "class"
    return Content(
        x=x, y=labels, group=None, channels=_numbered(x), label=label, group_name="", task=task
    )


def _series(path: Path) -> tuple[NDArray[Any], Any]:
    """Windows ``(n, channel, time)`` of a ``.ts`` file, and its labels where it has some."""
    from sktime.datasets import load_from_tsfile

    try:
        loaded = load_from_tsfile(str(path), return_data_type="nested_univ")
        x, y = loaded if isinstance(loaded, tuple) else (loaded, None)
        if len({len(cell) for row in x.to_numpy() for cell in row}) > 1:
            raise _unequal(path, "series differ in length")
        return np.stack([np.stack([np.asarray(cell) for cell in row]) for row in x.to_numpy()]), y
    except (OSError, ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise _unreadable(path, error) from None


def _head(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").partition("@data")[0].lower()


def _label(names: list[str], wanted: str, path: Path) -> str:
    found = [wanted] if wanted in names else [n for n in LABELS if n in names and not wanted]
    if not found:
        raise DataError(
            f"no label column {wanted!r}" if wanted else "no column called label, y or target",
            where=f"{path} has: {_few(names)}",
            mend="name it: --label COLUMN",
        )
    return found[0]


def _group(names: list[str], wanted: str, path: Path) -> str:
    if wanted and wanted not in names:
        raise DataError(
            f"no group column {wanted!r}",
            where=f"{path} has: {_few(names)}",
            mend="name one of them with --group, or leave it out",
        )
    return wanted or ("group" if "group" in names else "")


def _few(names: list[str]) -> str:
    names = sorted(names, key=lambda name: NUMBERED.match(name) is not None)  # samples last
    return ", ".join(names) if len(names) <= 12 else ", ".join(names[:10]) + f", ... {names[-1]}"


def _unequal(path: Path, what: str) -> DataError:
    return DataError(
        f"windows of unequal length: {what}",
        where=str(path),
        mend="cut or pad all windows to one length",
    )


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, DataError):
        return error
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(
        f"{path.name} cannot be read: {said[:200]}",
        where=str(path),
        mend=f"is it a whole {path.suffix} file? write it again",
    )


READERS: dict[str, Callable[[Path, Columns], Content]] = {
    ".csv": _tabular,
    ".parquet": _tabular,
    ".npz": _npz,
    ".ts": _ts,
}
