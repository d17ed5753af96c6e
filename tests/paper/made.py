"""Made rows of a study with a grid of multipliers; no training behind them."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tsxfer.core.results import Result
from tsxfer.core.specs import Recipe, Reuse, Trial

GRID = (0.01, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True)
class Run:
    """Where a made run stands; source and multiplier are empty from scratch."""

    model: str
    source: str
    target: str
    size: str
    repeat: int
    multiplier: float


def no_effect(run: Run) -> float:
    """Error 1 with 2 % noise that depends on the run alone."""
    return 1.0 + 0.02 * draw(run)


def draw(run: Run) -> float:
    """A standard normal number that belongs to the run."""
    return float(np.random.default_rng(zlib.crc32(repr(run).encode())).normal())


def rows(
    score: Callable[[Run], float] = no_effect,
    *,
    models: tuple[str, ...] = ("convnetquake", "tcn"),
    sources: tuple[str, ...] = ("lomax@1", "lendb@1", "stead@1"),
    targets: tuple[str, ...] = ("lomax@1", "lendb@1", "stead@1"),
    sizes: tuple[str, ...] = ("n=1500", "n=9000"),
    repeats: int = 6,
    multipliers: tuple[float, ...] = GRID,
    metric: str = "mae",
    chance: float | None = 10.0,
    seed: int = 0,
) -> list[Result]:
    """Scratch and fine-tuned rows under the paper profile; `seed` shifts all noise."""
    recipe = Recipe(epochs=100 + seed)
    found: dict[Trial, Result] = {}
    axes = itertools.product(range(repeats), models, targets, sizes, sources, multipliers)
    for repeat, model, target, size, source, multiplier in axes:
        if source == target:
            continue
        scratch = Trial(
            dataset=target, model=model, size=size, repeat=repeat, recipe=recipe, profile="paper"
        )
        origin = Trial(
            dataset=source, model=model, size="all", repeat=0, recipe=recipe, profile="paper"
        )
        for trial in (scratch, replace(scratch, reuse=Reuse(origin, multiplier))):
            run = Run(
                f"{model}/{seed}" if seed else model,
                source if trial.reuse else "",
                target,
                size,
                repeat,
                multiplier if trial.reuse else 0.0,
            )
            if trial not in found:
                found[trial] = row(trial, score(run), metric, chance)
    return list(found.values())


def row(trial: Trial, score: float, metric: str = "mae", chance: float | None = None) -> Result:
    """One row with a curve that comes down to its score."""
    curve = {"samples": [0.0, 64.0, 128.0, 192.0], "score": [score + d for d in (4, 2, 1, 0)]}
    levels = {} if chance is None else {metric: chance}
    return Result(
        trial=trial,
        status="done",
        metric=metric,
        margin=0.02,
        scores={metric: score},
        chance=levels,
        curve=curve,
        sizes={"train": 64},
        subset=f"{trial.dataset}-{trial.repeat}",
        loss="squared error",
        ledger={"steps": 10, "batch": 64, "tries": 1},
        cost={"best_samples": 192},
    )
