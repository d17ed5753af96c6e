"""A workspace with small simulated sets, and a trial in it as a job."""

from __future__ import annotations

from collections.abc import Iterable

from tsxfer.core.specs import Trial
from tsxfer.data import catalogue, prepare
from tsxfer.keys import stream
from tsxfer.running.runner import Job
from tsxfer.store.workspace import Workspace

SETS = ("emg+sim", "finance+sim", "local_eq+sim")


def filled(workspace: Workspace, count: int, names: Iterable[str] = SETS) -> Workspace:
    """The workspace, with so many instances of each set from its real simulator."""
    for name in names:
        dataset = catalogue.find(name)
        assert dataset.simulate is not None
        made = dataset.simulate(count, stream("test", name))
        prepare.prepare(dataset, [made], workspace.data(dataset.card.id))
    return workspace


def job(place: Workspace, trial: Trial, keep: bool = False) -> Job:
    """On the CPU, with one thread."""
    return Job(
        trial=trial,
        workspace=str(place.root),
        study="study",
        device="cpu",
        keep_weights=keep,
        threads=1,
    )
