"""Rows of a workspace by key or unique beginning of one, each with its study's effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tsxfer import metrics
from tsxfer.core.plugins import with_plugins
from tsxfer.core.results import Result
from tsxfer.errors import DataError, SpecError, StoreError, TsxferError
from tsxfer.stats.cells import Cell, cells, treatment
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RowEffect:
    """The smallest mean paired difference that a row takes part in.

    Attributes:
        difference: Oriented: positive means that transfer is better.
        words: Which comparison it is.
        pairs: Repeats behind it.
    """

    difference: float
    words: str
    pairs: int


@dataclass(frozen=True, slots=True)
class Found:
    """A row with the study that holds it; `effect` is None where it is in no whole pair."""

    study: str
    row: Result
    effect: RowEffect | None


def find(wanted: Sequence[str], workspace: Workspace) -> list[list[Found]]:
    """For each distinct key, its rows in all studies, in the order asked for.

    Raises:
        SpecError: If a key is unknown or begins several.
        StoreError: If a row cannot be made again: it failed, or was imported.
    """
    studies = {name: Store.of(workspace, name).rows() for name in workspace.studies()}
    known = {key for rows in studies.values() for key in rows}
    keys = dict.fromkeys(_whole(text, known, workspace) for text in wanted)
    return [_of_key(key, studies) for key in keys]


def _whole(text: str, known: set[str], workspace: Workspace) -> str:
    fits = sorted(key for key in known if text and key.startswith(text.lower()))
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise SpecError(
            f"{text!r} begins {len(fits)} keys: {', '.join(fits[:4])}", mend="give more digits"
        )
    raise SpecError(
        f"no row has the key {text!r}",
        where=str(workspace.root / "results"),
        mend="keys stand in the HTML report and in `tsxfer report STUDY --format csv`; "
        "name another workspace with --workspace",
    )


def _of_key(key: str, studies: Mapping[str, Mapping[str, Result]]) -> list[Found]:
    rows = {name: rows[key] for name, rows in studies.items() if key in rows}
    done = [name for name, row in rows.items() if row.status == "done"]
    if not done:
        name, row = next(iter(rows.items()))
        raise StoreError(
            f"row {key} is of a failed trial: {row.error}",
            where=f"study {name}",
            mend=f"{with_plugins(f'tsxfer run {name}')} trains failed trials again",
        )
    made = [name for name in done if "tsxfer" in rows[name].environment]
    if not made:
        raise StoreError(
            f"row {key} was imported, not trained by tsxfer",
            where=f"study {done[0]}",
            mend="choose a row that tsxfer trained",
        )
    return [Found(name, rows[name], effect(rows[name], studies[name])) for name in made]


def effect(row: Result, rows: Mapping[str, Result]) -> RowEffect | None:
    """The smallest effect that a row takes part in; None where it is in no whole pair."""
    trials = [other.trial for other in rows.values() if other.trial.reuse]
    mine = {treatment(t).key for t in trials if row.key in (t.key, t.twin().key)}
    found = []
    for treated in mine:
        group = [t for t in trials if treatment(t).key == treated]
        try:
            found += [_effect(cell) for cell in cells(group, rows, partial=True) if cell.pairs]
        except TsxferError:  # unequal terms: no effect to stand beside
            continue
    return min(found, key=lambda one: abs(one.difference), default=None)


def _effect(cell: Cell) -> RowEffect:
    name = cell.pairs[0][0].metric
    sign = metrics.get(name).sign
    gains = [sign * (t.scores[name] - s.scores[name]) for s, t in cell.pairs]
    words = (
        f"{cell.trial.source} → {cell.trial.dataset}, {cell.trial.model}, {cell.trial.size}, {name}"
    )
    return RowEffect(sum(gains) / len(gains), words, len(gains))


def other(name: str, now: str | None, row: Result, study: str, workspace: Workspace) -> DataError:
    """The error of a row that was made from other data, or other code, than there is now.

    Args:
        name: Of the fingerprint that differs.
        now: What it is now; None where that is not here.
        row: The row.
        study: It is one of.
        workspace: Where data lies.
    """
    again = with_plugins(f"tsxfer run {study}")
    if not name.endswith(".py"):
        return DataError(
            f"{name} is prepared as {now}, row {row.key} was made from {row.data.get(name)}",
            where=str(workspace.data(name)),
            mend=f"prepare the same files again, or make new rows: {again}",
        )
    what = name.removesuffix(".py")
    if now is None:
        return DataError(
            f"row {row.key} was made with the user's own {what}, which is not known here",
            mend="add --plugins FOLDER, of the folder that holds it",
        )
    return DataError(
        f"the {what} is another one now: its file has the hash {now}, row {row.key} was made "
        f"with {row.data.get(name)}",
        mend=f"take its edits back, or make new rows: {again}",
    )
