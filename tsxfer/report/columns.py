"""The one definition of the result table: titles and texts, the same in every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tsxfer import metrics
from tsxfer.core.cautions import brief
from tsxfer.core.sizes import as_written
from tsxfer.stats.compare import Comparison

MARKS = {
    "better": "▲",
    "not worse": "△",
    "equivalent": "≈",
    "worse": "▼",
    "did not train": "×",
    "undecided": "?",
    "interim": "…",
    "no valid baseline": "∅",
}
ORIENTED = (
    "Differences are oriented: positive means that transfer is better. Intervals are 95 %; p is "
    "two-sided on paired differences, corrected by Benjamini-Hochberg over the table."
)
TRIVIAL = (
    "'trivial' is the best prediction that ignores the window (mean, majority, class shares, no "
    "change)."
)
CAPTION = (
    f"{ORIENTED} 'Difference' and its p speak of these test instances, 'new groups' and its p of "
    "others (subjects, speakers, events); the verdict is for what 'verdict for' names. 'Saved' is "
    "how many training samples earlier transfer reaches the level that scratch sets; "
    f"{TRIVIAL}"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title and how a comparison shows in it.

    Attributes:
        title: Heading.
        text: What a comparison shows.
        numeric: Set to the right, sorted by number.
        aside: Not needed to read a verdict: a page as wide as a desk shows it when it is asked to.
    """

    title: str
    text: Callable[[Comparison], str]
    numeric: bool = True
    aside: bool = False


def between(low: float | None, high: float | None) -> str:
    """An interval in brackets."""
    return "n/a" if low is None or high is None else f"[{signed(low)}, {signed(high)}]"


def difference(c: Comparison) -> str:
    """Mean paired difference with its interval on these test instances."""
    ends = "" if c.low is None else f" {between(c.low, c.high)}"
    return f"{signed(c.difference)}{ends}"


def stated(c: Comparison) -> str:
    """Mean paired difference with the interval that the verdict stands on."""
    low, high, _ = c.stated
    ends = "" if low is None else f" {between(low, high)}"
    return f"{signed(c.difference)}{ends}"


def arm(scores: tuple[float, ...]) -> str:
    """Mean ± standard deviation of an arm."""
    sd = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
    mean = number(float(np.mean(scores)))
    return f"{mean} ± {number(sd)}" if sd is not None else mean


def number(value: float) -> str:
    """Three decimals below 10, fewer above."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def signed(value: float) -> str:
    """As `number`, always with its sign."""
    return ("+" if value >= 0 else "-") + number(abs(value))


def percent(share: float) -> str:
    """A share between -1 and 1 as signed percent; an interval's end beyond is that bound."""
    return f"{100 * max(-1.0, min(share, 1.0)):+.1f} %"


def p_text(p: float | None) -> str:
    """Two significant digits, never "0"."""
    if p is None:
        return "n/a"
    return "<0.0001" if p < 1e-4 else f"{p:.2g}"


def beyond(c: Comparison) -> str:
    """The interval for new groups, or why there is none."""
    new = c.beyond
    if new.low is None or new.high is None:
        return new.why
    return f"[{signed(new.low)}, {signed(new.high)}]"


def effect(g: float) -> str:
    """Hedges' g; beyond a hundred deviations its digits say nothing."""
    return signed(g) if abs(g) < 100 else f"{'-' if g < 0 else ''}>100"


def _effect(c: Comparison) -> str:
    return effect(c.effect[0]) if c.effect else "n/a"


def _saved(c: Comparison) -> str:
    if c.convergence is None or c.trial.zero_shot:  # which takes no step
        return "n/a"
    share = (
        f" ({100 * c.convergence.saved / c.convergence.scratch:+.0f} %)"
        if c.convergence.scratch
        else ""
    )
    return f"{c.convergence.saved:+,.0f}{share}"


def _reached(c: Comparison) -> str:
    if c.convergence is None or c.trial.zero_shot:  # which takes no step
        return "n/a"
    return "/".join(f"{100 * share:.0f}%" for share in c.convergence.reached)


def _size(c: Comparison) -> str:
    return as_written(c.trial.size)


def metric_text(c: Comparison) -> str:
    """Metric with an arrow that says which way is better."""
    metric = metrics.get(c.metric)
    return f"{metric.title} {'↑' if metric.higher_is_better else '↓'}"


def _data(c: Comparison) -> str:
    return ", ".join(dict.fromkeys(map(brief, c.labels))) or "real"


COLUMNS = (
    Column("source", lambda c: c.source, numeric=False),
    Column("target", lambda c: c.trial.dataset, numeric=False),
    Column("model", lambda c: model(c), numeric=False),
    Column("size", _size),
    Column("verdict", lambda c: f"{MARKS[c.verdict]} {c.verdict}", numeric=False),
    Column("verdict for", lambda c: c.speaks_of, numeric=False),
    Column("n", lambda c: str(len(c.scratch))),
    Column("metric", metric_text, numeric=False),
    Column("scratch", lambda c: arm(c.scratch)),
    Column("transfer", lambda c: arm(c.transfer)),
    Column("trivial", lambda c: "n/a" if c.chance is None else number(c.chance)),
    Column("difference", difference),
    Column("p", lambda c: p_text(c.p), aside=True),
    Column("p corrected", lambda c: p_text(c.p_corrected)),
    Column("on these tests", lambda c: f"{MARKS[c.here]} {c.here}", numeric=False, aside=True),
    Column("new groups", lambda c: beyond(c), numeric=False),
    Column("p new groups", lambda c: p_text(c.beyond.p_corrected)),
    Column("effect g", _effect, aside=True),
    Column("saved", _saved, aside=True),
    Column("reached", _reached, aside=True),
    Column("data", _data, numeric=False),
)


def model(c: Comparison) -> str:
    """Model, with the reuse where it is not the plain one."""
    reuse = c.trial.reuse
    if reuse is None:
        return c.trial.model
    times = f"×{reuse.rate_multiplier:g}" if reuse.rate_multiplier != 1 else ""
    how = (times, reuse.strategy.words)
    return " ".join((c.trial.model, *filter(None, how)))


# Both scopes of a comparison in full, for files that programs read.
SCOPES: dict[str, Callable[[Comparison], object]] = {
    "scope": lambda c: c.scope,
    "verdict_for": lambda c: c.speaks_of,
    "verdict_these_instances": lambda c: c.here,
    "group": lambda c: c.beyond.word,
    "test_groups": lambda c: c.beyond.groups,
    "pretrainings": lambda c: c.beyond.pretrainings,
    "new_groups_low": lambda c: c.beyond.low,
    "new_groups_high": lambda c: c.beyond.high,
    "new_groups_p": lambda c: c.beyond.p,
    "new_groups_p_corrected": lambda c: c.beyond.p_corrected,
    "new_groups_verdict": lambda c: c.beyond.verdict,
    "new_groups_why_not": lambda c: c.beyond.why,
    "error_repeats": lambda c: c.beyond.error("repeats"),
    "error_groups": lambda c: c.beyond.error("groups"),
    "error_pretrainings": lambda c: c.beyond.error("pretrainings"),
    "limited_by": lambda c: c.beyond.limited_by,
}


def scoped(c: Comparison) -> dict[str, object]:
    """What `SCOPES` says of one comparison."""
    return {name: value(c) for name, value in SCOPES.items()}
