"""What the columns of a table are: label, group, samples, or nothing that is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsxfer.errors import DataError
from tsxfer.own.clocks import is_time
from tsxfer.own.columns import few, group_of, ignored_in_vain, label_of, position
from tsxfer.own.description import Description
from tsxfer.own.order import is_sample
from tsxfer.own.streams import Table

SERIES = re.compile(r"^\s*[\[(]?\s*(?:[-+\d.eE]+[\s,;|]+){2,}[-+\d.eE]+\s*[\])]?\s*$")
UNNAMED = re.compile(r"^(Unnamed: \d+|__index_level_\d+__)?$")


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a table are.

    Attributes:
        label: Name, or "".
        group: Name, or "".
        samples: All others that are not left out.
        part: The column that tells the official test part, or "".
    """

    label: str
    group: str
    samples: list[str]
    part: str


def words_of(roles: Roles) -> list[str]:
    """Columns that are read as words."""
    return list(dict.fromkeys(filter(None, (roles.label, roles.group, roles.part))))


def roles_of(table: Table, described: Description, path: Path) -> tuple[Roles, tuple[str, ...]]:
    """What each column is, by flags and names.

    Raises:
        DataError: If a column that is named is not there, or two have one name.
    """
    _refuse_twice(table.names, path)
    names = [name for name in table.names if name not in described.ignore]
    count = len(table.names)
    at = (lambda word: position(word, count)) if table.positions else (lambda word: word)
    said = (described.label, described.group, described.test)
    index = [] if table.positions else _index(table, [n for n in names if n not in said], path)
    names = [name for name in names if name not in index]
    notes = tuple(f"column {name!r} numbers the rows or is empty: left out" for name in index)
    notes += ignored_in_vain(described.ignore, list(table.names))
    part = described.test if described.test in names else ""
    if described.unlabelled:
        label = at(described.label) if described.label else ""
        if label and label not in names:
            raise DataError(
                f"no column {described.label!r}",
                where=f"{path} has: {few(names)}",
                mend="name it with --label, or leave --label out",
            )
        samples = _known([name for name in names if name != label], described, path)
        return Roles(label, "", samples, ""), notes
    if table.positions and at(described.label) not in names:
        if (beside := _labels_beside(path)) is not None:
            raise _apart(path, beside)
        raise DataError(
            f"no header: the first line holds numbers, so no column is called "
            f"{described.label or 'label'!r}",
            where=f"{path}, {count} columns",
            mend="say positions: --header no --label -1 (the last; 0 is the first) and --group N; "
            "or --header yes",
        )
    label = label_of(names, at(described.label), path)
    group = group_of(names, at(described.group), path)
    samples = [name for name in names if name not in (label, group, part)]
    return Roles(label, group, samples, part), notes


def _labels_beside(path: Path) -> Path | None:
    """``y_train.txt`` of ``X_train.txt``; None where there is none."""
    found = path.with_name("y" + path.name[1:])
    return found if path.name[:1] in "Xx" and found.is_file() else None


def _apart(path: Path, beside: Path) -> DataError:
    both = f"{path.name.split('.')[0][1:].strip('_') or 'all'}.csv"
    code = (
        f"import numpy as np; np.savetxt('{both}', np.column_stack([np.loadtxt('{path}'), "
        f"np.loadtxt('{beside}')]), delimiter=',')"
    )
    return DataError(
        f"no header and no label: are the labels in {beside.name}?",
        where=str(path),
        mend=f'put them beside: python -c "{code}", then {both} --header no --label -1',
    )


def _known(names: list[str], described: Description, path: Path) -> list[str]:
    """Columns of a file to predict: those that the model was fitted on, or all like some."""
    missing = [name for name in described.columns if name not in names]
    if missing:
        raise DataError(
            f"no column {few(missing)}",
            where=f"{path} has: {few(names)}",
            mend="name the columns as in the file that the model was fitted on",
        )
    return list(described.columns) or [name for name in names if is_sample(name)]


