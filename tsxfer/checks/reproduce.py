"""Train the trial of a row again in a scratch place, and say whether the numbers come back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from tsxfer.checks.agreement import Agreement, agreement, spread
from tsxfer.checks.found import Found, other
from tsxfer.core.plugins import with_plugins
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.errors import StoreError
from tsxfer.running.device import on_gpu
from tsxfer.running.fingerprints import fingerprints
from tsxfer.running.runner import Job, run
from tsxfer.store import given
from tsxfer.store.checkpoints import header
from tsxfer.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RerunOptions:
    """How to train again.

    Attributes:
        device: ``cpu`` or ``cuda``; empty takes the row's where it is there.
        ancestors: Train the sources again too, instead of taking their weights.
        times: How often; more than once measures the floor of nondeterminism.
        deterministic: Refuse operations that have no deterministic form.
        tolerance: Largest distance allowed, in the unit of the metric; None takes the row's own.
    """

    device: str = ""
    ancestors: bool = False
    times: int = 1
    deterministic: bool = False
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class Reproduced:
    """What training again gave for one row.

    Attributes:
        found: The row.
        score: Primary test score of the first training.
        agreement: Of the first training with the row.
        floor: Largest distance between trainings of now; None after only one.
        device: Where it was trained.
    """

    found: Found
    score: float | None
    agreement: Agreement
    floor: float | None
    device: str


def fitting(rows: Sequence[Found], workspace: Workspace, options: RerunOptions) -> list[Found]:
    """The rows made from the data prepared now; refuse what cannot be trained again.

    Raises:
        DataError: If the data prepared now is that of no row.
        StoreError: If the weights of an ancestor are missing, damaged or from other data.
    """
    row = rows[0].row
    with _scratch(workspace, row) as place:
        now = fingerprints(place, row.trial)
    fits = [one for one in rows if one.row.data == now]
    if not fits:
        name = next(n for n in {**now, **row.data} if now.get(n) != row.data.get(n))
        raise other(name, now.get(name), rows[0].row, rows[0].study, workspace)
    if not options.ancestors:
        for origin in (t for t in row.trial.origins if not t.given):
            _check_weights(origin, fits[0].row, rows[0].study, workspace)
    return fits


def _check_weights(source: Trial, row: Result, study: str, workspace: Workspace) -> None:
    path = workspace.weights(source.key)
    found = header(path)
    data = found.row.get("data") if found else None
    held = isinstance(data, dict) and all(row.data.get(n) == v for n, v in data.items())
    if found is None or not found.intact or found.row.get("key") != source.key or not held:
        state = "are damaged or made from other data" if path.exists() else "are not there"
        raise StoreError(
            f"the weights of {source.dataset} that row {row.key} starts from {state}",
            where=str(path),
            mend="add --ancestors to train them again too, or: "
            + with_plugins(f"tsxfer run {study}"),
        )


def reproduce(
    rows: Sequence[Found], workspace: Workspace, options: RerunOptions
) -> list[Reproduced]:
    """Train the trial of these rows (one key, one or more studies) again and compare each.

    The workspace is only read: training happens in a temporary folder that links to its data.
    """
    trained = [_train(rows[0].row, workspace, options) for _ in range(options.times)]
    floor = spread(trained) if options.times > 1 else None
    first = trained[0]
    return [
        Reproduced(
            one,
            first.scores.get(first.metric),
            agreement(one.row, first, options.tolerance),
            floor,
            str(first.cost.get("device", "")),
        )
        for one in rows
    ]


def _train(row: Result, workspace: Workspace, options: RerunOptions) -> Result:
    device = options.device or str(row.cost.get("device") or "cpu")
    if on_gpu(device) and not torch.cuda.is_available():
        device = "cpu"
    threads = int(row.environment.get("threads", "1"))
    trial = row.trial
    with _scratch(workspace, row) as place, _determinism(options.deterministic):
        for ancestor in _ancestors(trial):
            if options.ancestors:
                run(
                    Job(
                        trial=ancestor,
                        workspace=str(place.root),
                        study="reproduced",
                        device=device,
                        keep_weights=True,
                        threads=threads,
                    )
                )
            else:
                _link(workspace.weights(ancestor.key), place.weights(ancestor.key))
        return run(
            Job(
                trial=trial,
                workspace=str(place.root),
                study="reproduced",
                device=device,
                keep_weights=False,
                threads=threads,
            )
        )


def _ancestors(trial: Trial) -> list[Trial]:
    """Sources that a trial starts from, oldest first."""
    if not trial.origins:
        return []
    own = [origin for origin in trial.origins if not origin.given]
    chain = [t for origin in own for t in (*_ancestors(origin), origin)]
    return list({t.key: t for t in chain}.values())


@contextmanager
def _scratch(workspace: Workspace, row: Result) -> Iterator[Workspace]:
    """A temporary workspace that sees the row's prepared data and nothing else."""
    with tempfile.TemporaryDirectory(prefix="tsxfer-") as folder:
        place = Workspace(Path(folder))
        for name in row.data:
            _link(workspace.data(name), place.data(name))
            _link(workspace.root / given.FOLDER / name, place.root / given.FOLDER / name)
        yield place


def _link(there: Path, here: Path) -> None:
    if there.exists():
        here.parent.mkdir(parents=True, exist_ok=True)
        here.symlink_to(there.resolve())


@contextmanager
def _determinism(wanted: bool) -> Iterator[None]:
    """Only deterministic operations; cuBLAS reads its part when it is first used."""
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(wanted)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)
