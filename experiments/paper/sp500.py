"""The paper profile on the study's own series: scratch and fine-tuning on ^GSPC, 1,500 labels.

tsxfer prepare finance --from FOLDER       # FOLDER/^GSPC.csv, cut after 2018-11-27, as the study's
python experiments/paper/sp500.py --workspace FOLDER --model magnet                # resumable
python experiments/paper/sp500.py --workspace FOLDER --model convnetquake --source emg
python experiments/paper/sp500.py --workspace FOLDER --study PUBLISHED             # the table
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from tsxfer.core.published import RECIPE
from tsxfer.core.results import Result
from tsxfer.core.specs import Reuse, Trial
from tsxfer.paper.importing import import_rows
from tsxfer.running.runner import Job, run
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

NAME = "sp500-paper"
VALID = 6  # repeats of the study; its seventh scores at chance everywhere
Arm = tuple[str, str]  # model and source, "" for scratch


def trials(model: str, source: str, repeats: int) -> Iterator[Trial]:
    """Scratch, or a pretraining and the fine-tunings from it at multiplier 1."""
    first = Trial(f"{source}@1", model, "all", 0, RECIPE, "paper") if source else None
    if first:
        yield first
    for repeat in range(repeats):
        scratch = Trial("finance@1", model, "1500", repeat, RECIPE, "paper")
        yield replace(scratch, reuse=Reuse(first)) if first else scratch


def train(given: argparse.Namespace) -> None:
    """Run what is not done."""
    store = Store.of(Workspace(given.workspace), NAME)
    store.folder.mkdir(parents=True, exist_ok=True)
    done = {key for key, row in store.rows().items() if row.status == "done"}
    for trial in trials(given.model, given.source, given.repeats):
        if trial.key not in done:
            keep = trial.dataset != "finance@1"
            row = run(Job(trial, str(given.workspace), NAME, "cpu", keep, 1))
            store.append(row)
            sys.stdout.write(f"{trial.model} {trial.source or 'scratch'} {row.scores}\n")
            sys.stdout.flush()


def by_arm(rows: Iterable[Result]) -> dict[Arm, dict[int, float]]:
    """Mean absolute error of each repeat on the index at 1,500 labels, scratch or multiplier 1."""
    found: dict[Arm, dict[int, float]] = {}
    for row in rows:
        trial, reuse = row.trial, row.trial.reuse
        index = _plain(trial.dataset) in ("finance", "sp500") and trial.size == "n=1500"
        if index and (reuse is None or reuse.rate_multiplier == 1):
            arm = trial.model, _plain(trial.source)
            found.setdefault(arm, {})[trial.repeat] = row.scores["mae"]
    return found


def _plain(name: str) -> str:
    """Imported rows are of data sets of another name, such as ``emg+published@1``."""
    return name.partition("@")[0].partition("+")[0]


def table(ours: Iterable[Result], theirs: Iterable[Result]) -> Iterator[str]:
    """Both side by side, and which of ours lie outside of theirs."""
    study = by_arm(theirs)
    yield "| model | source | study, six valid runs | here | n | inside | mean here / there |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for (model, source), mine in sorted(by_arm(ours).items()):
        there = [score for repeat, score in study[model, source].items() if repeat < VALID]
        here = [mine[repeat] for repeat in sorted(mine)]
        inside = sum(min(there) <= score <= max(there) for score in here)
        yield (
            f"| {model} | {source or 'scratch'} | {min(there):.0f} to {max(there):.0f} | "
            f"{', '.join(f'{score:.0f}' for score in here)} | {len(here)} | "
            f"{inside} of {len(here)} | {np.mean(here) / np.mean(there):.2f} |"
        )


def main() -> None:
    """Run, or print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--workspace", type=Path, required=True)
    asked.add_argument("--model", default="convnetquake")
    asked.add_argument("--source", default="")
    asked.add_argument("--repeats", type=int, default=7)
    asked.add_argument("--study", type=Path, help="Folder of the published raw results.")
    given = asked.parse_args()
    if not given.study:
        train(given)
        return
    rows = Store.of(Workspace(given.workspace), NAME).rows().values()
    sys.stdout.write("\n".join(table(rows, import_rows(given.study)[1])) + "\n")


if __name__ == "__main__":
    main()
