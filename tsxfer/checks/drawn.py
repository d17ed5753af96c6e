"""Splits and subsets: what rows say of them, and what is drawn again from the prepared data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tsxfer.checks.held import Check, Held, words
from tsxfer.core.doors import SPLITS, facts
from tsxfer.core.results import Result
from tsxfer.core.specs import PROFILES, Trial
from tsxfer.data import catalogue, prepare, task
from tsxfer.errors import TsxferError
from tsxfer.store.workspace import Workspace


def _splits(held: Held) -> Check:
    """What the rows say of their split; the proof holds counts and hashes, never instances."""
    with_proof = [row for row in held.done if row.split]
    faults, leaky = list[str](), 0
    hashes: dict[tuple[str, str, str], set[str]] = {}
    in_time = cache(lambda name: _in_time(name, held.workspace))
    for row in with_proof:
        trial, proof = row.trial, row.split
        apart = PROFILES[trial.profile].grouped and not (
            _shares(trial.split) if trial.split else in_time(trial.dataset)
        )
        shared = proof["shared_groups"]
        leaky += bool(shared) and not apart
        if shared and apart:
            faults.append(f"{words(trial)}: {shared} group(s) on two sides")
        if row.sizes.get("test") != proof["instances"]["test"]:
            faults.append(f"{words(trial)}: sizes do not agree with the split")
        same = (
            f"{trial.dataset} {trial.split}".strip(),
            trial.profile,
            row.data.get(trial.dataset, ""),
        )
        hashes.setdefault(same, set()).add(json.dumps(proof["group_hash"], sort_keys=True))
    faults += [f"{n}: rows with {len(h)} splits" for (n, _, _), h in hashes.items() if len(h) > 1]
    return Check(
        "splits",
        "no group on two sides; one split a data set",
        len(with_proof),
        tuple(faults),
        leaky,
        "rows split in time or, under the paper profile, by instance",
    )


def _in_time(name: str, workspace: Workspace) -> bool:
    """Prices are split in time, where a group (an index) is on all sides."""
    try:
        return catalogue.find(name, workspace).card.split == "time"
    except TsxferError:
        return False


def _shares(rule: str) -> bool:
    """A rule of the user's own may say that groups are on several sides; its rows tell it."""
    return bool(facts(SPLITS, rule).get("shares_groups"))


def _subsets(held: Held) -> Check:
    """Split and subset are drawn again from the prepared data and compared with the rows."""
    faults, count, skipped = list[str](), 0, 0
    lying = cache(lambda name: _prepared(name, held.workspace))
    again: dict[tuple[object, ...], _Drawn] = {}
    for row in held.done:
        trial = row.trial
        data = lying(trial.dataset)
        if data is None or not row.subset or data.fingerprint != row.data.get(trial.dataset):
            skipped += 1
            continue
        count += 1
        terms = (
            trial.dataset,
            trial.profile,
            trial.size,
            trial.repeat,
            trial.part,
            trial.split,
        )
        if terms not in again:  # all models and sources share it
            again[terms] = _draw(data, trial)
        faults += [f"{words(trial)}: {what}" for what in again[terms].faults(row)]
    what = "subsets drawn again equal the rows' and hold no test instance"
    note = "rows whose data is not prepared here"
    return Check("subsets", what, count, tuple(faults), skipped, note)


def _prepared(name: str, workspace: Workspace) -> prepare.Prepared | None:
    try:
        return prepare.load(catalogue.find(name, workspace), workspace.data(name))
    except TsxferError:
        return None


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A subset drawn again: its hash, the proof of its split, and what is wrong with it."""

    digest: str
    proof: dict[str, Any]
    wrong: tuple[str, ...]

    def faults(self, row: Result) -> Iterator[str]:
        """What is wrong with a row that claims this subset."""
        if self.digest != row.subset:
            yield f"subset is {row.subset}, drawn again {self.digest}"
        yield from self.wrong
        if any(row.split.get(name) != value for name, value in self.proof.items()):
            yield "the split drawn again is another"


def _draw(data: prepare.Prepared, trial: Trial) -> _Drawn:
    parts, subset = task.draw(data, trial)
    used, wrong = np.concatenate([subset.train, subset.validation]), []
    if np.intersect1d(used, parts.test).size:
        wrong.append("a test instance is in the subset")
    if data.card.split == "time" and PROFILES[trial.profile].grouped:
        start, end = np.asarray(data.array("start")), np.asarray(data.array("end"))
        if end[used].max() >= start[parts.test].min():
            wrong.append("the subset reaches into the time of the test")
    proof = parts.proof(np.asarray(data.array("group")))
    return _Drawn(subset.digest, proof, tuple(wrong))


CHECKS: Sequence[Callable[[Held], Check]] = (_splits, _subsets)
