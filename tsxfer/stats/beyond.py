"""Tests, corrections and verdicts for new groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tsxfer.stats.cells import Cell
from tsxfer.stats.power import smallest
from tsxfer.stats.scope import NewGroups, Parts, half_width, outset, parts_of, power, upper
from tsxfer.stats.tests import Spread
from tsxfer.stats.testset import TestError
from tsxfer.stats.verdicts import decide

Adjust = Callable[[float], float]
Correct = Callable[[list[float | None]], list[float | None]]


def said(
    cell: Cell,
    differences: NDArray[np.float64],
    spread: Spread | None,
    test: TestError | None,
    margin: float,
    two: Adjust,
    one: Adjust,
) -> NewGroups:
    """What one comparison says of new groups, before any correction.

    Args:
        cell: Rows.
        differences: Oriented difference of each pair.
        spread: Their variance as it is tested.
        test: What kept predictions say of other test groups.
        margin: Of practical interest.
        two: What a two-sided p counts where looks were declared.
        one: The same of a one-sided p.
    """
    found = outset(cell, test, spread)
    if found.reason or spread is None or test is None:
        return found
    parts, mean = parts_of(cell, differences, spread, test), float(differences.mean())
    half = half_width(parts)
    return replace(
        found,
        parts=parts,
        low=mean - half,
        high=mean + half,
        p=two(min(1.0, 2 * upper(abs(mean), parts))),
        p_not_worse=one(upper(mean + margin, parts)) if margin > 0 else None,
        p_equivalent=one(_within(mean, margin, parts)) if margin > 0 else None,
    )


def _within(mean: float, margin: float, parts: Parts) -> float:
    """P of two one-sided tests that the mean lies within ±`margin` (Schuirmann 1987)."""
    return max(upper(mean + margin, parts), upper(margin - mean, parts))


def settled(
    found: Sequence[NewGroups], differences: Sequence[float], corrected: Correct, level: float
) -> list[NewGroups]:
    """A family with its corrections, verdicts and smallest effects at a foreseen level."""
    both = corrected([new.p for new in found])
    not_worse = corrected([new.p_not_worse for new in found])
    equivalent = corrected([new.p_equivalent for new in found])
    return [
        replace(
            new,
            p_corrected=both[i],
            p_not_worse=not_worse[i],
            p_equivalent=equivalent[i],
            verdict=decide(differences[i], both[i], equivalent[i], not_worse[i]),
            detectable=detectable(new.parts, level) if new.parts else None,
        )
        for i, new in enumerate(found)
    ]


def detectable(parts: Parts, level: float) -> float:
    """Smallest true difference found with 80 % power."""
    return smallest(lambda effect: power(effect, parts, level), half_width(parts, level))