def _refuse_twice(names: tuple[str, ...], path: Path) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(
                f"two columns are called {name!r}",
                where=str(path),
                mend="rename one; if the first line is data, say --header no",
            )
        seen.add(name)


def _index(table: Table, names: list[str], path: Path) -> list[str]:
    """An unnamed column that counts the rows, as pandas writes it."""
    found = [name for name in names if UNNAMED.match(name)]
    for name in list(found):
        if _is_blank(table, name):
            continue
        if table.kind(name) != "number" or not _counts(table, name):
            raise DataError(
                "a column without a name that does not number the rows",
                where=f"{path}, column {table.names.index(name) + 1}",
                mend=f"say what it is: --label, --group or --ignore {name!r}",
            )
    return found


def _is_blank(table: Table, name: str) -> bool:
    """Whether no cell holds anything, as where each line ends in a separator."""
    cells = (cell for batch in table.batches([], [name]) for cell in batch.column(0).to_pylist())
    return all(cell is None or not str(cell).strip() for cell in cells)


def _counts(table: Table, name: str) -> bool:
    """Whether a column holds whole numbers, none twice, as far as the first batch tells."""
    first = next(iter(table.batches([name], [])), None)
    if first is None:
        return True
    values = first.column(0).to_numpy(zero_copy_only=False)
    return len(np.unique(values)) == len(values) and bool(np.all(values == np.round(values)))


def refuse_strangers(table: Table, roles: Roles, described: Description, path: Path) -> None:
    """Columns that nothing was said of and whose names are none of samples.

    Raises:
        DataError: If there are some; a table of them alone looks like a recording.
    """
    strangers = [name for name in roles.samples if not is_sample(name)]
    if not strangers and roles.samples:
        return
    numbers = [name for name in strangers if table.kind(name) == "number"]
    if len(numbers) >= 1 and len(numbers) == len(roles.samples) and not described.axes:
        raise DataError(
            f"this looks like a recording, one moment a row, rather than windows: {few(numbers)}",
            where=str(path),
            mend="cut it: --window 1s --step 0.5s (with --rate, where no column tells the time); "
            "or name the samples of a window x_0, x_1, ... if each row is one",
        )
    _refuse_series(table, strangers, path)
    times = [name for name in numbers if is_time(name)]
    if times:
        raise DataError(
            f"the column {times[0]} is called as times are: is this a recording, one moment a row?",
            where=str(path),
            mend="if it is, cut it: --window 1s --step 0.5s (with --rate, where its unit is "
            f"not known); if each row is a window, --ignore {times[0]}",
        )
    said = f"columns that are neither numbered samples nor label nor group: {few(strangers)}"
    raise DataError(
        said if roles.samples else "no column of samples, such as x0, x1, x2, ...",
        where=str(path),
        mend=f"leave them out: --ignore {','.join(strangers[:4])}; or name them with --label or "
        f"--group"
        if strangers
        else "name the samples of a window x0, x1, x2, ...",
    )


def _refuse_series(table: Table, names: list[str], path: Path) -> None:
    """Text cells that hold several numbers each: whole windows, written as one cell.

    Raises:
        DataError: If there are some.
    """
    for name in (n for n in names if table.kind(n) == "text"):
        first = next(iter(table.batches([], [name])), None)
        cell = str(first.column(0)[0].as_py()) if first is not None and len(first) else ""
        if SERIES.match(cell):
            raise DataError(
                f"the cells of {name} hold whole series as text, such as {cell[:24]!r} ...",
                where=str(path),
                mend="write a column for each sample, or lists of numbers in parquet: python -c "
                f"\"import re, pandas; t = pandas.read_csv('{path}'); t['{name}'] = [[float(v) for "
                f"v in re.findall('[-+.0-9eE]+', c)] for c in t['{name}']]; "
                f"t.to_parquet('{path.stem}.parquet')\"",
            )
