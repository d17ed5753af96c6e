"""A table with one window a row: csv and parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.tables import read_table
from tsxfer.errors import DataError
from tsxfer.own.columns import NUMBERED, few, group_of, label_of
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.faults import unequal, unreadable

ENDINGS = (".csv", ".parquet")


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows, labels and groups of a table with one window a row."""
    del scratch
    table = _table(path)
    names = [name for name in table.columns if name not in described.ignore]
    if described.unlabelled:
        return _windows(table, names, described, path)
    wanted, grouped = described.label, described.group
    label, group = label_of(names, wanted, path), group_of(names, grouped, path)
    x, channels = _samples(table, [name for name in names if name not in (label, group)], path)
    groups = None if not group else table[group].to_numpy(object)
    columns = tuple(name for name in names if name not in (label, group))
    return Content(x, table[label].to_numpy(), groups, channels, label, group, columns=columns)


def _windows(table: Any, names: list[str], described: Description, path: Path) -> Content:
    """The windows alone, from the columns that a model was fitted on."""
    missing = [name for name in described.columns if name not in names]
    if missing:
        raise DataError(
            f"no column {few(missing)}",
            where=f"{path} has: {few(names)}",
            mend="name the columns as in the file that the model was fitted on",
        )
    x, channels = _samples(table, list(described.columns), path)
    return Content(x, None, None, channels, "", "", columns=described.columns)


def _table(path: Path) -> Any:
    table = _parquet(path) if path.suffix.lower() == ".parquet" else read_table(path, low_memory=False)  # fmt: skip
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
        raise unreadable(path, error) from None


def _samples(
    table: Any, names: list[str], path: Path
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Windows ``(n, channel, time)`` of the columns that hold samples, and their channels."""
    strangers = [name for name in names if not NUMBERED.match(name)]
    if strangers or not names:
        raise DataError(
            f"columns that are neither numbered samples nor label nor group: {few(strangers)}"
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
            raise unreadable(path, error) from None
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
        raise unequal(path, f"row {row + 1} has {lengths[row]} of {values.shape[1]} samples")
