"""How many packs a study makes, how wide, and what they put on a device; counted, nothing trained.

A replica is one training: tuning makes several of a trial. Training and validation arrays are put
on the device once for all replicas of a pack with the same data, as are test windows.

Run: python -m bench.packs
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tsxfer.core.expansion import expand
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.running.runner import Job
from tsxfer.running.setup import data_of
from tsxfer.running.supply import packs

EVERY = ("global_eq+sim@1", "local_eq+sim@1", "speech+sim@1", "emg+sim@1", "finance+sim@1")
WIDEST = 64
MULTIPLIERS = tuple(step / 10 for step in range(1, 11))
MODELS = ("convnetquake", "magnet", "mlstm_fcn", "tcn")


def studies() -> dict[str, Study]:
    """The README's first command, and all by all with four models."""
    first = Study("readme", sources=EVERY[:1], targets=EVERY[1:2])
    return {
        "README's first command": first,
        "all by all, four models": replace(first, sources=EVERY, targets=EVERY, models=MODELS),
        "the same, paper profile": replace(
            first, sources=EVERY, targets=EVERY, models=MODELS, profile="paper", repeats=10
        ),
        "the same, ten multipliers": replace(
            first,
            sources=EVERY,
            targets=EVERY,
            models=MODELS,
            profile="paper",
            repeats=10,
            rate_multipliers=MULTIPLIERS,
        ),
    }


def jobs(trials: Sequence[Trial]) -> list[Job]:
    """Trials as jobs; those that others start from are kept."""
    origins = {origin.key for trial in trials for origin in trial.origins}
    return [Job(t, "w", "s", "cuda", t.key in origins, 1) for t in trials]


@dataclass(frozen=True, slots=True)
class Count:
    """What a study makes.

    Attributes:
        trials: Rows.
        replicas: Trainings.
        packs: Of at most `WIDEST` trials.
        apart: Packs if each strategy, and scratch, had packs of its own.
        uploads: Sets of training and validation arrays that go to the device, as many as of tests.
        most: Sets of training and validation arrays that a pack holds at most.
    """

    trials: int
    replicas: int
    packs: int
    apart: int
    uploads: int
    most: int


def count(made: Sequence[Job]) -> Count:
    """Of jobs of one study."""
    found = packs(made, WIDEST)
    held = [len({data_of(job.trial) for job in pack}) for pack in found]
    strategies = [{j.trial.reuse and j.trial.reuse.strategy for j in pack} for pack in found]
    return Count(
        trials=len(made),
        replicas=sum(len(job.trial.recipe.tune) or 1 for job in made),
        packs=len(found),
        apart=sum(len(several) for several in strategies),
        uploads=sum(held),
        most=max(held),
    )


def main() -> None:
    """Print two lines a study."""
    for name, study in studies().items():
        made = jobs(expand(study))
        one, widths = count(made), Counter(len(pack) for pack in packs(made, WIDEST))
        print(f"{name}: {one.trials} trials, {one.replicas} replicas, in {one.packs} packs,")
        print(f"    {dict(sorted(widths.items()))}, {one.apart} apart by strategy;")
        print(f"    {one.uploads} uploads of data and of test windows, {one.trials} one by one;")
        print(f"    at most {one.most} sets of data in a pack")


if __name__ == "__main__":
    main()
