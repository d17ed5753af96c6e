"""Is the best source really good? The winner is tested against the largest of many, not alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tsxfer.stats.compare import Comparison
from tsxfer.stats.scope import upper
from tsxfer.stats.tests import EXACT_LIMIT, sign_patterns

CONFIRM_BELOW = 10  # repeats


@dataclass(frozen=True, slots=True)
class Best:
    """The best of several sources for one target, model and size.

    Attributes:
        winner: Comparison with the largest mean gain.
        rivals: Sources compared.
        p: One-sided p of the largest t under sign flips that all sources share (Westfall–Young),
            which corrects for choosing the winner on the same runs; on these test instances.
        p_alone: One-sided p as if the winner had been named before; too small.
        floor: Smallest p that so many repeats can give.
        p_new: One-sided p for new groups, times the number of sources (Bonferroni), since they
            share test groups in a way that no flip keeps; None where nothing can be said.
    """

    winner: Comparison
    rivals: int
    p: float
    p_alone: float
    floor: float
    p_new: float | None = None

    @property
    def advice(self) -> str:
        """What may be said of the winner."""
        if len(self.winner.repeats) < CONFIRM_BELOW:
            return "few repeats: confirm with fresh ones before calling it the best source"
        return "selection is accounted for"


def best_sources(comparisons: Sequence[Comparison]) -> list[Best]:
    """One statement for each target, model and size that has at least two sources.

    Sources that no valid baseline stands beside, or whose repeats are not all in, are no rivals,
    nor are zero-shot answers, whose budget is another.
    """
    groups: dict[tuple[str, ...], list[Comparison]] = {}
    for c in (c for c in comparisons if c.valid and not c.interim and not c.trial.zero_shot):
        groups.setdefault((c.trial.dataset, c.trial.model, c.trial.size), []).append(c)
    found = [_best(group) for group in groups.values() if len({c.source for c in group}) > 1]
    return [best for best in found if best is not None]


def _best(group: Sequence[Comparison]) -> Best | None:
    shared = sorted(set.intersection(*(set(c.repeats) for c in group)))
    if len(shared) < 2:
        return None
    d = np.array(
        [[v for v, r in zip(c.differences, c.repeats, strict=True) if r in shared] for c in group]
    )
    signs = _flips(len(shared))
    null = signs @ _unit(d).T  # (flip, source), the observed signs first
    i = int(np.argmax(null[0]))
    slack = null[0, i] - 1e-12
    return Best(
        group[i],
        len(group),
        float(np.mean(null.max(axis=1) >= slack)),
        float(np.mean(null[:, i] >= slack)),
        1 / len(signs),
        _of_new_groups(group[i], len(group)),
    )


def _of_new_groups(winner: Comparison, rivals: int) -> float | None:
    parts = winner.beyond.parts
    return None if parts is None else min(1.0, rivals * upper(winner.difference, parts))


@lru_cache(maxsize=8)
def _flips(n: int) -> NDArray[np.float64]:
    """Sign patterns, the observed one first."""
    signs = sign_patterns(n, "best-source")
    return signs if n <= EXACT_LIMIT else np.vstack([np.ones(n), signs])


def _unit(d: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of length 1: flips leave squares, so Student's t rises with the sum of such a row."""
    length = np.sqrt((d**2).sum(axis=1, keepdims=True))
    unit: NDArray[np.float64] = d / np.where(length > 0, length, 1.0)
    return unit
