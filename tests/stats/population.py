"""A made-up population in which transfer gains nothing on average, sent through the package's path.

Each group (a speaker, say) has true weights of its own. Scratch is a ridge towards 0, transfer a
ridge towards pretrained weights, whose `bias` is tuned until the mean gain over fresh populations
is 0. Partition, subset, cells, predictions and comparison are the package's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.core.specs import PROFILES, Reuse, Trial
from tsxfer.data import rules, split
from tsxfer.stats.cells import Cell, cells
from tsxfer.stats.compare import Comparison, compare
from tsxfer.stats.testset import from_predictions

FEATURES = 12
PENALTY = 0.125  # for each training instance
NOISE = 1.0  # of a label
UNSTEADY = 0.002  # of trained weights: starting weights, order of batches
TRUE = np.random.default_rng(1).normal(0, 1.5 / np.sqrt(FEATURES), FEATURES)
AWAY = np.full(FEATURES, 1 / np.sqrt(FEATURES))


@dataclass(frozen=True)
class Setting:
    """What a study of the population looks like.

    Attributes:
        bias: How far pretrained weights are off, tuned to a mean gain of 0 with many populations.
        groups: In all; a fifth of them is tested.
        repeats: Of the cell.
        size: Label budget.
        pretrainings: Pretrained models, repeat i starting from number i modulo this.
        apart: Standard deviation between pretrained models.
        metric: ``mae``, or ``macro_f1`` of three classes and of groups of unequal size.
        gain: True gain in the metric, added to every error of scratch (``mae`` only).
        sources: Each off in a direction of its own; they share scratch twins and test groups.
    """

    bias: float
    groups: int = 40
    repeats: int = 7
    size: str = "n=300"
    pretrainings: int = 1
    apart: float = 0.0
    metric: str = "mae"
    gain: float = 0.0
    sources: int = 1


def cell_of(seed: int, setting: Setting, folder: Path | None) -> Cell:
    """A cell of one fresh population, its predictions kept in `folder`."""
    return cells_of(seed, setting, folder)[0]


def cells_of(seed: int, setting: Setting, folder: Path | None) -> list[Cell]:
    """A cell for each source, all tested on one fresh population."""
    rng = np.random.default_rng([7, seed])
    code = _groups(rng, setting)
    weights = TRUE + rng.normal(0, 0.5, (setting.groups, FEATURES))
    x = rng.normal(size=(len(code), FEATURES))
    y = (x * weights[code]).sum(axis=1) + rng.normal(0, NOISE, len(code))
    away = [
        [
            TRUE + setting.bias * AWAY * sides + setting.apart * rng.normal(size=FEATURES)
            for _ in range(setting.pretrainings)
        ]
        for sides in _directions(setting.sources)
    ]
    name, group = f"population{seed}@1", np.array([f"g{i:04d}" for i in code])
    unknown, strict = np.full(len(code), np.nan), PROFILES["strict"]
    known = rules.Instances(
        dataset=name,
        group=group,
        start=unknown,
        end=unknown,
        labels=None,
        part=None,
        shares=strict.shares,
        grouped=strict.grouped,
    )
    parts = rules.partition(known, strict, "grouped")
    proof = parts.proof(group) | {"group": "speaker", "rule": "grouped"}
    trials, rows = [], {}
    for repeat in range(setting.repeats):
        drawn = split.subset(parts, None, strict, setting.size, name, repeat).train
        twin = Trial(name, "tcn", setting.size, repeat)
        number = repeat % setting.pretrainings
        origins = [Trial(f"source{i}@1", "tcn", "all", number) for i in range(setting.sources)]
        starts = [np.zeros(FEATURES), *(models[number] for models in away)]
        arms = [twin, *(replace(twin, reuse=Reuse(origin)) for origin in origins)]
        for trial, start in zip(arms, starts, strict=True):
            learned = _ridge(x[drawn], y[drawn], start) + UNSTEADY * rng.normal(size=FEATURES)
            said = x[parts.test] @ learned
            if trial.reuse is None:
                said += setting.gain * np.sign(said - y[parts.test])
            truth, said = _answers(y[parts.test], said, setting.metric)
            trials.append(trial)
            rows[trial.key] = Result(
                trial=trial, status="done", metric=setting.metric, margin=0.001,
                scores={setting.metric: metrics.get(setting.metric).score(truth, said)},
                data={name: "f"}, split=proof, alignment=name,
            )  # fmt: skip
            if folder:
                np.savez(
                    folder / f"{trial.key}.npz",
                    truth=truth, predicted=said, group=code[parts.test], alignment=name,
                )  # fmt: skip
    return cells(trials, rows)


def _directions(sources: int) -> list[np.ndarray]:
    """Signs of the features, the first source's all 1, the others' half of them turned."""
    rng = np.random.default_rng(3)
    turned = [rng.permutation(np.resize([1.0, -1.0], FEATURES)) for _ in range(sources - 1)]
    return [np.ones(FEATURES), *turned]


def _groups(rng: np.random.Generator, setting: Setting) -> np.ndarray:
    """Group of each of some 60 instances a group; from 20 to 100 for classes."""
    each = np.full(setting.groups, 60)
    if setting.metric == "macro_f1":
        each = rng.integers(20, 101, setting.groups)
    return np.repeat(np.arange(setting.groups), each)


def _ridge(x: np.ndarray, y: np.ndarray, start: np.ndarray) -> np.ndarray:
    inner = x.T @ x + PENALTY * len(x) * np.eye(FEATURES)
    learned: np.ndarray = start + np.linalg.solve(inner, x.T @ (y - x @ start))
    return learned


def _answers(truth: np.ndarray, said: np.ndarray, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, or the class of each: low, middle, high."""
    if metric == "mae":
        return truth, said
    return np.digitize(truth, (-1.0, 1.0)), np.digitize(said, (-0.8, 0.8))


def studied(seeds: range, setting: Setting, folder: Path) -> list[Comparison]:
    """One comparison a population, as `tsxfer report` makes it."""
    return [c for seed in seeds for c in table([seed], setting, folder)]


def table(seeds: list[int], setting: Setting, folder: Path) -> list[Comparison]:
    """The comparisons of every source with every population, as `tsxfer report` makes them."""
    found = [cell for seed in seeds for cell in cells_of(seed, setting, folder)]
    errors = {cell.name: from_predictions(cell, folder) for cell in found}
    for row in {row.key for cell in found for pair in cell.pairs for row in pair}:
        (folder / f"{row}.npz").unlink()
    return compare(found, kept={name: error for name, error in errors.items() if error})
