"""Made rows for tests of statistics and reports; no training behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.core.specs import Reuse, Trial


def study(
    repeats: int,
    scratch: list[float],
    transfer: list[float],
    *,
    target: str = "emg@1",
    source: str = "speech@1",
    metric: str = "macro_f1",
    margin: float = 0.02,
    labels: tuple[str, ...] = (),
    curve: dict[str, list[float]] | None = None,
    chance: float | None = None,
    analysis: str = "",
) -> tuple[list[Trial], dict[str, Result]]:
    """Trials and rows of one cell with the given test scores."""
    trials, rows = [], {}
    if chance is None:
        chance = 0.05 if metrics.get(metric).higher_is_better else 50.0
    curves = curve or {"samples": [0.0, 100.0, 200.0], "score": [0.1, 0.5, 0.6]}
    for i in range(repeats):
        twin = Trial(target, "convnetquake", "1500", i)
        origin = Trial(source, "convnetquake", "all", i % 3)
        moved = replace(twin, reuse=Reuse(origin))
        for trial, score in ((twin, scratch[i]), (moved, transfer[i])):
            trials.append(trial)
            rows[trial.key] = Result(
                trial=trial,
                status="done",
                metric=metric,
                margin=margin,
                scores={metric: score},
                chance={metric: chance},
                curve=curves,
                sizes={"train": 1200, "validation": 300, "test": 500},
                data={target: "f" * 16},
                split={},
                subset=f"s{i}",
                ledger={"steps": 10, "batch": 64, "tries": 1},
                labels=labels,
                environment={"tsxfer": "test"},
                analysis=analysis,
            )
    return trials, rows


def noise(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Seeded normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


def matrix(
    sources: list[str],
    targets: list[str],
    gains: np.ndarray,
    seed: int = 0,
    *,
    spread: float = 1.0,
    twin_spread: float = 0.7,
    sizes: tuple[str, ...] = ("n=1500",),
    curve: bool = False,
) -> tuple[list[Trial], dict[str, Result]]:
    """Rows of a source × target × size table; sources share the scratch twin of their target.

    Args:
        sources: Names.
        targets: Names.
        gains: True gain ``(source, target, size, repeat)`` in margins of 1.
        seed: Of the noise.
        spread: Standard deviation of the transfer arm's own noise.
        twin_spread: Standard deviation of the scratch arm's own noise.
        sizes: Label budgets.
        curve: Give every row a validation curve.
    """
    rng = np.random.default_rng(seed)
    trials, rows = [], {}
    given = {"samples": [0.0, 1200.0, 2400.0], "score": [9.0, 5.0, 4.0]} if curve else {}
    for t, target in enumerate(targets):
        for z, size in enumerate(sizes):
            for repeat in range(gains.shape[3]):
                twin = Trial(target, "tcn", size, repeat)
                base = 10 + rng.normal(0, twin_spread)
                arms = [(twin, base)]
                for s, source in enumerate(sources):
                    moved = replace(twin, reuse=Reuse(Trial(source, "tcn", "all", repeat % 3)))
                    arms.append((moved, base - gains[s, t, z, repeat] - rng.normal(0, spread)))
                for trial, score in arms:
                    trials.append(trial)
                    rows[trial.key] = Result(
                        trial=trial,
                        status="done",
                        metric="mae",
                        margin=1.0,
                        scores={"mae": score},
                        chance={"mae": 50.0},
                        curve=given,
                        sizes=_parts(size),
                        data={target: "f" * 16},
                        split={},
                        subset=f"s{repeat}",
                        ledger={"steps": 100, "batch": 64, "tries": 1},
                        environment={"tsxfer": "test"},
                    )
    return trials, rows


def _parts(size: str) -> dict[str, int]:
    labels = int(size.removeprefix("n="))
    return {"train": labels * 4 // 5, "validation": labels // 5, "test": 500}
