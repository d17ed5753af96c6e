"""Made rows for tests of statistics and reports; no training behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsxfer.specs import Result, Reuse, Trial


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
) -> tuple[list[Trial], dict[str, Result]]:
    """Trials and rows of one cell with the given test scores."""
    trials, rows = [], {}
    curves = curve or {"samples": [0.0, 100.0, 200.0], "score": [0.1, 0.5, 0.6]}
    for i in range(repeats):
        twin = Trial(target, "convnetquake", "1500", i)
        origin = Trial(source, "convnetquake", "all", i % 3)
        moved = replace(twin, reuse=Reuse(origin))
        for trial, score in ((twin, scratch[i]), (moved, transfer[i])):
            trials.append(trial)
            rows[trial.key] = Result(
                trial, "done", metric, margin, {metric: score}, {metric: 0.05}, curves,
                {"train": 1200, "validation": 300, "test": 500}, {target: "f" * 16}, {}, f"s{i}",
                ledger={"steps": 10, "batch": 64, "tries": 1}, labels=labels,
                environment={"tsxfer": "test"},
            )  # fmt: skip
    return trials, rows


def noise(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Seeded normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)
