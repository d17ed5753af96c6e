"""Headline contrasts in order: overall, by size, by pair of data sets; each gate opens the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsxfer.stats.compare import LEVEL, Comparison
from tsxfer.stats.families import holm
from tsxfer.stats.tests import interval, plain_spread, t_test

Step = Literal["overall", "size", "pair"]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Mean gain over several comparisons, in units of their margins; positive favours transfer.

    The unit of replication is the repeat: gains are averaged over comparisons within each repeat,
    so twins shared by several sources are not counted as independent.

    Attributes:
        step: Level of the hierarchy.
        name: Of the contrast.
        comparisons: How many it averages.
        repeats: How many values the test has.
        mean: Mean gain in margins.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p: Two-sided, paired t over repeats.
        p_holm: Holm within the step.
        confirmed: Significant, and so is what stands above it.
    """

    step: Step
    name: str
    comparisons: int
    repeats: int
    mean: float
    low: float
    high: float
    p: float
    p_holm: float
    confirmed: bool


def contrasts(comparisons: Sequence[Comparison]) -> list[Contrast]:
    """All contrasts of a table; comparisons without a margin or labelled exploratory stay out."""
    usable = [c for c in comparisons if c.margin > 0 and "exploratory" not in c.labels]
    overall = _step("overall", usable, lambda _: "all comparisons", open_gate=True)
    gate = any(c.confirmed for c in overall)
    sizes = _step("size", usable, lambda c: c.trial.size, open_gate=gate)
    gate = gate and any(c.confirmed for c in sizes)
    pairs = _step("pair", usable, lambda c: f"{c.source} → {c.trial.dataset}", open_gate=gate)
    return [
        *overall,
        *(sizes if len(sizes) > 1 else []),
        *(pairs if len(pairs) > 1 else []),
    ]


def _step(
    step: Step,
    comparisons: Sequence[Comparison],
    name: Callable[[Comparison], str],
    *,
    open_gate: bool,
) -> list[Contrast]:
    groups: dict[str, list[Comparison]] = {}
    for c in comparisons:
        groups.setdefault(name(c), []).append(c)
    found = [x for n, group in groups.items() if (x := _contrast(step, n, group)) is not None]
    adjusted = holm([c.p for c in found])
    return [
        replace(c, p_holm=p, confirmed=open_gate and p < LEVEL)
        for c, p in zip(found, adjusted, strict=True)
        if p is not None
    ]


def _contrast(step: Step, name: str, group: Sequence[Comparison]) -> Contrast | None:
    gains = by_repeat(group)
    if len(gains) < 2:
        return None
    spread = plain_spread(gains)
    low, high = interval(gains, spread)
    p = t_test(gains, spread)
    return Contrast(
        step=step,
        name=name,
        comparisons=len(group),
        repeats=len(gains),
        mean=float(gains.mean()),
        low=low,
        high=high,
        p=p,
        p_holm=p,
        confirmed=False,
    )


def by_repeat(group: Sequence[Comparison]) -> NDArray[np.float64]:
    """Mean gain in margins of each repeat that all comparisons of the group have."""
    shared = set.intersection(*(set(c.repeats) for c in group))
    rows = [
        [d / c.margin for d, r in zip(c.differences, c.repeats, strict=True) if r in shared]
        for c in group
    ]
    mean: NDArray[np.float64] = np.array(rows).mean(axis=0)
    return mean
