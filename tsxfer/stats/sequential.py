"""Looking before all repeats are in, at no higher error: the level is spent over declared looks.

Lan and DeMets (1983) with the spending function that resembles O'Brien and Fleming (1979): on each
side, ``2 - 2 Phi(z / sqrt(t))`` is spent by the share ``t`` of the repeats, with the ``z`` at which
that is half the two-sided level when all are in. Boundaries
come from the recursion of Armitage, McPherson and Rowe (1969). Student's p is turned into the
normal value of the same p (Jennison and Turnbull 2000, section 3.8).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]
NODES = 96  # of Gauss-Legendre; boundaries agree with published ones to the fourth digit
FURTHEST = 8.5  # standard errors; beyond, nothing is left of a normal density
GRID = np.unique(np.concatenate([np.geomspace(1e-9, 0.5, 70), 1 - np.geomspace(1e-3, 0.5, 25)]))


def spent(t: float, level: float) -> float:
    """What of a two-sided level may be spent by the share `t` of all repeats, in (0, 1]."""
    return float(4 * ndtr(ndtri(level / 4) / np.sqrt(t)))


def boundaries(shares: tuple[float, ...], level: float) -> list[float]:
    """Two-sided boundaries on the normal scale, one for each look.

    Args:
        shares: Share of all repeats at each look, rising, the last one 1.
        level: Two-sided error of all looks together.
    """
    found: list[float] = []
    at, density = np.zeros(1), np.ones(1)  # where the walk is, and with which weight
    before, paid = 0.0, 0.0
    for share in shares:
        owed = spent(share, level) - paid
        step = float(np.sqrt(share - before))
        bound = _bound(at, density, step, owed) if owed > 0 else FURTHEST * float(np.sqrt(share))
        found.append(bound / float(np.sqrt(share)))
        at, density = _walked(at, density, step, bound)
        before, paid = share, spent(share, level)
    return found


def _bound(at: Array, density: Array, step: float, owed: float) -> float:
    """Where the walk ends with probability `owed` in this step; by bisection."""
    low, high = 0.0, FURTHEST
    for _ in range(60):
        middle = (low + high) / 2
        ends = density @ (ndtr((at - middle) / step) + ndtr((-middle - at) / step))
        low, high = (middle, high) if ends > owed else (low, middle)
    return high


def _walked(at: Array, density: Array, step: float, bound: float) -> tuple[Array, Array]:
    """The walks that go on, on nodes inside the bound, each with its weight."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    to, width = nodes * bound, weights * bound
    moved = np.exp(-0.5 * ((to[:, None] - at) / step) ** 2) / (step * np.sqrt(2 * np.pi))
    return to, width * (moved @ density)


@lru_cache(maxsize=32)
def _curve(shares: tuple[float, ...], look: int) -> tuple[Array, Array]:
    """Nominal p at a look, rising, and the level of all looks at which it is just enough."""
    nominal = [2 * float(ndtr(-boundaries(shares, level)[look])) for level in GRID]
    return np.maximum.accumulate(np.log(np.maximum(nominal, 1e-300))), np.log(GRID)


def at_last(level: float, looks: tuple[int, ...], planned: int) -> float:
    """Two-sided level of a test when all repeats are in, after looks that spent some of `level`.

    What looks cost: an effect that no look before found must meet it.
    """
    places = tuple(sorted({*(n for n in looks if 0 < n < planned), planned}))
    if len(places) == 1:
        return level
    known, levels = _curve(tuple(n / planned for n in places), len(places) - 1)
    return float(min(level, np.exp(np.interp(np.log(level), levels, known))))


def sequential(p: float, repeats: int, looks: tuple[int, ...], planned: int) -> float:
    """The smallest two-sided level of all looks together at which this p ends the study now.

    It stands in the place of p wherever families are corrected (Liu and Anderson 2008).

    Args:
        p: Two-sided, from the repeats so far.
        repeats: How many those are: a declared look, or all.
        looks: Declared looks before all are in.
        planned: Repeats declared.
    """
    places = tuple(sorted({*(n for n in looks if 0 < n < planned), planned}))
    if len(places) == 1 or repeats not in places or not 0 < p < 1:
        return p
    known, levels = _curve(tuple(n / planned for n in places), places.index(repeats))
    return float(min(1.0, max(p, np.exp(np.interp(np.log(p), known, levels)))))
