"""The study's own statistics on rows (section 4), for its own numbers only.

They pool dependent runs as if independent and test ratios of means that can explode; the package's
own statistics are in `tsxfer.stats`. Kept apart so that the published tables can be had again.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.results import Result
from tsxfer.paper.grid import score, sign
from tsxfer.paper.select import Chosen

Measure: TypeAlias = Literal["performance", "convergence"]
MEASURES: tuple[Measure, ...] = ("performance", "convergence")
LEVEL = 0.05
Values: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of a table of the study.

    Attributes:
        source: Versioned name.
        target: Versioned name.
        size: Label budget.
        model: Empty where all models are pooled.
        gain: Mean relative gain of the pairs in per cent; positive means transfer is better.
        p: Two-sided Wilcoxon signed-rank, normal approximation, uncorrected.
        n: Pairs.
        significant: After the table's correction, if it has one.
    """

    source: str
    target: str
    size: str
    model: str
    gain: float
    p: float
    n: int
    significant: bool

    @property
    def mark(self) -> str:
        """▲ significantly better, ▼ worse, else nothing."""
        if not self.significant:
            return ""
        return "▲" if self.gain > 0 else "▼"


@dataclass(frozen=True, slots=True)
class Counts:
    """Signs of the difference of the means over repeats, one a cell; ties count for neither."""

    wins: int
    losses: int


def main_table(chosen: Sequence[Chosen], measure: Measure) -> list[Entry]:
    """Gain by source, target and size, models pooled; p corrected in two stages over the table.

    The correction is that of Benjamini, Krieger and Yekutieli (2006), as in the study.
    """
    from statsmodels.stats.multitest import multipletests

    grouped: dict[tuple[str, str, str], list[Chosen]] = {}
    for one in chosen:
        place = one.place
        grouped.setdefault((place.source, place.target, place.size), []).append(one)
    entries = [_entry(*key, "", group, measure) for key, group in grouped.items()]
    entries = [entry for entry in entries if entry.n]
    if not entries:
        return []
    rejected = multipletests([e.p for e in entries], alpha=LEVEL, method="fdr_tsbky")[0]
    return [replace(e, significant=bool(r)) for e, r in zip(entries, rejected, strict=True)]


def model_table(chosen: Sequence[Chosen], measure: Measure) -> list[Entry]:
    """Gain of every model apart, p uncorrected (the study's supplement)."""
    entries = [
        _entry(c.place.source, c.place.target, c.place.size, c.place.model, [c], measure)
        for c in chosen
    ]
    return [replace(entry, significant=entry.p < LEVEL) for entry in entries if entry.n]


def counts(chosen: Iterable[Chosen], measure: Measure) -> Counts:
    """Cells in which the mean over repeats is better, and worse, with transfer."""
    signs = Counter(_sign_of_means(one, measure) for one in chosen)
    return Counts(signs[1], signs[-1])


def _sign_of_means(one: Chosen, measure: Measure) -> int:
    scratch, transfer, better = _arms([one], measure)
    if not len(scratch):
        return 0
    return int(np.sign(better * (transfer.mean() - scratch.mean())))


def _entry(
    source: str, target: str, size: str, model: str, group: Sequence[Chosen], measure: Measure
) -> Entry:
    scratch, transfer, better = _arms(group, measure)
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = better * (transfer - scratch) / scratch * 100
    gain = float(np.mean(gains)) if len(gains) else math.nan
    return Entry(
        source=source,
        target=target,
        size=size,
        model=model,
        gain=gain,
        p=wilcoxon(transfer - scratch),
        n=len(scratch),
        significant=False,
    )


def _arms(group: Sequence[Chosen], measure: Measure) -> tuple[Values, Values, float]:
    """Both arms as arrays of one length, and 1 where larger is better, else -1."""
    pairs = [pair for one in group for pair in one.cell.pairs]
    values = np.array([[value(row, measure) for row in pair] for pair in pairs]).reshape(-1, 2)
    values = values[np.isfinite(values).all(axis=1)]
    better = 1.0 if measure == "convergence" else sign(pairs[0][0])
    return values[:, 0], values[:, 1], better


def value(row: Result, measure: Measure) -> float:
    """The test score, or the convergence rate of the row's curve."""
    return score(row) if measure == "performance" else convergence_rate(row)


def convergence_rate(row: Result) -> float:
    """The study's speed of a run, in [0, 1], larger is faster (section 4); NaN for a flat curve.

    Area between the curve and its worst value, over the rectangle that encloses the curve. The
    point before training, which the study did not score, is left out.
    """
    samples = np.array(row.curve.get("samples", []))
    scores = np.array(row.curve.get("score", []))
    samples, scores = samples[samples > 0], sign(row) * scores[samples > 0]
    span = float(np.ptp(scores) * np.ptp(samples)) if len(scores) else 0.0
    if span == 0:
        return math.nan
    return float(np.trapezoid(scores - scores.min(), samples)) / span


def wilcoxon(differences: Values) -> float:
    """Two-sided p of the signed-rank test: normal approximation, no continuity correction.

    Zero differences are left out (scipy 1.4.1's default, which the study used).
    """
    from scipy.stats import wilcoxon as signed_rank

    if not np.any(differences):
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # older scipy warns of few pairs; so few is the study's way
        return float(signed_rank(differences, correction=False, method="approx").pvalue)
