"""One number for a table: interquartile mean of normalised gain, probability of improvement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.keys import stream
from tsxfer.stats.compare import Comparison
from tsxfer.stats.gain import by_target, gains

DRAWS = 2000
MOST, FEWEST = 50_000_000, 200  # numbers drawn in all, and draws that a long table still gets
HELD = 5_000_000  # numbers held at once


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Aggregates over the comparisons of a table, with 95 % bootstrap intervals.

    The bootstrap keeps pairs and is stratified: repeats are drawn again within each comparison
    (Agarwal et al. 2021), so it speaks of these data sets and models, not of others.

    Attributes:
        iqm: Interquartile mean of the share of error that transfer removes (`gain.gains`); each
            target has the same weight in it, however many comparisons it has.
        iqm_interval: Its interval.
        improvement: Share of pairs in which transfer is better: mean over the comparisons of each
            target, then over targets.
        improvement_interval: Its interval.
        used: Comparisons in the interquartile mean.
        left_out: Comparisons whose scratch arm leaves less error than the margin: no sound ratio.
        without: Target and interquartile mean without it, where there are two or more.
    """

    iqm: float
    iqm_interval: tuple[float, float]
    improvement: float
    improvement_interval: tuple[float, float]
    used: int
    left_out: int
    without: tuple[tuple[str, float], ...] = ()


def aggregate(comparisons: Sequence[Comparison]) -> Aggregate | None:
    """Aggregate a table; None where no comparison can be normalised or has two pairs."""
    several = [c for c in comparisons if len(c.repeats) > 1 and c.valid]
    sound = [c for c in several if _room(c) > max(c.margin, 0.0)]
    if not sound:
        return None
    draw = stream("aggregate", len(sound), len(several))
    removed, weights = [gains(c) for c in sound], _weights(sound)
    wins = [(c.differences > 0) + 0.5 * (c.differences == 0) for c in several]
    draws = min(DRAWS, max(FEWEST, MOST // sum(map(len, removed))))
    iqms = _drawn_iqms(removed, weights, draw, draws)
    equal = [float(w.sum()) for w in _weights(several)]
    shares = sum(
        weight * _resampled(won, draw, draws).mean(axis=1)
        for weight, won in zip(equal, wins, strict=True)
    )
    return Aggregate(
        iqm=_one_iqm(removed, weights),
        iqm_interval=_ends(iqms),
        improvement=float(np.dot(equal, [w.mean() for w in wins])),
        improvement_interval=_ends(np.asarray(shares)),
        used=len(sound),
        left_out=len(several) - len(sound),
        without=_without(sound),
    )


def _weights(comparisons: Sequence[Comparison]) -> list[NDArray[np.float64]]:
    """Weight of each pair; pairs of a target share its part equally among its comparisons."""
    targets = by_target(comparisons)
    share = {name: 1 / (len(targets) * len(group)) for name, group in targets.items()}
    return [np.full(len(c.repeats), share[c.trial.dataset] / len(c.repeats)) for c in comparisons]


def _one_iqm(
    values: Sequence[NDArray[np.float64]], weights: Sequence[NDArray[np.float64]]
) -> float:
    return float(_iqm(np.concatenate(values)[None], np.concatenate(weights))[0])


def _without(sound: Sequence[Comparison]) -> tuple[tuple[str, float], ...]:
    targets = by_target(sound)
    found = []
    for target in targets if len(targets) > 1 else ():
        left = [c for c in sound if c.trial.dataset != target]
        found.append((target, _one_iqm([gains(c) for c in left], _weights(left))))
    return tuple(found)


def _room(c: Comparison) -> float:
    """Error that scratch leaves: its distance to a perfect score."""
    metric = metrics.get(c.metric)
    perfect = metric.span[1] if metric.higher_is_better else metric.span[0]
    return abs(perfect - float(np.mean(c.scratch)))


def _drawn_iqms(
    gains: Sequence[NDArray[np.float64]],
    weights: Sequence[NDArray[np.float64]],
    draw: np.random.Generator,
    draws: int,
) -> NDArray[np.float64]:
    """The table drawn again `draws` times, a few at a time: what is kept of each draw is places."""
    kinds = [np.min_scalar_type(len(g)) for g in gains]
    places = [
        draw.integers(len(g), size=(draws, len(g))).astype(kind)
        for g, kind in zip(gains, kinds, strict=True)
    ]
    step = max(1, HELD // sum(map(len, gains)))
    parts = [
        _iqm(
            np.concatenate([g[p[at : at + step]] for g, p in zip(gains, places, strict=True)], 1),
            np.concatenate(weights),
        )
        for at in range(0, draws, step)
    ]
    return np.concatenate(parts)


def _resampled(
    values: NDArray[np.float64], draw: np.random.Generator, draws: int
) -> NDArray[np.float64]:
    return np.asarray(values)[draw.integers(len(values), size=(draws, len(values)))]


def _iqm(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the middle half of each row, by weights that sum to 1."""
    order = np.argsort(values, axis=1)
    upto = np.cumsum(weights[order], axis=1)
    inside = np.minimum(upto, 0.75) - np.maximum(upto - weights[order], 0.25)
    mass = np.maximum(inside, 0.0)
    total = (np.take_along_axis(values, order, 1) * mass).sum(axis=1)
    middle: NDArray[np.float64] = total / mass.sum(axis=1)
    return middle


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
