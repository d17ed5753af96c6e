"""Packed files, and tables of other programs, as a file that a reader takes."""

from __future__ import annotations

import bz2
import lzma
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from tsxfer.errors import DataError, SpecError
from tsxfer.own.faults import unreadable

INNER = ("", ".csv", ".tsv", ".txt", ".dat")  # what packed files are called before their ending
PACKINGS = (".zip", ".bz2", ".xz")
ENDINGS = (
    *(inner + packing for packing in PACKINGS for inner in INNER),
    ".jsonl",
    ".ndjson",
    ".feather",
    ".arrow",
    ".xlsx",
)


def unpacked(path: Path, scratch: Path) -> Path:
    """The file that is inside, in `scratch`: what was packed, or the table as csv or parquet.

    Args:
        path: A file with one of `ENDINGS`.
        scratch: A folder that is removed after reading.

    Raises:
        DataError: If it is damaged, or holds several files or sheets.
        SpecError: If a package is missing.
    """
    place = scratch / "unpacked"
    place.mkdir(exist_ok=True)
    try:
        return MAKERS[path.suffix.lower()](path, place)
    except (DataError, SpecError):
        raise
    except Exception as error:  # libraries pass on any fault of a damaged file
        raise unreadable(path, error) from None


def _zip(path: Path, place: Path) -> Path:
    with zipfile.ZipFile(path) as packed:
        inside = [
            one
            for one in packed.infolist()
            if not one.is_dir() and "__MACOSX" not in one.filename and _shown(one.filename)
        ]
        if len(inside) != 1:
            raise DataError(
                f"{path.name} holds {len(inside)} files: "
                f"{', '.join(one.filename for one in inside[:6])}",
                where=str(path),
                mend="unpack it, and name the file, or the folder if all belong together",
            )
        with packed.open(inside[0]) as file:
            return _copied(file, place / Path(inside[0].filename).name)


def _shown(name: str) -> bool:
    return not Path(name).name.startswith(".")


def _bz2(path: Path, place: Path) -> Path:
    with bz2.open(path) as file:
        return _copied(file, place / path.stem)


def _xz(path: Path, place: Path) -> Path:
    with lzma.open(path) as file:
        return _copied(file, place / path.stem)


def _copied(file: IO[Any], goal: Path) -> Path:
    with goal.open("wb") as out:
        shutil.copyfileobj(file, out)
    return goal


def _json(path: Path, place: Path) -> Path:
    """A window a line, as an object; cells may be lists."""
    from pyarrow import json, parquet

    goal = place / f"{path.stem}.parquet"
    parquet.write_table(json.read_json(path), goal)
    return goal


def _feather(path: Path, place: Path) -> Path:
    from pyarrow import feather, parquet

    goal = place / f"{path.stem}.parquet"
    parquet.write_table(feather.read_table(path), goal)
    return goal


def _excel(path: Path, place: Path) -> Path:
    """The only sheet that holds something, as csv, so that cells are read as those of a csv."""
    import pandas as pd

    try:
        sheets = pd.read_excel(path, sheet_name=None, header=None, dtype=object, na_filter=False)
    except ImportError:
        raise SpecError(
            f"{path.name} needs openpyxl, which is not installed",
            where=str(path),
            mend="python -m pip install openpyxl; or save the sheet as csv",
        ) from None
    full = {str(name): sheet for name, sheet in sheets.items() if sheet.size}
    if len(full) != 1:
        raise DataError(
            f"{path.name} holds {len(full)} sheets that are not empty: {', '.join(list(full)[:6])}",
            where=str(path),
            mend="save the one that is meant as csv",
        )
    goal = place / f"{path.stem}.csv"
    next(iter(full.values())).to_csv(goal, index=False, header=False)
    return goal


MAKERS: dict[str, Callable[[Path, Path], Path]] = {
    ".zip": _zip,
    ".bz2": _bz2,
    ".xz": _xz,
    ".jsonl": _json,
    ".ndjson": _json,
    ".feather": _feather,
    ".arrow": _feather,
    ".xlsx": _excel,
}
