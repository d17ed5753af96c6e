"""Foreign rows join a workspace: verified first, marked, and never over a row that disagrees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsxfer.checks.agreement import tolerance
from tsxfer.core.results import Result
from tsxfer.core.study_files import read_study
from tsxfer.errors import StoreError
from tsxfer.exchange import checking
from tsxfer.exchange.sets import Part, ResultSet
from tsxfer.keys import plain
from tsxfer.stats.lock import FILE
from tsxfer.store.predictions import PREDICTIONS
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace, write_whole

SHOWN = 5  # disagreements that a message spells out


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did to one study.

    Attributes:
        study: Its name.
        added: Rows that were not there, or had failed here.
        same: Rows that were there with the very same numbers.
        close: Rows whose numbers agree within the tolerance of a reproduction; those here stay.
        trials: Trials that the study declares in all.
        done: Of these, finished after the merge.
    """

    study: str
    added: int
    same: int
    close: int
    trials: int
    done: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """What would be written of one study."""

    part: Part
    add: tuple[Result, ...]
    same: int
    close: int
    conflicts: tuple[str, ...]


def merge(found: ResultSet, workspace: Workspace) -> list[Merged]:
    """Add the rows of a set to the workspace; either all of them or none.

    Raises:
        StoreError: If the set fails a check, holds another study under a name of this workspace, or
            disagrees with a row that is here. Nothing is written then.
    """
    wrong = checking.faults(checking.check(found, workspace))
    if wrong:
        raise StoreError(
            f"{len(wrong)} check(s) of these rows fail: {'; '.join(wrong[:3])}",
            where=found.name,
            mend=f"nothing was merged; all of it: tsxfer verify {found.name}; ask who made them",
        )
    plans = [_plan(part, found.origin, workspace) for part in found.parts]
    conflicts = [conflict for plan in plans for conflict in plan.conflicts]
    if conflicts:
        more = f"\n  and {len(conflicts) - SHOWN} more" if len(conflicts) > SHOWN else ""
        raise StoreError(
            f"{len(conflicts)} row(s) disagree with rows of this workspace under the same key:\n  "
            + "\n  ".join(conflicts[:SHOWN])
            + more,
            where=found.name,
            mend="nothing was merged. Train such a row again to see who is right: tsxfer reproduce "
            f"{conflicts[0].partition(' ')[0]}; or merge into a workspace of its own: --workspace",
        )
    return [_write(plan, workspace) for plan in plans]


def _plan(part: Part, origin: str, workspace: Workspace) -> _Plan:
    _refuse_other_study(part, workspace)
    here = dict(Store.of(workspace, part.study).rows())
    add, same, close, conflicts = list[Result](), 0, 0, list[str]()
    for row in checking.marked(part, origin):
        mine = here.get(row.key)
        if mine is None or (mine.status == "failed" and row.status == "done"):
            add.append(row)
            here[row.key] = row  # the set itself may hold the key again, with other numbers
        elif row.status == "failed" or mine.digest == row.digest:
            same += 1
        elif told := conflict(mine, row):
            conflicts.append(told)
        else:
            close += 1
    return _Plan(part=part, add=tuple(add), same=same, close=close, conflicts=tuple(conflicts))


def conflict(mine: Result, other: Result) -> str:
    """How two finished rows of one key disagree; empty where a reproduction would be accepted."""
    named = f"{mine.key} ({_words(mine)})"
    names = sorted(mine.data.keys() | other.data.keys())
    for name in names:
        if mine.data.get(name) != other.data.get(name):
            both = [row.data.get(name, "unknown") for row in (mine, other)]
            return (
                f"{named}: made from other data: {name} is {both[0]} in one, {both[1]} in the other"
            )
    first, second = (row.scores[row.metric] for row in (mine, other))
    if abs(first - second) <= tolerance(mine):
        return ""
    return (
        f"{named}: {mine.metric} is {first:.6g} in one and {second:.6g} in the other, "
        f"{abs(first - second):.3g} apart, where {tolerance(mine):.3g} is allowed"
    )


def _words(row: Result) -> str:
    trial = row.trial
    start = trial.baseline or (f"{trial.source} →" if trial.reuse else "scratch on")
    return f"{start} {trial.dataset}, {trial.model}, {trial.size}, repeat {trial.repeat}"


def _refuse_other_study(part: Part, workspace: Workspace) -> None:
    """One name is one study: rows of two would stand in one table under one declaration."""
    path = workspace.results(part.study) / "study.toml"
    if not path.exists():
        return
    mine, other = plain(read_study(path)), plain(part.spec)
    unequal = sorted(n for n in mine.keys() | other.keys() if mine.get(n) != other.get(n))
    if unequal:
        raise StoreError(
            f"the study {part.study!r} here is another: {', '.join(unequal)} differ",
            where=str(path),
            mend="nothing was merged; merge into a workspace of its own (--workspace), and look at "
            "both with: tsxfer compare A B",
        )


def _write(plan: _Plan, workspace: Workspace) -> Merged:
    """Predictions first, rows last: a row whose predictions are missing would fail `verify`."""
    from tsxfer.core.expansion import expand

    part, folder = plan.part, workspace.results(plan.part.study)
    if not (folder / "study.toml").exists():
        write_whole(folder / "study.toml", part.study_toml)
    if part.lock_toml and not (folder / FILE).exists():
        write_whole(folder / FILE, part.lock_toml)
    if part.predictions is not None:
        _copy_predictions(plan.add, part.predictions, folder / PREDICTIONS)
    store = Store.of(workspace, part.study)
    if plan.add:
        store.extend(plan.add)
    states = store.states()
    trials = expand(read_study(folder / "study.toml"))
    return Merged(
        study=part.study,
        added=len(plan.add),
        same=plan.same,
        close=plan.close,
        trials=len(trials),
        done=sum(states.get(trial.key) == "done" for trial in trials),
    )


def _copy_predictions(rows: tuple[Result, ...], source: Path, into: Path) -> None:
    """What lies here under these keys is of no finished row: a run that was cut off left it."""
    into.mkdir(parents=True, exist_ok=True)
    for row in rows:
        path = source / f"{row.key}.npz"
        if path.is_file():
            write_whole(into / path.name, path.read_bytes())
