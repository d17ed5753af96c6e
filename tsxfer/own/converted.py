"""Tables of other programs as tables that are read here: JSON lines, feather, Excel."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tsxfer.errors import DataError
from tsxfer.own.faults import unreadable

LINES, ARROW, EXCEL = (".jsonl", ".ndjson"), (".feather", ".arrow"), (".xlsx",)
ENDINGS = (*LINES, *ARROW, *EXCEL)


def converted(path: Path, scratch: Path) -> Path:
    """The table as parquet, or as csv where cells have no type.

    Raises:
        DataError: If it cannot be read, or more than one sheet holds something.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    if path.name.lower().endswith(EXCEL):
        return _from_excel(path, scratch / f"{path.stem}.csv")
    read = _lines if path.name.lower().endswith(LINES) else _arrow
    return _as_parquet(path, read, scratch / f"{path.stem}.parquet")


def _as_parquet(path: Path, read: Callable[[Path], Any], goal: Path) -> Path:
    from pyarrow import parquet

    try:
        parquet.write_table(read(path), goal)
    except Exception as error:  # pyarrow passes on any fault of a damaged file
        raise unreadable(path, error) from None
    return goal


def _lines(path: Path) -> Any:
    from pyarrow import json

    return json.read_json(str(path))


def _arrow(path: Path) -> Any:
    """Feather of both versions, and Arrow's streams, which carry the same ending."""
    import pyarrow as pa
    from pyarrow import feather

    try:
        return feather.read_table(str(path), memory_map=False)
    except pa.ArrowInvalid:
        with pa.memory_map(str(path)) as file:
            return pa.ipc.open_stream(file).read_all()


def _from_excel(path: Path, goal: Path) -> Path:
    """The one sheet that holds something; cells as they are shown, words such as NA kept."""
    import pandas as pd

    try:
        sheets = pd.read_excel(
            path,
            sheet_name=None,
            header=None,
            engine="openpyxl",
            keep_default_na=False,
            na_values=[""],
        )
    except ImportError:
        raise DataError(
            f"{path.name} is a table of Excel, which openpyxl reads, and that is not installed",
            where=str(path),
            mend="pip install openpyxl, or save the sheet as csv",
        ) from None
    except Exception as error:  # openpyxl passes on any fault of a damaged file
        raise unreadable(path, error) from None
    held = {name: sheet.dropna(how="all") for name, sheet in sheets.items()}
    full = {name: sheet.dropna(axis=1, how="all") for name, sheet in held.items() if len(sheet) > 1}
    if len(full) != 1:
        raise DataError(
            f"{path.name} holds {len(full)} sheets with cells: {', '.join(map(str, full))}",
            where=str(path),
            mend="save the sheet of windows as csv, and give that",
        )
    _write(next(iter(full.values())), goal)
    return goal


def _write(sheet: Any, goal: Path) -> None:
    """A sheet as csv; lines above its header end where their cells do, as in a csv with remarks."""
    there = sheet.notna().sum(axis=1).to_numpy()
    header = int((2 * there >= there.max()).argmax())
    with goal.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        for row in sheet[:header].itertuples(index=False):
            cells = ["" if cell != cell else cell for cell in row]
            out.writerow(cells[: max(n for n, cell in enumerate(cells, 1) if cell != "")])
        sheet[header:].to_csv(file, index=False, header=False)
