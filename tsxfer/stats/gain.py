"""One scale for all targets: the share of error that transfer removes or adds, from -1 to 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.cautions import Caution
from tsxfer.stats.compare import Comparison

Values = NDArray[np.float64]


def gains(c: Comparison) -> Values:
    """Of each repeat, ``(e - f) / max(e, f)`` with the errors that scratch and transfer leave.

    Symmetric: halving the error is +0.5, doubling it is -0.5; no target can outweigh others by its
    unit or its range. An error is the distance to a perfect score; below the margin it counts as
    that, since shares of nothing are noise.
    """
    return removed(c, np.array(c.scratch, np.float64), np.array(c.transfer, np.float64))


def removed(c: Comparison, scratch: Values, transfer: Values) -> Values:
    """The same of any scores of this comparison's metric, such as those without a test group."""
    first, second = _errors(c, scratch), _errors(c, transfer)
    largest = np.maximum(np.maximum(first, second), max(c.margin, 1e-300))
    result: Values = (first - second) / largest
    return result


def _errors(c: Comparison, scores: Values) -> Values:
    return np.abs(_perfect(c) - scores)


def _perfect(c: Comparison) -> float:
    metric = metrics.get(c.metric)
    return metric.span[1] if metric.higher_is_better else metric.span[0]


def judged(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Those that a summary may rest on: declared, with a valid baseline, all repeats in.

    A zero-shot answer has no scratch twin of its budget, and is in no mean of gains.
    """
    sound = [c for c in comparisons if c.valid and not c.interim and bounded(c)]
    sound = [c for c in sound if not c.trial.zero_shot]
    return [c for c in sound if Caution.EXPLORATORY not in c.labels]


def bounded(c: Comparison) -> bool:
    """Whether the metric has a perfect score, without which there is no share of an error."""
    return bool(np.isfinite(_perfect(c)))


def by_target(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    """Comparisons of each target."""
    found: dict[str, list[Comparison]] = {}
    for c in comparisons:
        found.setdefault(c.trial.dataset, []).append(c)
    return found


def by_repeat(comparisons: Sequence[Comparison]) -> Values:
    """Mean gain of each repeat that all of them have; targets weigh equally."""
    shared = set(shared_repeats(comparisons))
    of_targets = [
        np.mean([_in(c, shared) for c in group], axis=0)
        for group in by_target(comparisons).values()
    ]
    mean: Values = np.mean(of_targets, axis=0)
    return mean


def shared_repeats(comparisons: Sequence[Comparison]) -> list[int]:
    """Repeats that all of them have, rising."""
    return sorted(set.intersection(*(set(c.repeats) for c in comparisons)))


def _in(c: Comparison, repeats: set[int]) -> Values:
    of: Mapping[int, float] = dict(zip(c.repeats, gains(c).tolist(), strict=True))
    return np.array([of[r] for r in sorted(repeats)])
