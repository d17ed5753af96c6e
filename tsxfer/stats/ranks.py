"""Tables that reviewers ask for: ranks over data sets, who cannot be told apart, and every pair.

Friedman's test with the correction of Iman and Davenport (1980) and average ranks (Demšar 2006);
cliques by Wilcoxon's signed ranks with Holm's correction instead of a post-hoc test on ranks
(Benavoli et al. 2016); the multi-comparison matrix of Ismail-Fawaz et al. (2023), whose entries do
not change when another treatment joins.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, ndtr

from tsxfer.stats.compare import LEVEL, Comparison
from tsxfer.stats.families import holm
from tsxfer.stats.gain import gains, judged

Values = NDArray[np.float64]
SCRATCH = "scratch"
EXACT = 25  # differences up to which Wilcoxon's distribution is counted out
FEWEST = 3  # blocks (targets, models, sizes) below which nothing is ranked


@dataclass(frozen=True, slots=True)
class Duel:
    """One treatment against another over the blocks that have both.

    Attributes:
        first: Name.
        second: Name.
        blocks: How many have both.
        mean: Mean share of error by which the first is better, -1 to 1.
        wins: Blocks in which the first is better.
        ties: Blocks in which they agree.
        losses: Blocks in which the second is better.
        p: Two-sided, Wilcoxon's signed ranks.
        p_holm: Holm over all duels of the table.
    """

    first: str
    second: str
    blocks: int
    mean: float
    wins: int
    ties: int
    losses: int
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class Ranks:
    """Treatments in order of their average rank.

    Attributes:
        names: The best first.
        ranks: Average rank, 1 is best; over the blocks that have all.
        blocks: How many those are.
        p: Friedman's test in the form of Iman and Davenport; None with fewer than `FEWEST` blocks.
        cliques: Places in `names`, from and to, of treatments no two of which can be told apart.
        duels: Every pair.
        left_out: Treatments that would leave no block with all: they stand in duels alone.
    """

    names: tuple[str, ...]
    ranks: tuple[float, ...]
    blocks: int
    p: float | None
    cliques: tuple[tuple[int, int], ...]
    duels: tuple[Duel, ...]
    left_out: tuple[str, ...]


def ranks(comparisons: Sequence[Comparison]) -> Ranks | None:
    """Sources and scratch over blocks of target, model and size; None below two sources.

    A block holds a value for each treatment: its mean gain over scratch on the bounded scale, which
    is 0 for scratch.
    """
    table: dict[tuple[str, ...], dict[str, float]] = {}
    for c in judged(comparisons):
        how = c.trial.reuse.strategy.words if c.trial.reuse else ""
        block = (c.trial.dataset, c.trial.model, c.trial.size)
        name = ", ".join(filter(None, (c.source, how)))
        table.setdefault(block, {SCRATCH: 0.0})[name] = float(gains(c).mean())
    names = list(dict.fromkeys(name for block in table.values() for name in block))
    return ranked(list(table.values()), names) if len(names) > 2 else None


def ranked(blocks: Sequence[Mapping[str, float]], names: Sequence[str]) -> Ranks | None:
    """Rank treatments; larger values are better.

    Args:
        blocks: Value by treatment; blocks may lack some.
        names: Treatments.
    """
    kept = _shared(blocks, names)
    whole = np.array([[b[n] for n in kept] for b in blocks if all(n in b for n in kept)])
    if len(whole) < 1 or len(kept) < 2:
        return None
    of = np.array([average_ranks(-row) for row in whole])
    order = np.argsort(of.mean(axis=0), kind="stable")
    best = tuple(kept[i] for i in order)
    duels = _duels(blocks, names)
    told = {frozenset((d.first, d.second)) for d in duels if d.p_holm < LEVEL}
    return Ranks(
        names=best,
        ranks=tuple(float(r) for r in of.mean(axis=0)[order]),
        blocks=len(whole),
        p=friedman(whole) if len(whole) >= FEWEST else None,
        cliques=cliques(best, told),
        duels=duels,
        left_out=tuple(n for n in names if n not in kept),
    )


def _shared(blocks: Sequence[Mapping[str, float]], names: Sequence[str]) -> list[str]:
    """Treatments, without those whose presence leaves too few blocks that have all of the others.

    A source is never its own target, so that in a square table no block has all.
    """
    kept = list(names)
    while len(kept) > 2 and sum(all(n in b for n in kept) for b in blocks) < FEWEST:
        kept.remove(min(kept[1:], key=lambda n: sum(n in b for b in blocks)))
    return kept


def average_ranks(values: Values) -> Values:
    """Ranks from 1, the smallest first; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    result: Values = ((last - counts + 1 + last) / 2)[inverse]
    return result


def friedman(table: Values) -> float:
    """P that all treatments (columns) are alike, over blocks (rows); ties are corrected for."""
    n, k = table.shape
    of = np.array([average_ranks(row) for row in table])
    between = float(((of.sum(axis=0) - n * (k + 1) / 2) ** 2).sum())
    within = float((of**2).sum()) - n * k * (k + 1) ** 2 / 4
    if within == 0:
        return 1.0
    chi = (k - 1) * between / within
    if chi >= n * (k - 1):
        return 0.0
    f = (n - 1) * chi / (n * (k - 1) - chi)
    return float(fdtrc(k - 1, (k - 1) * (n - 1), f))


def wilcoxon(differences: Values) -> float:
    """Two-sided p of Wilcoxon's signed ranks; zeros are left out, exact for few without ties."""
    d = differences[differences != 0]
    n = len(d)
    if n == 0:
        return 1.0
    of = average_ranks(np.abs(d))
    plus = float(of[d > 0].sum())
    if n <= EXACT and len(np.unique(np.abs(d))) == n:
        ways = _ways(n)
        low = int(min(plus, n * (n + 1) / 2 - plus))
        return float(min(1.0, 2 * ways[: low + 1].sum() / 2.0**n))
    ties = np.unique(np.abs(d), return_counts=True)[1]
    variance = n * (n + 1) * (2 * n + 1) / 24 - float((ties**3 - ties).sum()) / 48
    return float(min(1.0, 2 * ndtr(-abs(plus - n * (n + 1) / 4) / np.sqrt(variance))))


def _ways(n: int) -> Values:
    """In how many ways ranks 1 to `n` with signs give each sum of the positive ones."""
    ways = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways
        longer[rank:] += ways
        ways = longer
    return ways


def _duels(blocks: Sequence[Mapping[str, float]], names: Sequence[str]) -> tuple[Duel, ...]:
    found = []
    for first, second in itertools.combinations(names, 2):
        d = np.array([b[first] - b[second] for b in blocks if first in b and second in b])
        if len(d):
            wins, losses = int((d > 0).sum()), int((d < 0).sum())
            counts = wins, len(d) - wins - losses, losses
            found.append((first, second, len(d), float(d.mean()), *counts, wilcoxon(d)))
    adjusted = holm([one[-1] for one in found])
    return tuple(Duel(*one, p or 0.0) for one, p in zip(found, adjusted, strict=True))


def cliques(names: Sequence[str], told: set[frozenset[str]]) -> tuple[tuple[int, int], ...]:
    """Longest runs of neighbours in rank no two of which are distinguished."""
    found: list[tuple[int, int]] = []
    for start in range(len(names)):
        end = start
        while end + 1 < len(names) and not any(
            frozenset((names[i], names[end + 1])) in told for i in range(start, end + 1)
        ):
            end += 1
        if end > start and not (found and found[-1][1] >= end):
            found.append((start, end))
    return tuple(found)
