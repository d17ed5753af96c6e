"""What a gain or a loss is made of: what of it a placebo gives too, how far a ceiling lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.keys import stream
from tsxfer.stats.compare import Comparison
from tsxfer.stats.tests import expanded_tail, interval, plain_spread

PLACEBOS = ("untrained", "permuted", "shuffled", "moments", "noise")
DRAWS = 20_000
NO_CONTROL = (
    "no control was run, so that whether this is what the source knows, or what any start like it "
    "gives, is open: --controls untrained,permuted"
)
LOST_BY_START = "an untrained source loses most of it too: the start, not the source, is worse"
WON_BY_START = "an untrained source gains most of it too: the start, not the source, is better"
MOST = 0.5  # of a difference
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """Share of a gain, or of a loss, that its placebo does not give.

    Attributes:
        value: (gain - gain of the placebo) / gain; both negative where transfer loses.
        low: Lower end of its 95 % interval; None where the gain may be 0, since a share of
            nothing has no bounds.
        high: Upper end.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ControlEffect:
    """A control beside the transfer that it belongs to, on the repeats that both have.

    Attributes:
        comparison: The plain transfer against scratch; None for the mean over several.
        control: A name in `tsxfer.core.specs.CONTROLS`.
        repeats: Those that both have.
        gains: Oriented difference of the transfer from scratch, by repeat; in units of the margin
            for the mean over several.
        others: That of the control, from the same scratch runs.
        low: Lower end of the 95 % interval of `other`, None with fewer than two repeats.
        high: Upper end.
        share: Of a placebo, where there is a gain or a loss to share.
        beyond: What transfer has more than the control: mean and 95 % interval of the paired
            differences, the ends None with fewer than two repeats.
    """

    comparison: Comparison | None
    control: str
    repeats: tuple[int, ...]
    gains: tuple[float, ...]
    others: tuple[float, ...]
    low: float | None
    high: float | None
    share: Share | None
    beyond: tuple[float, float | None, float | None] = (0.0, None, None)

    @property
    def gain(self) -> float:
        """Mean gain of the transfer."""
        return float(np.mean(self.gains))

    @property
    def other(self) -> float:
        """Mean gain of the control."""
        return float(np.mean(self.others))


def effects(
    comparisons: Sequence[Comparison],
    controls: Sequence[Comparison],
    ceilings: Mapping[str, Result],
) -> list[ControlEffect]:
    """Every control of every comparison.

    Args:
        comparisons: Plain transfers.
        controls: Controls, compared with the same scratch twins.
        ceilings: Rows trained from scratch on all labels of a target, by key.
    """
    by: dict[object, list[Comparison]] = {}
    for k in controls:
        by.setdefault(_belongs(k.trial), []).append(k)
    found = []
    for c in comparisons:
        own = [*by.get(_belongs(c.trial), []), *by.get(_terms(c.trial), [])]
        of = [(k.trial.control, dict(zip(k.repeats, k.differences, strict=True))) for k in own]
        of += [("whole", whole) for whole in _whole(c, ceilings)]
        mine = dict(zip(c.repeats, c.differences, strict=True))
        found += [_effect(c, control, mine, other) for control, other in of]
    return [effect for effect in found if effect is not None]


def differs(c: Comparison) -> bool:
    """Whether a sentence says that it helps or harms; of few groups, on these test instances."""
    told = c.here if c.beyond.reason == "few groups" else c.verdict
    return told in ("better", "worse")


def with_controls(
    comparisons: Sequence[Comparison], found: Sequence[ControlEffect]
) -> tuple[Comparison, ...]:
    """Comparisons, with a note on each gain or loss that is the start's, or stands alone.

    Of a zero-shot answer there is no placebo: no start like the source's has a head for these
    classes.
    """
    beside: dict[str, list[ControlEffect]] = {}
    for effect in found:
        if effect.comparison and effect.control in PLACEBOS:
            beside.setdefault(effect.comparison.trial.key, []).append(effect)
    return tuple(replace(c, notes=(*c.notes, *_note(c, beside))) for c in comparisons)


def _note(c: Comparison, beside: Mapping[str, Sequence[ControlEffect]]) -> list[str]:
    own = beside.get(c.trial.key, ())
    if not own:
        return [NO_CONTROL] if differs(c) and not c.trial.zero_shot else []
    told = by_start(c.here, [e for e in own if e.control == "untrained"])
    return [told] if told else []


def by_start(here: str, untrained: Iterable[ControlEffect]) -> str:
    """Whether most of a difference on these test instances is that of any start like the source's.

    Args:
        here: What is said of it, such as ``worse``.
        untrained: The control of that name.

    Returns:
        A sentence; "" where the difference is not clear, nor that the untrained source has most.
    """
    for effect in untrained:
        high = effect.share.high if effect.share else None
        if high is None or high >= MOST:
            continue
        if here == "worse" and effect.high is not None and effect.high < 0:
            return LOST_BY_START
        if here == "better" and effect.low is not None and effect.low > 0:
            return WON_BY_START
    return ""


