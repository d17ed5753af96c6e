"""How many packs a study makes, and how wide: scratch beside transfers, and apart as it was.

Run: python -m bench.packs
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from tsxfer.core.specs import Trial
from tsxfer.core.study import Study, expand
from tsxfer.running.runner import Job
from tsxfer.running.supply import packs

EVERY = ("global_eq+sim@1", "local_eq+sim@1", "speech+sim@1", "emg+sim@1", "finance+sim@1")
MODELS = ("convnetquake", "magnet", "mlstm_fcn", "tcn")


def studies() -> dict[str, Study]:
    """The README's first command, and all by all with four models."""
    first = Study("readme", sources=EVERY[:1], targets=EVERY[1:2])
    return {
        "README's first command": first,
        "all by all, four models": replace(first, sources=EVERY, targets=EVERY, models=MODELS),
    }


def jobs(trials: Sequence[Trial]) -> list[Job]:
    """Trials as jobs; those that others start from are kept."""
    origins = {origin.key for trial in trials for origin in trial.origins}
    return [Job(t, "w", "s", "cuda", t.key in origins, 1) for t in trials]


def main() -> None:
    """Print one line a study: packs, mean width, and how many would be without joining."""
    for name, study in studies().items():
        made = jobs(expand(study))
        found = packs(made, 64)
        apart = Counter(
            (len(pack), job.trial.reuse and job.trial.reuse.strategy, id(pack))
            for pack in found
            for job in pack
        )
        widths = Counter(len(pack) for pack in found)
        print(f"{name}: {len(made)} trials in {len(found)} packs, {dict(sorted(widths.items()))}")
        print(f"    apart by strategy: {len(apart)} packs, mean width {len(made) / len(apart):.0f}")


if __name__ == "__main__":
    main()
