"""How hard each simulated target is: scratch at 1,500 and 9,000 labels against chance.

Run: python bench/difficulty.py [NAME ...]
"""

from __future__ import annotations

import sys

from tsxfer.core.specs import Trial
from tsxfer.running.runner import Job, run

NAMES = ("global_eq", "local_eq", "local_eq_ir", "speech", "emg", "finance")


def main() -> None:
    """Print one line a data set and size."""
    for name in sys.argv[1:] or NAMES:
        for size in ("1500", "9000"):
            trial = Trial(f"{name}+sim@1", "convnetquake", size, 0)
            row = run(
                Job(
                    trial=trial,
                    workspace="tsxfer-workspace",
                    study="difficulty",
                    device="cpu",
                    keep_weights=False,
                    threads=1,
                )
            )
            score, chance = row.scores[row.metric], row.chance[row.metric]
            seconds = row.cost["seconds"]
            print(
                f"{name:12} {size:>5} {row.metric} {score:.3f} chance {chance:.3f} {seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
