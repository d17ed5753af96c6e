"""The tables of README.md, from the rows that lie here.

python experiments/real/tables.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.exchange.finding import find
from tsxfer.exchange.frame import frame
from tsxfer.exchange.sets import Part
from tsxfer.stats.tests import interval, plain_spread
from tsxfer.store.workspace import Workspace

SUITE = "real@1"
BASELINES = ("trivial", "summary", "minirocket")
REPEATS = 7
CONTROLS = ("untrained", "permuted")
HOURS = ("part", "trials done", "hours of pretraining", "hours of the rest")
SCORES = (
    "target", "labels", "metric", *BASELINES, "scratch", "source", "transfer − scratch",
    "untrained − scratch", "permuted − scratch", "transfer − untrained",
)  # fmt: skip


def hours(part: Part) -> list[str]:
    """How far a part got, and what it took."""
    before, asked = part.pretrainings, len(expand(part.spec))
    done = [row for row in part.rows if row.status == "done"]
    first = [row for row in done if row.key in before]
    rest = [row for row in done if row.key not in before]
    name = part.study.removeprefix("tsxfer-real-1-")
    return [f"`{name}`", f"{len(done)} of {asked}", _hours(first), _hours(rest)]


def _hours(rows: list[Result]) -> str:
    return f"{sum(row.cost.get('seconds', 0) for row in rows) / 3600:.2f}"


def scores(rows: pd.DataFrame) -> Iterator[list[str]]:
    """Each source of a part and target with all repeats: its gain, and those of its placebos."""
    own = rows[rows.source.notna()]
    size, model = own["size"].iloc[0], own.model.iloc[0]
    alone = rows[rows.source.isna() & rows.baseline.isna()]
    scratch = alone[(alone["size"] == size) & (alone.model == model)].score
    others = rows[rows.baseline.notna()].groupby("baseline").score.mean()
    head = [_short(rows.target.iloc[0]), size.removeprefix("n="), rows.metric.iloc[0]]
    head += [f"{others.get(name, float('nan')):.3f}" for name in BASELINES]
    head += [f"{scratch.mean():.3f}"]
    for source in own.source.unique():
        arms = own[own.source == source].set_index("repeat")
        gain = arms[arms.control.isna()].gain
        if len(gain) < REPEATS:
            continue  # of a part that was not finished
        placebos = {name: arms[arms.control == name].gain for name in CONTROLS}
        told = [gain, *placebos.values(), gain - placebos["untrained"]]
        yield [*head, _short(source), *map(_mean, told)]
        head = [""] * len(head)


def _short(name: str) -> str:
    return name.partition("+own")[0].partition("@")[0].removesuffix("_train")


def _mean(differences: pd.Series) -> str:
    values = differences.dropna().to_numpy()
    if len(values) < 2:
        return "n/a"
    low, high = interval(values, plain_spread(values))
    return f"{values.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def _table(head: tuple[str, ...], lines: list[list[str]]) -> str:
    every = [list(head), ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in every)


def main() -> None:
    """Print hours, then scores of each model."""
    suite = find(SUITE, Workspace(Path("nowhere")))
    sys.stdout.write(_table(HOURS, [hours(part) for part in suite.parts]) + "\n")
    rows = frame(suite)
    rows = rows[rows.status == "done"].copy()
    rows["of"] = rows.study.map(lambda name: name.removeprefix("tsxfer-real-1-").split("-")[0])
    for model, of in rows.groupby("of", sort=False):
        lines = [
            line
            for _, group in of.groupby(["study", "target"], sort=False)
            if group.source.notna().any()
            for line in scores(group)
        ]
        sys.stdout.write(f"\n### {model}\n\n{_table(SCORES, lines)}\n")


if __name__ == "__main__":
    main()