def overall(found: Sequence[ControlEffect]) -> list[ControlEffect]:
    """Each placebo over all comparisons, those without a gain too: leaving them out would bias it.

    As in the headline contrasts, gains are averaged in margins within each repeat.
    """
    means = []
    for placebo in PLACEBOS:
        group = [
            e
            for e in found
            if e.control == placebo and e.comparison and e.comparison.margin and e.comparison.valid
        ]
        if len(group) > 1:
            gains, others = _in_margins(group)
            means.append(_effect(None, placebo, gains, others))
    return [effect for effect in means if effect is not None]


def _in_margins(group: Sequence[ControlEffect]) -> tuple[dict[int, float], dict[int, float]]:
    """Mean gains of transfers and of their placebos, by each repeat that all have."""
    shared = sorted(set.intersection(*(set(e.repeats) for e in group)))
    gains: dict[int, float] = {}
    others: dict[int, float] = {}
    for repeat in shared:
        at = [(e, e.repeats.index(repeat), e.comparison.margin) for e in group if e.comparison]
        gains[repeat] = float(np.mean([e.gains[i] / margin for e, i, margin in at]))
        others[repeat] = float(np.mean([e.others[i] / margin for e, i, margin in at]))
    return gains, others


def _terms(trial: Trial) -> object:
    """What a transfer shares with controls from other sources: all but where weights start."""
    assert trial.reuse is not None  # noqa: S101  (comparisons are of transfers)
    own = replace(trial, reuse=None)
    reuse = replace(trial.reuse, source=own, also=(), start="weights")
    return replace(trial, reuse=reuse)


def _belongs(trial: Trial) -> object:
    """What a transfer and its own controls share: all but how the source's weights were altered."""
    if trial.control in ("noise", "in_domain"):
        return _terms(trial)
    assert trial.reuse is not None  # noqa: S101  (comparisons are of transfers)
    source = trial.reuse.source
    source = replace(source, recipe=replace(source.recipe, labels="true"))
    return replace(trial, reuse=replace(trial.reuse, source=source, start="weights"))


def _whole(c: Comparison, ceilings: Mapping[str, Result]) -> Iterable[dict[int, float]]:
    """Gain of all labels over the trial's own, by repeat; nothing where a repeat is missing."""
    sign = metrics.get(c.metric).sign
    twin = replace(c.trial.twin(), size="all")
    gains = {}
    for repeat, scratch in zip(c.repeats, c.scratch, strict=True):
        row = ceilings.get(replace(twin, repeat=repeat).key)
        if row is None or row.status != "done" or c.trial.size == "all":
            return
        gains[repeat] = sign * (row.scores[c.metric] - scratch)
    yield gains


def _effect(
    c: Comparison | None, control: str, gain: Mapping[int, float], other: Mapping[int, float]
) -> ControlEffect | None:
    """From gains by repeat; None where no repeat has both."""
    shared = [repeat for repeat in gain if repeat in other]
    if not shared:
        return None
    gains, others = (np.array([by[r] for r in shared]) for by in (gain, other))
    low, high = interval(others, plain_spread(others)) if len(shared) > 1 else (None, None)
    remains = share(gains, others) if control in PLACEBOS else None
    more = gains - others
    ends = interval(more, plain_spread(more)) if len(shared) > 1 else (None, None)
    return ControlEffect(
        comparison=c,
        control=control,
        repeats=tuple(shared),
        gains=tuple(gains),
        others=tuple(others),
        low=low,
        high=high,
        share=remains,
        beyond=(float(more.mean()), *ends),
    )


def share(gains: Array, placebo: Array) -> Share | None:
    """Share of the mean gain, or loss, that the placebo does not give; None where it is 0.

    The interval is a percentile bootstrap over repeats, pairs kept. With so few repeats plain
    percentiles are too narrow, so their levels are widened until those of a mean would match
    Student's interval (expanded percentiles, Hesterberg 2015).
    """
    if gains.mean() < 0:
        return share(-gains, -placebo)
    gain, n = float(gains.mean()), len(gains)
    if gain == 0:
        return None
    value = 1 - float(placebo.mean()) / gain
    if n < 2:
        return Share(value, None, None)
    tail = expanded_tail(n)
    drawn = stream("share", n).integers(n, size=(DRAWS, n))
    means, others = gains[drawn].mean(axis=1), placebo[drawn].mean(axis=1)
    if np.mean(means <= 0) > tail:
        return Share(value, None, None)
    shares = 1 - others[means > 0] / means[means > 0]
    low, high = np.quantile(shares, (tail, 1 - tail))
    return Share(value, float(low), float(high))
