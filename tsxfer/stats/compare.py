"""Cells become comparisons: effect, interval, tests, convergence and one of eight verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.cautions import Caution
from tsxfer.core.specs import Trial
from tsxfer.stats import tests as tests
from tsxfer.stats.began import mostly_stuck, stuck
from tsxfer.stats.beyond import said, settled
from tsxfer.stats.binding import interim, missing, outside
from tsxfer.stats.binding import margin as margin_of
from tsxfer.stats.cells import Cell
from tsxfer.stats.convergence import Convergence, convergence
from tsxfer.stats.families import benjamini_hochberg
from tsxfer.stats.lock import Lock
from tsxfer.stats.power import detectable, expected_level
from tsxfer.stats.scope import NewGroups, Scope, pretrained
from tsxfer.stats.sequential import sequential
from tsxfer.stats.testset import TestError
from tsxfer.stats.valid import FAILED, alarms, beats_chance
from tsxfer.stats.verdicts import FEWEST as FEWEST
from tsxfer.stats.verdicts import LEVEL as LEVEL
from tsxfer.stats.verdicts import Verdict as Verdict
from tsxfer.stats.verdicts import decide

NONE_KEPT: Mapping[str, TestError] = MappingProxyType({})
FLAT = "the differences of all repeats agree to four digits: without spread nothing can be tested"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A treatment against its scratch twin over the repeats.

    Differences are oriented: positive means that transfer is better, whatever the metric. Intervals
    and p values are those of *these test instances*; what holds for new groups is in `beyond`.

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
        repeats: Index of each pair.
        improvement: Share of pairs in which transfer is better.
        convergence: Speed.
        stuck: Transfer runs that never left their start.
        verdict: One of eight, in the scope of `scope`; ``interim`` and ``no valid baseline`` decide
            nothing.
        chance: Best score of predictions that ignore the window.
        notes: What a reader must know.
        gaps: Missing repeats.
        labels: ``simulated``, ``leaky split``, ``exploratory``.
        detectable: Smallest true difference that this cell would have found with 80 % power.
        against: The baseline that stands in the place of scratch, if any; `scratch` then holds its
            scores, and `transfer` those of the network that it is compared with.
        valid: Scratch beats the best trivial prediction by the margin; where it does not,
            there is nothing to compare with.
        interim: Fewer repeats than were declared, and no look that was.
        here: Verdict for these test instances.
        beyond: What can be said of new groups.
        test: Scores without each test group in turn, for statements over several comparisons.
        starts: Key of the pretrained model of each pair; empty for a network from scratch.
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
    repeats: tuple[int, ...]
    improvement: float
    convergence: Convergence | None
    verdict: Verdict
    chance: float | None
    notes: tuple[str, ...]
    gaps: tuple[str, ...]
    labels: tuple[str, ...]
    detectable: float | None
    against: Trial | None = None
    valid: bool = True
    interim: bool = False
    here: Verdict = "undecided"
    stuck: int = 0
    beyond: NewGroups = field(default_factory=NewGroups)
    test: TestError | None = field(default=None, compare=False, repr=False)
    starts: tuple[str, ...] = ()

    @property
    def scope(self) -> Scope:
        """What the verdict speaks of."""
        return self.beyond.scope

    @property
    def speaks_of(self) -> str:
        """The scope of the verdict in words: ``new subjects``, ``these test instances``."""
        whom = self.beyond.named if self.scope == "new groups" else self.scope
        return f"{whom}, {self.beyond.started}" if self.beyond.started else whom

    @property
    def stated(self) -> tuple[float | None, float | None, float | None]:
        """Interval and corrected p in the scope of the verdict; None where there are none."""
        found = self.beyond if self.scope == "new groups" else self
        return found.low, found.high, found.p_corrected

    @property
    def differences(self) -> NDArray[np.float64]:
        """Oriented difference of each pair."""
        sign = metrics.get(self.metric).sign
        oriented: NDArray[np.float64] = sign * (np.array(self.transfer) - np.array(self.scratch))
        return oriented

    @property
    def source(self) -> str:
        """Versioned name of the source data set, with the control that it is one of."""
        return self.trial.source


def compare(
    found: Sequence[Cell],
    declared: Lock | None = None,
    kept: Mapping[str, TestError] = NONE_KEPT,
) -> list[Comparison]:
    """Compare every cell that has a pair.

    Corrections run over the primary family; with a declared analysis, whatever lies outside of it
    is corrected as a family of its own and labelled ``exploratory``.

    Args:
        found: Cells.
        declared: The analysis that was fixed before the first row.
        kept: By `Cell.name`, what kept predictions say of other test groups; cells without it
            speak of their test instances alone.
    """
    cells = [cell for cell in found if cell.pairs]
    apart = [outside(cell, declared) for cell in cells]
    out: dict[int, Comparison] = {}
    for exploratory in (False, True):
        rows = [i for i, flag in enumerate(apart) if flag == exploratory]
        family = _family([cells[i] for i in rows], None if exploratory else declared, kept)
        if exploratory:
            family = [replace(c, labels=(*c.labels, Caution.EXPLORATORY)) for c in family]
        out |= dict(zip(rows, family, strict=True))
    return [out[i] for i in range(len(cells))]


def _family(
    cells: Sequence[Cell], declared: Lock | None, kept: Mapping[str, TestError]
) -> list[Comparison]:
    """Comparisons that share their corrections; what is declared and missing keeps its place."""
    differences = [_differences(cell) for cell in cells]
    spreads = _spreads(cells, differences)
    raw = [
        _compare(c, d, s, declared, kept.get(c.name))
        for c, d, s in zip(cells, differences, spreads, strict=True)
    ]
    absent = missing(cells, declared)
    level = expected_level(max(1, len(raw) + absent), LEVEL)

    def corrected(p: list[float | None]) -> list[float | None]:
        return _corrected(raw, p, absent)

    here = zip(
        corrected([c.p for c in raw]),
        corrected([c.p_not_worse for c in raw]),
        corrected([c.p_equivalent for c in raw]),
        strict=True,
    )
    beyond = settled([c.beyond for c in raw], [c.difference for c in raw], corrected, level)
    return [
        _judged(
            replace(
                c,
                p_corrected=both,
                p_not_worse=not_worse,
                p_equivalent=equivalent,
                beyond=new,
                detectable=_detectable(len(c.scratch), spread, level),
            )
        )
        for c, (both, not_worse, equivalent), new, spread in zip(
            raw, here, beyond, spreads, strict=True
        )
    ]


def _judged(c: Comparison) -> Comparison:
    """With its verdicts, and with notes on them."""
    return replace(c, verdict=verdict(c), here=_verdict(c, here=True), notes=_notes(c))


def _corrected(
    raw: Sequence[Comparison], p: Sequence[float | None], absent: int
) -> list[float | None]:
    """Benjamini-Hochberg in which what cannot be judged counts, and helps no other: its p is 1."""
    judged = [
        1.0 if value is not None and (c.interim or not c.valid) else value
        for c, value in zip(raw, p, strict=True)
    ]
    return benjamini_hochberg([*judged, *[1.0] * absent])[: len(raw)]


def _detectable(repeats: int, spread: tests.Spread | None, level: float) -> float | None:
    if spread is None:
        return None
    effect = detectable(repeats, level, max(0.0, spread.df - repeats + 1))
    return effect * float(np.sqrt(spread.variance)) if effect is not None else None


def _spreads(
    cells: Sequence[Cell], differences: Sequence[NDArray[np.float64]]
) -> list[tests.Spread | None]:
    """Variances, moderated within a label budget where it has ten cells, else over all cells.

    Variances of different metrics are comparable in units of the margin only. None where repeats
    do not differ, and those say nothing of the others' variances.
    """
    units = [cell.pairs[0][0].margin or 1.0 for cell in cells]
    several = [i for i, d in enumerate(differences) if tests.spread_out(d)]
    by_size: dict[str, list[int]] = {}
    for i in several:
        by_size.setdefault(cells[i].trial.size, []).append(i)
    small = any(len(group) < tests.MODERATED_FROM for group in by_size.values())
    groups = [several] if small else list(by_size.values())
    out: list[tests.Spread | None] = [None] * len(cells)
    for group in groups:
        spreads = tests.moderated_spreads([differences[i] / units[i] for i in group])
        for i, spread in zip(group, spreads, strict=True):
            out[i] = replace(spread, variance=spread.variance * units[i] ** 2)
    return out


def verdict(c: Comparison) -> Verdict:
    """The verdict in the scope that this comparison can speak of: new groups where it can."""
    return _verdict(c, here=c.scope == "these test instances")


def _verdict(c: Comparison, *, here: bool) -> Verdict:
    if not c.valid:
        return "no valid baseline"
    if c.interim:
        return "interim"
    if len(c.scratch) < FEWEST:
        return "undecided"
    found = (
        decide(c.difference, c.p_corrected, c.p_equivalent, c.p_not_worse)
        if here
        else c.beyond.verdict
    )
    stuck = mostly_stuck(c.stuck, len(c.scratch))
    return "did not train" if found == "worse" and stuck else found


def _differences(cell: Cell) -> NDArray[np.float64]:
    metric = metrics.get(cell.pairs[0][0].metric)
    sign = metric.sign
    return np.array([sign * (t.scores[t.metric] - s.scores[s.metric]) for s, t in cell.pairs])


def _compare(
    cell: Cell,
    d: NDArray[np.float64],
    spread: tests.Spread | None,
    declared: Lock | None,
    test: TestError | None,
) -> Comparison:
    first, metric = cell.pairs[0][0], cell.pairs[0][0].metric
    tested = spread is not None
    low, high = tests.interval(d, spread) if spread else (None, None)
    margin = margin_of(cell, declared)
    scratch = [s for s, _ in cell.pairs]
    two, one = looked(declared, len(d), sides=2), looked(declared, len(d), sides=1)
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
        p=two(tests.t_test(d, spread)) if spread else None,
        p_corrected=None,
        p_sign_flip=tests.sign_flip(d) if tested else None,
        p_not_worse=one(tests.non_inferiority(d, spread, margin))
        if spread and margin > 0
        else None,
        p_equivalent=one(tests.equivalence(d, spread, margin)) if spread and margin > 0 else None,
        effect=tests.hedges_g(d) if tested else None,
        repeats=tuple(s.trial.repeat for s, _ in cell.pairs),
        improvement=tests.improvement(d),
        convergence=convergence(cell),
        verdict="undecided",
        chance=first.chance.get(metric),
        notes=alarms(cell),
        gaps=cell.gaps,
        labels=tuple(
            dict.fromkeys(label for pair in cell.pairs for r in pair for label in r.labels)
        ),
        detectable=None,
        against=cell.against,
        valid=cell.against is not None or beats_chance(scratch, margin),
        interim=interim(cell, declared),
        beyond=said(cell, d, spread, test, margin, two, one),
        stuck=stuck([t for _, t in cell.pairs]),
        test=test,
        starts=tuple(pretrained(cell)),
    )


def looked(declared: Lock | None, repeats: int, *, sides: int) -> Callable[[float], float]:
    """What a p counts where looks before the last repeat were declared; itself where none were."""
    if declared is None or not declared.looks:
        return lambda p: p
    looks, planned = declared.looks, declared.repeats
    return lambda p: sequential(min(1.0, 2 * p / sides), repeats, looks, planned) * sides / 2


def _notes(c: Comparison) -> tuple[str, ...]:
    notes = list(c.notes)
    if len(c.scratch) < FEWEST:
        notes.append(f"{len(c.scratch)} pair(s): too few repeats for a verdict")
    elif c.p is None:
        notes.append(FLAT)
    if c.beyond.reason == "few groups":
        notes.append(c.beyond.why)
    if not c.valid:
        notes.append(FAILED)
    elif c.interim:
        notes.append("interim: repeats that were declared have not run, so nothing is decided yet")
    return tuple(notes)
