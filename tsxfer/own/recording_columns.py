"""What each column of a recording in a table is: channels, label, group, time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.called import bare_name
from tsxfer.own.clocks import is_time
from tsxfer.own.columns import LABELS, few, ignored_in_vain
from tsxfer.own.dates import Order, date_of, order_of
from tsxfer.own.description import Description
from tsxfer.own.dialect import number
from tsxfer.own.streams import Table, Text

CLOCKED = 0.98  # share of rows that go on as times do
COUNTER = re.compile(
    r"^(Unnamed: \d+|__index_level_\d+__|index|idx|row|sample|samples?[ _]?(?:no|number|index|id)?|"
    r"frame|frames|counter|count|n|no|nr|id|seq|sequence)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a recording are.

    Attributes:
        samples: Channels.
        label: Column of labels; "" where there is none.
        group: Column of groups; "" where there is none.
        time: Column of times; "" where there is none.
        dated: The times are text, such as dates.
        notes: What was guessed.
        day_first: Of dates such as 05/03/2021 the day stands first.
    """

    samples: tuple[str, ...]
    label: str
    group: str
    time: str
    dated: bool
    notes: tuple[str, ...]
    day_first: bool = False

    @property
    def numbers(self) -> list[str]:
        """Columns that are read as numbers."""
        return [*self.samples, *([self.time] if self.time and not self.dated else [])]

    @property
    def words(self) -> list[str]:
        """Columns that are read as they are."""
        named = (self.label, self.group, self.time if self.dated else "")
        return list(dict.fromkeys(name for name in named if name))


def roles_of(table: Table, described: Description, path: Path) -> Roles:
    """What each column is, from the flags and from names.

    Raises:
        DataError: If a named column is not there, or one is of no known use.
    """
    if described.columns:
        return _roles_again(table, described, path)
    names = [name for name in table.names if name not in described.ignore]
    counters = [] if described.x or table.positions else _counters(table, names, described)
    names = [name for name in names if name not in counters]
    kinds = {name: _kind(table, name) for name in names}
    group = "group" if "group" in names else ""
    if described.group and not (described.intervals and described.group not in names):
        group = _wanted(described.group, names, table, path, "--group")
    label, notes = _label_of(kinds, group, table, described, path)
    free = [name for name in names if name not in (group, label)]
    time = "" if described.x else next((name for name in free if is_time(name)), "")
    said = [part.strip() for part in described.x.split(",") if part.strip()]
    if said:
        time = next((name for name in free if is_time(name) and name not in said), "")
    others = [] if said else _other_times(table, [n for n in free if n != time], kinds, path)
    samples = [_wanted(part, names, table, path, "--x") for part in said] or [
        name for name in free if name not in (time, *others)
    ]
    _refuse_strangers(samples, kinds, table, path)
    dated = bool(time) and kinds[time] != "number"
    order = _order_of_dates(table, time) if dated else Order(False)
    return Roles(
        tuple(samples),
        label,
        group,
        time,
        dated,
        (
            *filter(None, [order.note]),
            *ignored_in_vain(described.ignore, list(table.names)),
            *notes,
            *(f"column {name!r} counts the samples: left out" for name in counters),
            *(f"column {name!r} is a second column of times: left out" for name in others),
        ),
        order.day_first,
    )


def _order_of_dates(table: Table, time: str) -> Order:
    """Whether day or month stands first, by all rows: where no day is above 12, order tells."""
    dates: dict[str, None] = {}
    for batch in table.batches([], [time]):
        cells = batch.column(0).to_pylist()
        if not isinstance(cells[0] if cells else None, str) or not date_of(cells[0]):
            break
        dates |= dict.fromkeys(map(date_of, dict.fromkeys(c.strip()[:10] for c in cells if c)))
    return order_of(list(dates))


def _other_times(table: Table, names: list[str], kinds: dict[str, str], path: Path) -> list[str]:
    """Further columns that are called as times are, and rise.

    Raises:
        DataError: If a column of another name rises by one step from row to row, as clocks do.
    """
    numbers = [name for name in names if kinds[name] == "number"]
    steps = {name: np.diff(_first(table, name)[:1000]) for name in numbers}
    steps = {name: step for name, step in steps.items() if len(step) > 10 and _rise(step)}
    times = [name for name in steps if is_time(name)]
    for name, step in steps.items():
        usual = float(np.median(step))
        if name not in times and np.mean(np.abs(step - usual) <= 1e-3 * usual) > CLOCKED:
            raise DataError(
                f"column {name!r} would be a channel, but rises by {usual:g} from row to row, as "
                "times and counters do",
                where=str(path),
                mend=f"leave it out, --ignore {name}; if it is the time, call it time; if it is a "
                "signal, name all channels with --x",
            )
    return times


