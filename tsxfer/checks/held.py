"""What a study folder holds, as the checks read it, and what a check says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.core.study_files import read_study
from tsxfer.errors import StoreError, TsxferError
from tsxfer.store import given
from tsxfer.store.rows import Store, from_record
from tsxfer.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: Short.
        what: What was checked, as a sentence.
        checked: How many things were looked at.
        faults: What does not hold, one sentence each.
        skipped: How many could not be looked at, and why is in `note`.
        note: Of what was skipped.
    """

    name: str
    what: str
    checked: int
    faults: tuple[str, ...]
    skipped: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What a study folder holds."""

    study: Study
    workspace: Workspace
    trials: tuple[Trial, ...]
    sources: Mapping[str, Trial]  # trials that others start from, by key
    all: tuple[Result, ...]
    rows: Mapping[str, Result]
    damaged: tuple[str, ...]
    foreign: int
    mismatched: tuple[str, ...]
    most_bytes: int
    now: Mapping[str, str]  # fingerprints of what is prepared, and of weights made elsewhere

    @property
    def done(self) -> list[Result]:
        """Finished rows."""
        return [row for row in self.rows.values() if row.status == "done"]

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.workspace.results(self.study.name)


def read_held(name: str, workspace: Workspace, most_bytes: int) -> Held:
    """Everything of a study that was run in this workspace; data of more bytes is not looked at."""
    store = Store.of(workspace, name)
    study = read_study(store.folder / "study.toml")
    rows = tuple(store.whole())
    damaged, mismatched = _damage(store)
    trials = tuple(expand(study))
    sources = {o.key: o for t in trials for o in t.origins if not o.given}
    return Held(
        study=study,
        workspace=workspace,
        trials=trials,
        sources=sources,
        all=rows,
        rows=store.chosen(rows),
        damaged=damaged,
        foreign=len(store.foreign),
        mismatched=mismatched,
        most_bytes=most_bytes,
        now=workspace.fingerprints() | given.digests(workspace),
    )


def _damage(store: Store) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines that are no rows, and rows under a key that is not theirs."""
    damaged, mismatched, places = list[str](), list[str](), set(store.damaged)
    for place, line in store.lines() if places else ():
        if place in places:
            fault = _mismatch(line)
            (mismatched if fault else damaged).append(f"{place}: {fault}" if fault else place)
    return tuple(damaged), tuple(mismatched)


def _mismatch(line: bytes) -> str:
    """What is wrong with a readable row whose key is not that of its trial; else nothing."""
    try:
        from_record(json.loads(line))
    except StoreError as error:
        return error.problem
    except (ValueError, TypeError, AttributeError, RecursionError, TsxferError):
        pass
    return ""


def words(trial: Trial) -> str:
    """What a trial is called in a fault."""
    start = f"{trial.source} → " if trial.reuse else ""
    start = f"{trial.baseline} on " if trial.baseline else start
    return f"{trial.key} ({start}{trial.dataset}, {trial.size}, repeat {trial.repeat})"
