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
from tsxfer.core.specs import PROFILES, Result, Reuse, Trial
from tsxfer.data import split
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
    """

    bias: float
    groups: int = 40
    repeats: int = 7
    size: str = "n=300"
    pretrainings: int = 1
    apart: float = 0.0
    metric: str = "mae"
    gain: float = 0.0


def cell_of(seed: int, setting: Setting, folder: Path | None) -> Cell:
    """A cell of one fresh population, its predictions kept in `folder`."""
    rng = np.random.default_rng([7, seed])
    code = _groups(rng, setting)
    weights = TRUE + rng.normal(0, 0.5, (setting.groups, FEATURES))
    x = rng.normal(size=(len(code), FEATURES))
    y = (x * weights[code]).sum(axis=1) + rng.normal(0, NOISE, len(code))
    away = [
        TRUE + setting.bias * AWAY + setting.apart * rng.normal(size=FEATURES)
        for _ in range(setting.pretrainings)
    ]
    name, group = f"population{seed}@1", np.array([f"g{i:04d}" for i in code])
    unknown, strict = np.full(len(code), np.nan), PROFILES["strict"]
    parts = split.partition(group, unknown, unknown, None, strict, "grouped", name)
    proof = parts.proof(group) | {"group": "speaker", "rule": "grouped"}
    trials, rows = [], {}
    for repeat in range(setting.repeats):
        drawn = split.subset(parts, None, strict, setting.size, name, repeat).train
        twin = Trial(name, "tcn", setting.size, repeat)
        origin = Trial("source@1", "tcn", "all", repeat % setting.pretrainings)
        for trial in (twin, replace(twin, reuse=Reuse(origin))):
            start = away[origin.repeat] if trial.reuse else np.zeros(FEATURES)
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
    return cells(trials, rows)[0]


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
    found = []
    for seed in seeds:
        cell = cell_of(seed, setting, folder)
        error = from_predictions(cell, folder)
        found += compare([cell], kept={cell.name: error} if error else {})
        for pair in cell.pairs:
            for row in pair:
                (folder / f"{row.key}.npz").unlink()
    return found