def _rise(step: NDArray[np.float64]) -> bool:
    """Whether values rise, but for a few steps back, where another recording begins."""
    return bool(np.median(step) > 0 and np.mean(step >= 0) > CLOCKED)


def _first(table: Table, name: str) -> NDArray[np.float64]:
    """The first cells of a column of numbers."""
    first = next(iter(table.batches([name], [])), None)
    return np.array([]) if first is None else first.column(0).to_numpy(zero_copy_only=False)


def _counters(table: Table, names: list[str], described: Description) -> list[str]:
    """Columns called as a running number is, which rise by one from row to row."""
    said = (described.label, described.group)
    free = [n for n in names if n not in said and COUNTER.match(n) and table.kind(n) == "number"]
    return [name for name in free if _rises_by_one(table, name)]


def _rises_by_one(table: Table, name: str) -> bool:
    values = _first(table, name)
    return len(values) > 2 and bool((np.diff(values[:1000]) == 1).all())


def _roles_again(table: Table, described: Description, path: Path) -> Roles:
    """As in the file that a model was fitted on: its channels, and the time beside them."""
    names = list(table.names)
    meant = {bare_name(name): name for name in reversed(names)}  # in another unit, too
    samples = tuple(
        _wanted(
            name if name in names else meant.get(bare_name(name), name), names, table, path, "--x"
        )
        for name in described.columns
    )
    label = _wanted(described.label, names, table, path, "--label") if described.label else ""
    if label in samples:
        raise DataError(
            f"{label} is a channel of the model, and no label to score against",
            where=str(path),
            mend="name the column of labels with --label, or leave --label out",
        )
    taken = (*samples, label, *described.ignore)
    time = next((n for n in names if is_time(n) and n not in taken), "")
    dated = bool(time) and _kind(table, time) != "number"
    order = _order_of_dates(table, time) if dated else Order(False)
    notes = (order.note,) if order.note else ()
    return Roles(samples, label, "", time, dated, notes, order.day_first)


def _kind(table: Table, name: str) -> str:
    """As the table says; text that is mostly numbers is a column of numbers with bad cells."""
    kind = table.kind(name)
    if kind == "text" and isinstance(table, Text):
        cells = [cell for cell in table.first[name] if cell.strip()]
        return "number" if sum(map(is_number, cells)) > len(cells) / 2 else "text"
    return kind


def _refuse_strangers(samples: list[str], kinds: dict[str, str], table: Table, path: Path) -> None:
    strangers = [name for name in samples if kinds[name] != "number"]
    if strangers or not samples:
        raise DataError(
            f"columns that are no numbers, nor label, group or time: {few(strangers)}"
            if samples
            else "no column of samples",
            where=f"{path} has: {few(list(table.names))}",
            mend="say what they are with --label or --group, or leave them out: "
            f"--ignore {','.join(strangers) or 'NAME'}",
        )


def _label_of(
    kinds: dict[str, str], group: str, table: Table, described: Description, path: Path
) -> tuple[str, tuple[str, ...]]:
    names = list(kinds)
    if described.intervals:
        return "", ()
    if described.label and (not described.unlabelled or described.label in names):
        return _wanted(described.label, names, table, path, "--label"), ()
    axes = {"x", "y", "z"} <= set(names)  # of a sensor: y is no label there
    known = [name for name in LABELS if name in names and not (axes and name == "y")]
    words = [n for n, kind in kinds.items() if kind != "number" and n != group and not is_time(n)]
    if known:
        return known[0], ()
    if len(words) == 1 and "{label}" not in described.pattern:
        return words[0], (
            f"the only column of words, {words[0]}, is taken as label (--label settles it)",
        )
    return "", ()


def _wanted(name: str, names: list[str], table: Table, path: Path, flag: str) -> str:
    """A column by name, or by position where the file names none.

    Raises:
        DataError: If it is not there.
    """
    every = list(table.names)
    if table.positions and name.startswith("-") and name[1:].isdigit() and int(name) >= -len(every):
        name = every[int(name)]
    if name in names:
        return name
    raise DataError(
        f"no column {name!r} for {flag}",
        where=f"{path} has: {few(every)}",
        mend=f"name one of them with {flag}",
    )


def is_number(text: str) -> bool:
    """Whether a cell is a number."""
    return number(text) is not None or number(text, ",") is not None
