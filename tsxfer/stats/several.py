"""What several comparisons together say of new groups: contrasts, summaries, best sources.

The error adds up as for one comparison (`tsxfer.stats.scope`). Comparisons of one target lose the
same test groups at a time, as they share its test part, so that groups are no more independent than
they are; targets are other groups, and their errors add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsxfer.stats.compare import Comparison
from tsxfer.stats.gain import by_repeat, by_target, removed, shared_repeats
from tsxfer.stats.scope import (
    EACH_START,
    FEWEST_GROUPS,
    Limit,
    Part,
    Scope,
    between_pretrainings,
    half_width,
    plural,
    upper,
)
from tsxfer.stats.testset import jackknife

Values = NDArray[np.float64]
Left = Mapping[str, Values]  # of each target, a statistic without each of its blocks in turn


@dataclass(frozen=True, slots=True)
class Wider:
    """What a statement over several comparisons says of new groups.

    Attributes:
        scope: What the statement speaks of.
        word: What a group is, where that is the same everywhere, else ``group``.
        why: Why nothing can be said of new groups, in a sentence; empty where something can.
        one_start: All repeats of every comparison start from one pretrained model each.
        parts: Error by where it comes from.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p: Two-sided p.
    """

    scope: Scope = "these test instances"
    word: str = "group"
    why: str = ""
    one_start: bool = False
    parts: Mapping[Limit, Part] | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def speaks_of(self) -> str:
        """``new subjects``, ``these test instances``, with what holds of pretrainings."""
        whom = f"new {plural(self.word)}" if self.scope == "new groups" else self.scope
        return f"{whom}, {EACH_START}" if self.one_start else whom


NOTHING = Wider()


def outset(comparisons: Sequence[Comparison]) -> Wider:
    """Of whom these comparisons speak together, before any error is added up."""
    words = {c.beyond.word for c in comparisons}
    word = words.pop() if len(words) == 1 else "group"
    one = all(len(set(c.starts)) == 1 and c.starts[0] for c in comparisons)
    apart = [c for c in comparisons if c.scope == "these test instances"]
    if apart:
        return Wider(word=word, why=_named(apart[0]), one_start=one)
    whom = Wider(scope="new groups", word=word, one_start=one)
    few = [c for c in comparisons if c.test is None or c.test.groups < FEWEST_GROUPS]
    if few:
        return replace(whom, why=_named(few[0]))
    parts = {(c.trial.dataset, c.test.alignment) for c in comparisons if c.test}
    twice = len(parts) > len({target for target, _ in parts})
    return replace(whom, why="one target has several test parts") if twice else whom


def _named(c: Comparison) -> str:
    return f"{c.trial.dataset}: {c.beyond.why}"


def settled(whom: Wider, mean: float, parts: Mapping[Limit, Part]) -> Wider:
    """With interval and p around a mean."""
    half = half_width(parts)
    p = min(1.0, 2 * upper(abs(mean), parts))
    return replace(whom, parts=parts, low=mean - half, high=mean + half, p=p)


def mean_gain(comparisons: Sequence[Comparison]) -> Wider:
    """What the mean gain over comparisons, targets weighing equally, says of new groups."""
    whom, values = outset(comparisons), by_repeat(comparisons)
    if whom.scope != "new groups" or whom.why or len(values) < 2:
        return whom
    parts: dict[Limit, Part] = {
        "repeats": Part(float(values.var(ddof=1)) / len(values), len(values) - 1.0),
        "groups": of_groups(comparisons, _left_of_means(comparisons)),
    }
    apart = of_pretrainings(comparisons)
    return settled(whom, float(values.mean()), parts | ({"pretrainings": apart} if apart else {}))


def of_pretrainings(comparisons: Sequence[Comparison]) -> Part | None:
    """What pretrained models add to the error of the mean gain, see `between_pretrainings`."""
    shared = shared_repeats(comparisons)
    starts = ["+".join(c.starts[c.repeats.index(r)] for c in comparisons) for r in shared]
    return between_pretrainings(by_repeat(comparisons), starts)


def of_groups(comparisons: Sequence[Comparison], left: Left) -> Part:
    """The part of the groups: a jackknife within each target, widened for the groups learned from.

    Args:
        comparisons: All of them have the scores without each of their groups.
        left: The statistic without each block of groups.
    """
    found = {}
    for target, group in by_target(comparisons).items():
        ratio = max(c.beyond.ratio for c in group)
        blocks = len(left[target])
        found[target] = Part(jackknife(left[target]) * (1 + ratio), blocks - 1.0)
    some = [part for part in found.values() if part.variance > 0]
    variance = sum(part.variance for part in some)
    if not some:
        return Part(0.0, 1.0)
    return Part(variance, variance**2 / sum(part.variance**2 / part.df for part in some))


def _left_of_means(comparisons: Sequence[Comparison]) -> dict[str, Values]:
    """The mean gain without each block of a target's groups, but for what the others add to it."""
    shared, targets = shared_repeats(comparisons), by_target(comparisons)
    return {
        target: np.mean([left_gains(c, shared).mean(axis=0) for c in group], axis=0) / len(targets)
        for target, group in targets.items()
    }


def left_gains(c: Comparison, repeats: Sequence[int] | None = None) -> Values:
    """Gains ``(repeat, block)`` without each block of test groups in turn."""
    test = c.test
    if test is None:
        raise ValueError("a comparison without kept predictions has no groups to leave out")
    wanted = c.repeats if repeats is None else repeats
    rows = [c.repeats.index(repeat) for repeat in wanted]
    return removed(c, test.left[rows, 0], test.left[rows, 1])
