"""One number for a table: interquartile mean of normalised gain, probability of improvement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.keys import stream
from tsxfer.stats.compare import Comparison

DRAWS = 2000
MOST, FEWEST = 50_000_000, 200  # numbers drawn in all, and draws that a long table still gets
HELD = 5_000_000  # numbers held at once


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Aggregates over the comparisons of a table, with 95 % bootstrap intervals.

    The bootstrap keeps pairs and is stratified: repeats are drawn again within each comparison
    (Agarwal et al. 2021), so it speaks of these data sets and models, not of others.

    Attributes:
        iqm: Interquartile mean of the share of scratch's remaining error that transfer removes.
        iqm_interval: Its interval.
        improvement: Mean over comparisons of the share of pairs in which transfer is better.
        improvement_interval: Its interval.
        used: Comparisons in the interquartile mean.
        left_out: Comparisons whose scratch arm leaves less error than the margin: no sound ratio.
    """

    iqm: float
    iqm_interval: tuple[float, float]
    improvement: float
    improvement_interval: tuple[float, float]
    used: int
    left_out: int


def aggregate(comparisons: Sequence[Comparison]) -> Aggregate | None:
    """Aggregate a table; None where no comparison can be normalised or has two pairs."""
    several = [c for c in comparisons if len(c.repeats) > 1]
    sound = [c for c in several if _room(c) > max(c.margin, 0.0)]
    if not sound:
        return None
    draw = stream("aggregate", len(sound), len(several))
    gains = [c.differences / _room(c) for c in sound]
    wins = [(c.differences > 0) + 0.5 * (c.differences == 0) for c in several]
    draws = min(DRAWS, max(FEWEST, MOST // sum(map(len, gains))))
    iqms = _drawn_iqms(gains, draw, draws)
    shares = np.mean([_resampled(w, draw, draws).mean(axis=1) for w in wins], axis=0)
    return Aggregate(
        float(_iqm(np.concatenate(gains)[None])[0]),
        _ends(iqms),
        float(np.mean([w.mean() for w in wins])),
        _ends(shares),
        len(sound),
        len(several) - len(sound),
    )


def _room(c: Comparison) -> float:
    """Error that scratch leaves: its distance to a perfect score."""
    metric = metrics.get(c.metric)
    perfect = metric.span[1] if metric.higher_is_better else metric.span[0]
    return abs(perfect - float(np.mean(c.scratch)))


def _drawn_iqms(
    gains: Sequence[NDArray[np.float64]], draw: np.random.Generator, draws: int
) -> NDArray[np.float64]:
    """The table drawn again `draws` times, a few at a time: what is kept of each draw is places."""
    kinds = [np.min_scalar_type(len(g)) for g in gains]
    places = [
        draw.integers(len(g), size=(draws, len(g))).astype(kind)
        for g, kind in zip(gains, kinds, strict=True)
    ]
    step = max(1, HELD // sum(map(len, gains)))
    parts = [
        _iqm(np.concatenate([g[p[at : at + step]] for g, p in zip(gains, places, strict=True)], 1))
        for at in range(0, draws, step)
    ]
    return np.concatenate(parts)


def _resampled(
    values: NDArray[np.float64], draw: np.random.Generator, draws: int
) -> NDArray[np.float64]:
    return np.asarray(values)[draw.integers(len(values), size=(draws, len(values)))]


def _iqm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the middle half of each row."""
    ordered = np.sort(values, axis=1)
    cut = values.shape[1] // 4
    middle: NDArray[np.float64] = ordered[:, cut : values.shape[1] - cut].mean(axis=1)
    return middle


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
