"""Headline contrasts in order: overall, by size, by pair of data sets; each gate opens the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from tsxfer.stats.compare import LEVEL, Comparison, looked
from tsxfer.stats.families import holm
from tsxfer.stats.gain import by_repeat, by_target, judged
from tsxfer.stats.lock import Lock
from tsxfer.stats.several import NOTHING, Wider, mean_gain
from tsxfer.stats.tests import interval, plain_spread, t_test

Step = Literal["overall", "size", "pair"]


@dataclass(frozen=True, slots=True)
class Without:
    """A contrast with one target left out.

    Attributes:
        target: The one.
        mean: Mean gain of the others.
        low: Lower end of its 95 % interval on these test instances.
        high: Upper end.
        beyond: What it says of new groups.
    """

    target: str
    mean: float
    low: float
    high: float
    beyond: Wider = NOTHING

    @property
    def stated(self) -> tuple[float | None, float | None]:
        """Interval in the scope that it can speak of; None where there is none."""
        found = self.beyond if self.beyond.scope == "new groups" else self
        return found.low, found.high


@dataclass(frozen=True, slots=True)
class Contrast:
    """Mean gain over several comparisons on the scale of `gain.gains`; positive favours transfer.

    The unit of replication is the repeat: gains are averaged within each repeat, over the
    comparisons of each target and then over targets, so that twins shared by several sources are
    not counted as independent, and no target weighs more than another.

    Attributes:
        step: Level of the hierarchy.
        name: Of the contrast.
        comparisons: How many it averages.
        repeats: How many values the test has.
        mean: Mean share of error removed, -1 to 1.
        low: Lower end of its 95 % interval on these test instances.
        high: Upper end.
        p: Two-sided, paired t over repeats, on these test instances.
        p_holm: Holm within the step, in the scope of `beyond`; None where it says nothing.
        confirmed: Significant in that scope, and so is what stands above it.
        without: The same with each target left out, where there are two or more.
        beyond: What it says of new groups.
    """

    step: Step
    name: str
    comparisons: int
    repeats: int
    mean: float
    low: float
    high: float
    p: float
    p_holm: float | None
    confirmed: bool
    without: tuple[Without, ...] = ()
    beyond: Wider = NOTHING

    @property
    def stated(self) -> tuple[float | None, float | None, float | None]:
        """Interval and p in the scope that it can speak of: new groups where it can."""
        found = self.beyond if self.beyond.scope == "new groups" else self
        return found.low, found.high, found.p

    @property
    def rests_on(self) -> tuple[str, ...]:
        """Targets without which the interval holds 0, or the sign turns."""
        return tuple(w.target for w in self.without if not _clear(w.stated, self.mean))


def _clear(ends: tuple[float | None, float | None], mean: float) -> bool:
    """Whether an interval lies on one side of 0, the side of the mean."""
    low, high = ends
    return low is not None and high is not None and min(low * mean, high * mean) > 0


def contrasts(comparisons: Sequence[Comparison], declared: Lock | None = None) -> list[Contrast]:
    """All contrasts of a table; what is exploratory, interim or has no valid baseline stays out.

    Where looks were declared, p is what it counts at this one (`tsxfer.stats.sequential`).
    """
    usable = judged(comparisons)
    step = partial(_step, comparisons=usable, declared=declared)
    overall = step("overall", name=lambda _: "all comparisons", open_gate=True)
    gate = any(c.confirmed for c in overall)
    sizes = step("size", name=lambda c: c.trial.size, open_gate=gate)
    gate = gate and any(c.confirmed for c in sizes)
    pairs = step("pair", name=lambda c: f"{c.source} → {c.trial.dataset}", open_gate=gate)
    return [
        *overall,
        *(sizes if len(sizes) > 1 else []),
        *(pairs if len(pairs) > 1 else []),
    ]


def _step(
    step: Step,
    *,
    comparisons: Sequence[Comparison],
    declared: Lock | None,
    name: Callable[[Comparison], str],
    open_gate: bool,
) -> list[Contrast]:
    groups: dict[str, list[Comparison]] = {}
    for c in comparisons:
        groups.setdefault(name(c), []).append(c)
    found = [x for n, group in groups.items() if (x := _contrast(step, n, group)) is not None]
    counted = [looked(declared, c.repeats, sides=2)(_p(c)) for c in found]
    adjusted = holm(counted)
    return [
        replace(
            c,
            p_holm=None if c.stated[2] is None else p,
            confirmed=open_gate and p is not None and p < LEVEL,
        )
        for c, p in zip(found, adjusted, strict=True)
    ]


def _p(c: Contrast) -> float:
    """Of its scope; what says nothing keeps its place in the correction and helps no other."""
    return 1.0 if c.stated[2] is None else c.stated[2]


def _contrast(step: Step, name: str, group: Sequence[Comparison]) -> Contrast | None:
    gains = by_repeat(group)
    if len(gains) < 2:
        return None
    spread = plain_spread(gains)
    low, high = interval(gains, spread)
    p = t_test(gains, spread)
    return Contrast(
        step=step,
        name=name,
        comparisons=len(group),
        repeats=len(gains),
        mean=float(gains.mean()),
        low=low,
        high=high,
        p=p,
        p_holm=p,
        confirmed=False,
        without=_without(group),
        beyond=mean_gain(group),
    )


def _without(group: Sequence[Comparison]) -> tuple[Without, ...]:
    targets = by_target(group)
    if len(targets) < 2:
        return ()
    found = []
    for target in targets:
        rest = [c for c in group if c.trial.dataset != target]
        gains = by_repeat(rest)
        ends = interval(gains, plain_spread(gains))
        found.append(Without(target, float(gains.mean()), *ends, mean_gain(rest)))
    return tuple(found)
