"""A result set is verified with the package's own checks, in a workspace that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tsxfer.checks.held import Check
from tsxfer.checks.verify import verify
from tsxfer.core.results import Result
from tsxfer.exchange.sets import Part, ResultSet
from tsxfer.stats.lock import FILE
from tsxfer.store.predictions import PREDICTIONS
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace, write_whole

Checked = tuple[str, list[Check]]


def check(found: ResultSet, workspace: Workspace, most_bytes: int = 1 << 30) -> list[Checked]:
    """Every check of every study of a set; data that the workspace has is used, if it is the same.

    That trials of a study are not there is no fault of a set, which may be a part; what is there
    must hold. `most_bytes` is that of `tsxfer.checks.verify.verify`.

    Raises:
        StoreError: If rows came without their study file.
    """
    with laid_out(found, workspace) as scratch:
        return [
            (part.study, [_part_of(c) for c in verify(part.study, scratch, most_bytes)])
            for part in found.parts
        ]


def _part_of(check: Check) -> Check:
    """The check of completeness, in which gaps are counted."""
    if check.name != "cells" or not check.faults:
        return check
    what = f"{check.checked - len(check.faults)} of {check.checked} declared trials have a row"
    note = "trials that this set does not hold yet"
    return replace(check, what=what, faults=(), skipped=len(check.faults), note=note)


@contextmanager
def laid_out(found: ResultSet, workspace: Workspace) -> Iterator[Workspace]:
    """The set as a workspace of its own, with the data of the user's.

    Raises:
        StoreError: If rows came without their study file.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = Workspace(Path(folder))
        data = workspace.root.resolve() / "data"
        if data.is_dir():
            (scratch.root / "data").symlink_to(data, target_is_directory=True)
        for part in found.parts:
            lay_out(part, scratch.results(part.study), found)
        yield scratch


def lay_out(part: Part, folder: Path, found: ResultSet) -> None:
    """A study of a set as a folder of results; rows that have no origin yet get the set's."""
    part.spec  # noqa: B018  (refuses rows without a study file)
    write_whole(folder / "study.toml", part.study_toml)
    if part.lock_toml:
        write_whole(folder / FILE, part.lock_toml)
    origin = found.origin
    Store(folder).extend(marked(part, origin))
    if part.predictions is not None:
        (folder / PREDICTIONS).symlink_to(part.predictions.resolve(), target_is_directory=True)


def marked(part: Part, origin: str) -> Iterator[Result]:
    """The rows of a study, each with where it comes from; who merged it first stays named."""
    return (row if row.origin else replace(row, origin=origin) for row in part.rows)


def faults(checked: list[Checked]) -> list[str]:
    """What is wrong, in sentences."""
    return [
        f"{study}: {check.name}: {fault}"
        for study, checks in checked
        for check in checks
        for fault in check.faults
    ]
