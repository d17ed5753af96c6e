"""Cells become comparisons: effect, interval, tests, convergence and one of five verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.specs import Result, Trial
from tsxfer.stats import cells as tests
from tsxfer.stats.convergence import Convergence, convergence
from tsxfer.stats.families import benjamini_hochberg
from tsxfer.stats.pairs import Cell

Verdict = Literal["better", "not worse", "equivalent", "worse", "undecided"]
LEVEL = 0.05
FEWEST = 3  # pairs below which nothing is decided


@dataclass(frozen=True, slots=True)
class Comparison:
    """A treatment against its scratch twin over the repeats.

    Differences are oriented: positive means that transfer is better, whatever the metric.

    Attributes:
        trial: The treatment at repeat 0.
        metric: Primary metric.
        margin: Practical equivalence margin.
        scratch: Score of each repeat from scratch.
        transfer: Score of each repeat with transfer.
        keys: ``(scratch key, transfer key)`` of each repeat.
        difference: Mean oriented difference.
        low: Lower end of its 95 % interval, None with fewer than two pairs.
        high: Upper end.
        p: Two-sided p (moderated t where ten or more cells share a family, else paired t).
        p_corrected: Benjamini–Hochberg over the table.
        p_sign_flip: Distribution-free companion.
        p_not_worse: Non-inferiority, corrected.
        p_equivalent: Equivalence (TOST), corrected.
        effect: Hedges' g of the pairs with its interval, None without spread.
        improvement: Share of pairs in which transfer is better.
        convergence: Speed.
        verdict: One of five.
        chance: Best score of answers that do not look at the window.
        notes: What a reader must know.
        gaps: Missing repeats.
        labels: ``simulated``, ``leaky split``.
    """

    trial: Trial
    metric: str
    margin: float
    scratch: tuple[float, ...]
    transfer: tuple[float, ...]
    keys: tuple[tuple[str, str], ...]
    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_corrected: float | None
    p_sign_flip: float | None
    p_not_worse: float | None
    p_equivalent: float | None
    effect: tuple[float, tuple[float, float]] | None
    improvement: float
    convergence: Convergence | None
    verdict: Verdict
    chance: float | None
    notes: tuple[str, ...]
    gaps: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def source(self) -> str:
        """Versioned name of the source data set."""
        return self.trial.reuse.source.dataset if self.trial.reuse else ""


def compare(found: Sequence[Cell]) -> list[Comparison]:
    """Compare every cell that has a pair; corrections run over all of them."""
    cells = [cell for cell in found if cell.pairs]
    differences = [_differences(cell) for cell in cells]
    several = [i for i, d in enumerate(differences) if len(d) > 1]
    spreads = dict(
        zip(several, tests.moderated_spreads([differences[i] for i in several]), strict=True)
    )
    raw = [
        _compare(c, d, spreads.get(i))
        for i, (c, d) in enumerate(zip(cells, differences, strict=True))
    ]
    corrected = benjamini_hochberg([c.p for c in raw])
    not_worse = benjamini_hochberg([c.p_not_worse for c in raw])
    equivalent = benjamini_hochberg([c.p_equivalent for c in raw])
    out = []
    for i, comparison in enumerate(raw):
        full = replace(
            comparison,
            p_corrected=corrected[i],
            p_not_worse=not_worse[i],
            p_equivalent=equivalent[i],
        )
        out.append(replace(full, verdict=verdict(full), notes=_notes(full, len(raw))))
    return out


def verdict(c: Comparison) -> Verdict:
    """Better or worse by the corrected test, else equivalent, else not worse, else undecided."""
    if len(c.scratch) < FEWEST or c.p_corrected is None:
        return "undecided"
    if c.p_corrected < LEVEL:
        return "better" if c.difference > 0 else "worse"
    if c.p_equivalent is not None and c.p_equivalent < LEVEL:
        return "equivalent"
    if c.p_not_worse is not None and c.p_not_worse < LEVEL:
        return "not worse"
    return "undecided"


def _differences(cell: Cell) -> NDArray[np.float64]:
    metric = metrics.get(cell.pairs[0][0].metric)
    sign = 1.0 if metric.higher_is_better else -1.0
    return np.array([sign * (t.scores[t.metric] - s.scores[s.metric]) for s, t in cell.pairs])


def _compare(cell: Cell, d: NDArray[np.float64], spread: tests.Spread | None) -> Comparison:
    first, metric = cell.pairs[0][0], cell.pairs[0][0].metric
    tested = spread is not None
    low, high = tests.interval(d, spread) if spread else (None, None)
    margin = first.margin
    return Comparison(
        trial=cell.trial,
        metric=metric,
        margin=margin,
        scratch=tuple(s.scores[metric] for s, _ in cell.pairs),
        transfer=tuple(t.scores[metric] for _, t in cell.pairs),
        keys=tuple((s.key, t.key) for s, t in cell.pairs),
        difference=float(d.mean()),
        low=low,
        high=high,
        p=tests.t_test(d, spread) if spread else None,
        p_corrected=None,
        p_sign_flip=tests.sign_flip(d) if tested else None,
        p_not_worse=tests.non_inferiority(d, spread, margin) if spread and margin > 0 else None,
        p_equivalent=tests.equivalence(d, spread, margin) if spread and margin > 0 else None,
        effect=tests.hedges_g(d) if tested else None,
        improvement=tests.improvement(d),
        convergence=convergence(cell),
        verdict="undecided",
        chance=first.chance.get(metric),
        notes=_alarms(cell),
        gaps=cell.gaps,
        labels=tuple(
            dict.fromkeys(label for pair in cell.pairs for r in pair for label in r.labels)
        ),
    )


def _notes(c: Comparison, family: int) -> tuple[str, ...]:
    notes = list(c.notes)
    if len(c.scratch) < FEWEST:
        notes.append(f"{len(c.scratch)} pair(s): too few repeats for a verdict")
    if c.chance is not None and _at_chance(c):
        notes.append("scratch is not better than an answer that does not look: no valid baseline")
    if family > 1 and 2.0 ** (1 - len(c.scratch)) * family > LEVEL:
        notes.append(
            f"a sign-flip or Wilcoxon test with {len(c.scratch)} repeats and Holm over {family} "
            "comparisons cannot reject"
        )
    return tuple(notes)


def _alarms(cell: Cell) -> tuple[str, ...]:
    """Repeats in which an arm is no better than an answer that does not look, by arm."""
    found = []
    for arm, name in enumerate(("scratch", "transfer")):
        rows = [(pair[arm], pair[arm].trial.repeat) for pair in cell.pairs]
        bad = [str(repeat) for row, repeat in rows if _blind(row)]
        if bad:
            found.append(f"{name} at chance in repeat {', '.join(bad)} of {len(rows)}")
    return tuple(found)


def _blind(row: Result) -> bool:
    sign = 1.0 if metrics.get(row.metric).higher_is_better else -1.0
    chance = row.chance.get(row.metric)
    return chance is not None and sign * (row.scores[row.metric] - chance) <= 0


def _at_chance(c: Comparison) -> bool:
    sign = 1.0 if metrics.get(c.metric).higher_is_better else -1.0
    above = sign * (np.array(c.scratch) - (c.chance or 0.0))
    noise = above.std(ddof=1) / np.sqrt(len(above)) if len(above) > 1 else 0.0
    return bool(above.mean() <= 2 * noise)
