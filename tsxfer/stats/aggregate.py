"""One number for a table: interquartile mean of normalised gain, probability of improvement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.keys import stream
from tsxfer.stats.compare import Comparison
from tsxfer.stats.gain import bounded, by_target, gains, shared_repeats
from tsxfer.stats.scope import Limit, Part
from tsxfer.stats.several import (
    NOTHING,
    Wider,
    left_gains,
    of_groups,
    of_pretrainings,
    outset,
    settled,
)

DRAWS = 2000
MOST, FEWEST = 50_000_000, 200  # numbers drawn in all, and draws that a long table still gets
HELD = 5_000_000  # numbers held at once


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Aggregates over the comparisons of a table, with 95 % bootstrap intervals.

    The bootstrap keeps pairs and is stratified: repeats are drawn again within each target, the
    same ones in all its comparisons, since these share their twins
    (Agarwal et al. 2021), so it speaks of these test instances; the interquartile mean also has an
    interval for new groups of these data sets. A share of pairs moves in jumps when a group is left
    out, and has none.

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
        beyond: What the interquartile mean says of new groups.
    """

    iqm: float
    iqm_interval: tuple[float, float]
    improvement: float
    improvement_interval: tuple[float, float]
    used: int
    left_out: int
    without: tuple[tuple[str, float], ...] = ()
    beyond: Wider = NOTHING


def aggregate(comparisons: Sequence[Comparison]) -> Aggregate | None:
    """Aggregate a table; None where no comparison can be normalised or has two pairs."""
    several = [c for c in comparisons if len(c.repeats) > 1 and c.valid and bounded(c)]
    several = [c for c in several if not c.trial.zero_shot]  # no twin of its budget, as in `judged`
    sound = [c for c in several if _room(c) > max(c.margin, 0.0)]
    if not sound:
        return None
    draw = stream("aggregate", len(sound), len(several))
    removed, weights = [gains(c) for c in sound], _weights(sound)
    wins = [(c.differences > 0) + 0.5 * (c.differences == 0) for c in several]
    draws = min(DRAWS, max(FEWEST, MOST // sum(map(len, removed))))
    iqms = _drawn_iqms(removed, weights, _places(sound, draw, draws))
    equal = [float(w.sum()) for w in _weights(several)]
    shares = sum(
        weight * won[places].mean(axis=1)
        for weight, won, places in zip(equal, wins, _places(several, draw, draws), strict=True)
    )
    iqm = _one_iqm(removed, weights)
    return Aggregate(
        iqm=iqm,
        iqm_interval=_ends(iqms),
        improvement=float(np.dot(equal, [w.mean() for w in wins])),
        improvement_interval=_ends(np.asarray(shares)),
        used=len(sound),
        left_out=len(several) - len(sound),
        without=_without(sound),
        beyond=_beyond(sound, iqm, iqms),
    )


def _beyond(sound: Sequence[Comparison], iqm: float, drawn: NDArray[np.float64]) -> Wider:
    """The interquartile mean for new groups; its repeats have the variance of the bootstrap."""
    whom = outset(sound)
    if whom.scope != "new groups" or whom.why or len(shared_repeats(sound)) < 2:
        return whom
    few = min(len(c.repeats) for c in sound)
    parts: dict[Limit, Part] = {
        # A bootstrap of n values has (n - 1) / n of the variance of their mean.
        "repeats": Part(float(drawn.var()) * few / (few - 1), few - 1.0),
        "groups": of_groups(sound, _left(sound)),
    }
    apart = of_pretrainings(sound)
    return settled(whom, iqm, parts | ({"pretrainings": apart} if apart else {}))


def _left(sound: Sequence[Comparison]) -> dict[str, NDArray[np.float64]]:
    """Interquartile means without each block of a target's groups."""
    weights = np.concatenate(_weights(sound))
    found = {}
    for target, group in by_target(sound).items():
        out = {id(c): left_gains(c).T for c in group}  # (block, repeat)
        blocks = len(next(iter(out.values())))
        values = [out.get(id(c), np.tile(gains(c), (blocks, 1))) for c in sound]
        found[target] = _iqm(np.concatenate(values, axis=1), weights)
    return found


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


def _places(
    comparisons: Sequence[Comparison], draw: np.random.Generator, draws: int
) -> list[NDArray[np.unsignedinteger[Any]]]:
    """Repeats drawn again, ``(draw, repeat)``: the same in all comparisons of a target.

    Those share scratch twins, labels and order of a repeat, so that they are not independent.
    """
    drawn: dict[tuple[str, tuple[int, ...]], NDArray[np.unsignedinteger[Any]]] = {}
    for c in comparisons:
        count = len(c.repeats)
        if (c.trial.dataset, c.repeats) not in drawn:
            places = draw.integers(count, size=(draws, count))
            drawn[c.trial.dataset, c.repeats] = places.astype(np.min_scalar_type(count))
    return [drawn[c.trial.dataset, c.repeats] for c in comparisons]


def _drawn_iqms(
    gains: Sequence[NDArray[np.float64]],
    weights: Sequence[NDArray[np.float64]],
    places: Sequence[NDArray[np.unsignedinteger[Any]]],
) -> NDArray[np.float64]:
    """Of the table drawn again, a few draws at a time: what is kept of each is places."""
    draws = len(places[0])
    step = max(1, HELD // sum(map(len, gains)))
    parts = [
        _iqm(
            np.concatenate([g[p[at : at + step]] for g, p in zip(gains, places, strict=True)], 1),
            np.concatenate(weights),
        )
        for at in range(0, draws, step)
    ]
    return np.concatenate(parts)


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
