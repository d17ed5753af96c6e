"""A table that lists the files of a folder with their labels: a catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsxfer.errors import DataError
from tsxfer.own.columns import few, group_of, label_of
from tsxfer.own.description import Description
from tsxfer.own.listing import listing
from tsxfer.own.tables import as_numbers

ENDINGS = (".csv", ".tsv", ".txt")
MOST = 64 << 20  # bytes of a table that may be a catalogue
SIGNALS = (".wav", ".flac", ".sac", ".mseed", ".miniseed", ".msd", ".npy", ".edf", ".bdf", ".hea")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a catalogue lists, row by row."""

    files: list[tuple[str, ...]]
    labels: list[Any]
    groups: list[str]
    label: str
    group: str
    notes: tuple[str, ...]


def catalogue_of(folder: Path, files: list[Path], described: Description) -> Catalogue | None:
    """The catalogue of a folder's signals; None where no table at its top lists them.

    Raises:
        DataError: If a table lists them and a file, label or group is missing.
    """
    names = {f.relative_to(folder).as_posix() for f in files}
    for path in sorted(f for f in folder.iterdir() if f.suffix.lower() in ENDINGS and f.is_file()):
        if path in files or path.stat().st_size > MOST:
            continue
        try:
            table, decimal = listing(path)
        except DataError:
            continue  # a text beside the files, such as a README
        meant = bool({described.label, described.group} & set(table.columns) - {""})
        columns = _file_columns(table, names)
        note: tuple[str, ...] = ()
        if not columns and meant and not described.pattern:  # flags name columns of this table
            table, note = _below_here(table, names)
            columns = _file_columns(table, names) or _some_files(table, names)
        if columns:
            return _read(table, decimal, columns, names, path, described, note)
    return None


def _below_here(table: Any, names: set[str]) -> tuple[Any, tuple[str, ...]]:
    """The table with paths of another machine as names of this folder's files, and the note.

    Only where no file of the folder has the name of another: else nothing tells them apart.
    """
    last = {_stem(Path(name).name): name for name in sorted(names)}
    if len(last) < len(names):
        return table, ()
    short = table.map(lambda cell: Path(str(cell).replace("\\", "/")).name)
    columns = _file_columns(short, set(last.values()) | {Path(name).name for name in names})
    if not columns:
        return table, ()
    cells = short[columns].map(lambda cell: last.get(_stem(cell), cell))
    first = table[columns[0]].iloc[0]
    note = f"paths such as {first} lead elsewhere: files are found by their names alone"
    return table.assign(**{column: cells[column] for column in columns}), (note,)


def _file_columns(table: Any, names: set[str]) -> list[str]:
    """Columns whose cells name files of the folder."""
    by_stem = {_stem(name) for name in names}
    found = [
        c
        for c in table.columns
        if table[c].map(lambda cell: _stem(str(cell)) in by_stem).mean() > 0.5
    ]
    ended = [
        c for c in found if table[c].map(lambda cell: str(cell).lower().endswith(SIGNALS)).any()
    ]
    return ended or found  # a number may be called as a file without its ending is


def _some_files(table: Any, names: set[str]) -> list[str]:
    """Columns of names of signals of which some are in the folder; `_read` says which are not."""
    by_stem = {_stem(name) for name in names}
    found = [c for c in table if table[c].map(lambda cell: cell.lower().endswith(SIGNALS)).all()]
    return [c for c in found if table[c].map(lambda cell: _stem(cell) in by_stem).any()]


def _stem(name: str) -> str:
    path = Path(name.strip().replace("\\", "/"))
    return (path.with_suffix("") if path.suffix.lower() in SIGNALS else path).as_posix()


def _read(
    table: Any,
    decimal: str,
    columns: list[str],
    names: set[str],
    path: Path,
    described: Description,
    notes: tuple[str, ...],
) -> Catalogue:
    known = {_stem(name): name for name in sorted(names)}
    rows = table[columns].map(lambda cell: known.get(_stem(str(cell)), ""))
    absent = (rows == "").any(axis=1)
    if absent.any():
        row = int(absent.to_numpy().argmax())
        raise DataError(
            f"{table[columns[0]].iloc[row]} is listed and not there ({int(absent.sum())} such "
            f"rows)",
            where=f"{path}, row {row + 1}",
            mend="add those files, or remove the rows",
        )
    _refuse_listed_twice(rows, path)
    others = [c for c in table.columns if c not in columns]
    group = group_of(others, described.group, path)
    silent = described.unlabelled and not described.label
    label = "" if silent else _label(others, described, path, group)
    return Catalogue(
        [tuple(cells) for cells in rows.itertuples(index=False)],
        [None] * len(table) if not label else _labels(table[label], decimal, path, described),
        [""] * len(table) if not group else _groups(table[group], group, path),
        label,
        group,
        (
            f"{path.name} lists {len(table)} windows, {label or 'no label'}, files by "
            f"{few(columns)}",
            *notes,
            *_unlisted(rows, names, path),
        ),
    )


def _refuse_listed_twice(rows: Any, path: Path) -> None:
    """One window under two rows could have two labels, or be on both sides of the split."""
    twice = rows.duplicated().to_numpy()
    if twice.any():
        row = int(twice.argmax())
        raise DataError(
            f"{rows.iloc[row, 0]} is listed twice ({int(twice.sum())} such rows)",
            where=f"{path}, row {row + 1}",
            mend="keep one row for each window",
        )


def _unlisted(rows: Any, names: set[str], path: Path) -> tuple[str, ...]:
    out = sorted(names - set(rows.to_numpy().ravel().tolist()))
    return (f"{len(out)} files are not in {path.name} and left out, e.g. {out[0]}",) if out else ()


def _labels(cells: Any, decimal: str, path: Path, described: Description) -> list[Any]:
    """Labels as numbers or words; empty ones stay where ``--missing drop`` leaves them out."""
    if described.missing != "drop" and not described.unlabelled:
        _refuse_empty(cells, str(cells.name), path, "; --missing drop leaves them out")
    return list(as_numbers(cells.to_numpy(object), decimal).tolist())


def _groups(cells: Any, name: str, path: Path) -> list[str]:
    _refuse_empty(cells, name, path)
    return [str(cell) for cell in cells]


def _refuse_empty(cells: Any, name: str, path: Path, drop: str = "") -> None:
    empty = (cells == "").to_numpy()
    if empty.any():
        raise DataError(
            f"{int(empty.sum())} rows have no {name}",
            where=f"{path}, row {int(empty.argmax()) + 1}",
            mend=f"fill it in, or remove those rows{drop}",
        )


def _label(others: list[str], described: Description, path: Path, group: str) -> str:
    if not described.label and "magnitude" in others:
        return "magnitude"
    return label_of([name for name in others if name != group], described.label, path)
