"""Make the zoo: prepare the data, pretrain, and write the files that the package ships.

``python experiments/zoo/make.py DATA`` with the folder that holds the original files. What is
trained already is kept in the workspace, so the command may be stopped and given again.
``--only speech_test_list/convnetquake/0`` makes one file; on a CPU of the same kind with the same
versions it comes back bit for bit.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pack import pack

from tsxfer.cli.prepare import prepare_dataset
from tsxfer.core.building import from_plain
from tsxfer.core.specs import Recipe, Trial
from tsxfer.data import catalogue, prepare
from tsxfer.running.runner import Job, run
from tsxfer.store.workspace import Workspace

PLAN = Path(__file__).with_name("zoo.toml")
NONE = "none"  # of --only: train nothing, pack what is there


@dataclass(frozen=True, slots=True)
class Entry:
    """What one name of the zoo was trained on.

    Attributes:
        name: Never that of the full set.
        dataset: Versioned name of the data set whose reader reads the files.
        files: Their folder below DATA.
        holds: What the files hold, in words.
        recipes: Of models that are trained otherwise than the others.
    """

    name: str
    dataset: str
    files: str
    holds: str
    recipes: dict[str, Recipe] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole zoo.

    Attributes:
        version: Of every name; raised when weights change.
        pretrainings: Of each name and model.
        models: Backbones, cheapest first.
        recipe: Of every training, where an entry says no other.
        entries: Names, cheapest first.
    """

    version: int
    pretrainings: int
    models: tuple[str, ...]
    recipe: Recipe
    entries: tuple[Entry, ...]

    def trials(self, only: str) -> Iterator[tuple[Entry, Trial]]:
        """Every training, cheapest first; those that `only` names, if it is not empty."""
        for model in self.models:
            for number in range(self.pretrainings):
                for entry in self.entries:
                    if f"{entry.name}/{model}/{number}".startswith(only):
                        recipe = entry.recipes.get(model, self.recipe)
                        yield entry, Trial(entry.dataset, model, "all", number, recipe)


def read_plan() -> Plan:
    """The plan beside this file."""
    facts: dict[str, Any] = tomllib.loads(PLAN.read_text(encoding="utf-8"))
    return from_plain(Plan, facts, str(PLAN))


def ensure(entry: Entry, data: Path, workspace: Workspace) -> None:
    """Prepare the data of an entry where it is not there yet."""
    dataset = catalogue.find(entry.dataset)
    if prepare.load(dataset, workspace.data(entry.dataset)) is None:
        prepare_dataset(dataset.card.name, data / entry.files, workspace)


def main() -> None:
    """Train what is missing and write the files of what is there."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("data", type=Path)
    asked.add_argument("--workspace", type=Path, default=Path("zoo-workspace"))
    asked.add_argument("--only", default="", help="NAME, NAME/MODEL or NAME/MODEL/NUMBER")
    asked.add_argument("--out", type=Path, help="folder of the files: tsxfer/zoo/files")
    said = asked.parse_args()
    workspace = Workspace(said.workspace)
    train(said.data, workspace, said.only)
    if said.out:
        plan = read_plan()
        planned = plan.trials("" if said.only == NONE else said.only)
        wanted = ((e.name, plan.version, e.holds, t) for e, t in planned)
        for name in pack(wanted, workspace, said.out):
            sys.stdout.write(f"left out, since the wheel would be too large: {name}\n")


def train(data: Path, workspace: Workspace, only: str) -> None:
    """Train what is missing, and say what each gave."""
    for entry, trial in read_plan().trials(only):
        ensure(entry, data, workspace)
        job = Job(
            trial=trial,
            workspace=str(workspace.root),
            study="zoo",
            device="cpu",
            keep_weights=True,
            threads=1,
        )
        row = run(job)
        score, blind = row.scores.get(row.metric), row.chance.get(row.metric)
        sys.stdout.write(
            f"{entry.name}/{trial.model}/{trial.repeat}: {row.metric} {score} blind {blind} "
            f"{row.cost.get('seconds')} s {row.error}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
