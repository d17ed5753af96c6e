"""The recipe table: scratch alone, by recipe, and what uses the same labels without a network.

python experiments/starts/recipes.py --workspace FOLDER --model tcn --target emg   # runs, resumable
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tsxfer.core import recipes
from tsxfer.core.expansion import STRONG
from tsxfer.core.specs import NO_BACKBONE, Trial
from tsxfer.running.runner import Job, run
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

STUDY = "recipes"
RECIPES = {
    **recipes.RECIPES,
    "strong": replace(recipes.RECIPES["usual"], tune=STRONG, augment="light"),
}
NORMALISED = ("mlstm_fcn", "resnet", "inception_time")  # by batch
SIZES = {"uci_emg": "800", "openeew": "800", "fr_aseaf": "800"}  # the others: 1,500


def trials(model: str, target: str, repeats: int) -> Iterator[Trial]:
    """Scratch by recipe, then the two answers without a backbone, repeat by repeat."""
    size = SIZES.get(target, "1500")
    for repeat in range(repeats):
        plain = Trial(f"{target}@1", model, size, repeat)
        for name, recipe in RECIPES.items():
            yield replace(plain, recipe=recipe, baseline="strong" if name == "strong" else None)
        if model in NORMALISED:
            yield replace(plain, baseline="renormalised")
        for other in ("summary", "minirocket"):
            yield replace(plain, model=NO_BACKBONE, baseline=other)


def main() -> None:
    """Run what is not done."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--workspace", type=Path, required=True)
    asked.add_argument("--model", required=True)
    asked.add_argument("--target", required=True)
    asked.add_argument("--repeats", type=int, default=7)
    given = asked.parse_args()
    store = Store.of(Workspace(given.workspace), STUDY)
    store.folder.mkdir(parents=True, exist_ok=True)
    done = {key for key, row in store.rows().items() if row.status == "done"}
    for trial in trials(given.model, given.target, given.repeats):
        if trial.key not in done:
            row = run(Job(trial, str(given.workspace), STUDY, "cpu", False, 1))
            store.append(row)
            score = row.scores.get(row.metric, float("nan"))
            sys.stdout.write(f"{given.target} {trial.model} {trial.repeat} {score:.3f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
