"""What tests of baselines share: small data, and a trial that is run."""

from tsxfer.data import catalogue, prepare
from tsxfer.keys import stream
from tsxfer.runner import Job, run
from tsxfer.specs import NO_BACKBONE, Baseline, Recipe, Result, Trial
from tsxfer.workspace import Workspace

TARGETS = ("emg+sim@1", "finance+sim@1", "local_eq+sim@1")


def place_at(place: Workspace) -> Workspace:
    """Fill a workspace with 400 instances of each target."""
    for name in TARGETS:
        dataset = catalogue.find(name)
        assert dataset.simulate is not None
        made = dataset.simulate(400, stream("test", name))
        prepare.prepare(dataset, [made], place.data(name))
    return place


def ran(place: Workspace, target: str, baseline: Baseline, repeat: int = 0) -> Result:
    """The row of a baseline with 120 labels."""
    trial = Trial(target, NO_BACKBONE, "120", repeat, baseline=baseline)
    return run(Job(trial, str(place.root), "study", "cpu", False, 1))


def scratch(place: Workspace, target: str, repeat: int = 0) -> Result:
    """The row of a network from scratch with the same labels."""
    trial = Trial(target, "convnetquake", "120", repeat, Recipe(epochs=1))
    return run(Job(trial, str(place.root), "study", "cpu", False, 1))
