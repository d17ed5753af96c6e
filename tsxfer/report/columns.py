"""The one definition of the result table: titles and texts, the same in every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tsxfer import metrics
from tsxfer.stats.compare import Comparison

MARKS = {
    "better": "▲", "not worse": "△", "equivalent": "≈", "worse": "▼", "undecided": "?",
    "interim": "…", "no valid baseline": "∅",
}  # fmt: skip
CAPTION = (
    "Differences are oriented: positive means that transfer is better. Intervals are 95 %; p is "
    "two-sided on paired differences, corrected by Benjamini-Hochberg over the table. 'Saved' is "
    "how many training samples earlier transfer reaches the level that scratch sets; 'trivial' is the "
    "best answer that does not look at the window (mean, majority, class shares, no change)."
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title and how a comparison shows in it."""

    title: str
    text: Callable[[Comparison], str]
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """What a comparison says of whom.

    Attributes:
        low: Lower end of the 95 % interval in the scope of the verdict.
        high: Upper end.
        whom: The scope in words.
    """

    low: float | None
    high: float | None
    whom: str


def said(c: Comparison) -> Said:
    """The interval in the scope that the verdict speaks of; every format asks here."""
    return Said(c.low, c.high, "these test instances")


def between(low: float | None, high: float | None) -> str:
    """An interval in brackets."""
    return "n/a" if low is None or high is None else f"[{signed(low)}, {signed(high)}]"


def difference(c: Comparison) -> str:
    """Mean paired difference with its interval in the scope of the verdict."""
    heard = said(c)
    if heard.low is None or heard.high is None:
        return signed(c.difference)
    return f"{signed(c.difference)} {between(heard.low, heard.high)}"


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


def p_text(p: float | None) -> str:
    """Two significant digits, never "0"."""
    if p is None:
        return "n/a"
    return "<0.0001" if p < 1e-4 else f"{p:.2g}"


def _effect(c: Comparison) -> str:
    return signed(c.effect[0]) if c.effect else "n/a"


def _saved(c: Comparison) -> str:
    if c.convergence is None:
        return "n/a"
    share = (
        f" ({100 * c.convergence.saved / c.convergence.scratch:+.0f} %)"
        if c.convergence.scratch
        else ""
    )
    return f"{c.convergence.saved:+,.0f}{share}"


def _reached(c: Comparison) -> str:
    if c.convergence is None:
        return "n/a"
    return "/".join(f"{100 * share:.0f}%" for share in c.convergence.reached)


def _size(c: Comparison) -> str:
    return c.trial.size.removeprefix("n=")


def metric_text(c: Comparison) -> str:
    """Metric with an arrow that says which way is better."""
    metric = metrics.get(c.metric)
    return f"{metric.title} {'↑' if metric.higher_is_better else '↓'}"


def _data(c: Comparison) -> str:
    return ", ".join(c.labels) or "real"


COLUMNS = (
    Column("source", lambda c: c.source, numeric=False),
    Column("target", lambda c: c.trial.dataset, numeric=False),
    Column("model", lambda c: model(c), numeric=False),
    Column("size", _size),
    Column("verdict", lambda c: f"{MARKS[c.verdict]} {c.verdict}", numeric=False),
    Column("n", lambda c: str(len(c.scratch))),
    Column("metric", metric_text, numeric=False),
    Column("scratch", lambda c: arm(c.scratch)),
    Column("transfer", lambda c: arm(c.transfer)),
    Column("trivial", lambda c: "n/a" if c.chance is None else number(c.chance)),
    Column("difference", difference),
    Column("p", lambda c: p_text(c.p)),
    Column("p corrected", lambda c: p_text(c.p_corrected)),
    Column("effect g", _effect),
    Column("saved", _saved),
    Column("reached", _reached),
    Column("data", _data, numeric=False),
)


def model(c: Comparison) -> str:
    """Model, with the reuse where it is not the plain one."""
    reuse = c.trial.reuse
    if reuse is None:
        return c.trial.model
    times = f"×{reuse.rate_multiplier:g}" if reuse.rate_multiplier != 1 else ""
    how = (times, "frozen" if reuse.frozen else "", reuse.strategy.words)
    return " ".join((c.trial.model, *filter(None, how)))
