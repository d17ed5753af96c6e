"""One pair under two protocols: what of a gain comes from how it was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsxfer import metrics
from tsxfer.core.specs import Trial
from tsxfer.stats.cells import treatment
from tsxfer.stats.compare import Comparison
from tsxfer.stats.controls import Share, share
from tsxfer.stats.gain import gains as gains_of
from tsxfer.stats.tests import interval, plain_spread


@dataclass(frozen=True, slots=True)
class ProtocolEffect:
    """A transfer's gain under a study's first protocol and under another one.

    Repeats are paired by their number. Subsets and splits differ between protocols, so pairs share
    little; the interval of the paired differences holds whether they do or not.

    Attributes:
        first: The comparison that stands in the tables.
        other: The same one under the other protocol.
        repeats: Those that both have.
        gains: Oriented difference from scratch under the first protocol, by repeat: in the
            metric where that has two ends (macro F1); of errors without an end (MAE), whose size
            is that of the test windows, as share of error (`tsxfer.stats.gain`).
        in_metric: Which of the two.
        others: Under the other one.
        difference: Mean of other minus first.
        low: Lower end of its 95 % interval, None with fewer than two repeats.
        high: Upper end.
        share: What of the other protocol's gain the first one does not give; None where that gain
            is 0.
    """

    first: Comparison
    other: Comparison
    repeats: tuple[int, ...]
    gains: tuple[float, ...]
    others: tuple[float, ...]
    in_metric: bool
    difference: float
    low: float | None
    high: float | None
    share: Share | None

    @property
    def gain(self) -> float:
        """Mean gain under the first protocol."""
        return float(np.mean(self.gains))

    @property
    def elsewhere(self) -> float:
        """Mean gain under the other one."""
        return float(np.mean(self.others))


def effects(
    comparisons: Sequence[Comparison], others: Sequence[Comparison]
) -> list[ProtocolEffect]:
    """Every comparison beside the same one under each other protocol, where both have repeats."""
    by: dict[str, list[Comparison]] = {}
    for c in others:
        by.setdefault(_regardless(c.trial).key, []).append(c)
    pairs = ((c, o) for c in comparisons for o in by.get(_regardless(c.trial).key, []))
    return [effect for effect in (_effect(*pair) for pair in pairs) if effect is not None]


def _regardless(trial: Trial) -> Trial:
    """What a treatment is under all protocols, its sources' training included."""
    reuse, after = trial.reuse, trial.after
    if reuse is not None:
        also = tuple(map(_regardless, reuse.also))
        reuse = replace(reuse, source=_regardless(reuse.source), also=also)
    same = replace(trial, profile="strict", reuse=reuse, after=after and _regardless(after))
    return treatment(same)


def _by_repeat(c: Comparison, in_metric: bool) -> dict[int, float]:
    found = c.differences if in_metric else gains_of(c)
    return dict(zip(c.repeats, map(float, found), strict=True))


def _effect(first: Comparison, other: Comparison) -> ProtocolEffect | None:
    """None where no repeat has both, or where they were scored by different metrics."""
    ends = metrics.get(first.metric).span
    in_metric = math.isfinite(ends[1] - ends[0])
    mine, theirs = (_by_repeat(c, in_metric) for c in (first, other))
    shared = [repeat for repeat in mine if repeat in theirs]
    if not shared or first.metric != other.metric:
        return None
    gains, others = (np.array([by[r] for r in shared]) for by in (mine, theirs))
    more = others - gains
    low, high = interval(more, plain_spread(more)) if len(shared) > 1 else (None, None)
    return ProtocolEffect(
        first=first,
        other=other,
        repeats=tuple(shared),
        gains=tuple(map(float, gains)),
        others=tuple(map(float, others)),
        in_metric=in_metric,
        difference=float(more.mean()),
        low=low,
        high=high,
        share=share(others, gains),
    )
