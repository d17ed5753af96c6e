"""What tests of baselines share: small data, and a trial that is run."""

from tests.small import filled, job
from tsxfer.core.results import Result
from tsxfer.core.specs import NO_BACKBONE, Baseline, Recipe, Trial
from tsxfer.running.runner import run
from tsxfer.store.workspace import Workspace

TARGETS = ("emg+sim@1", "finance+sim@1", "local_eq+sim@1")


def place_at(place: Workspace) -> Workspace:
    """Fill a workspace with 400 instances of each target."""
    return filled(place, 400, TARGETS)


def ran(place: Workspace, target: str, baseline: Baseline, repeat: int = 0) -> Result:
    """The row of a baseline with 120 labels."""
    trial = Trial(target, NO_BACKBONE, "120", repeat, baseline=baseline)
    return run(job(place, trial))


def scratch(place: Workspace, target: str, repeat: int = 0) -> Result:
    """The row of a network from scratch with the same labels."""
    trial = Trial(
        dataset=target, model="convnetquake", size="120", repeat=repeat, recipe=Recipe(epochs=1)
    )
    return run(job(place, trial))
