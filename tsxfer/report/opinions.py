"""Second opinions that reviewers ask for: ranks, every pair, probabilities, running times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tsxfer.report.build import Report
from tsxfer.report.columns import number, p_text, percent
from tsxfer.report.section import Section, name
from tsxfer.stats.bayes import over_targets, practical, shrunken
from tsxfer.stats.compare import Comparison
from tsxfer.stats.gain import judged
from tsxfer.stats.ranks import Ranks, ranks
from tsxfer.stats.tests import plain_spread, spread_out

FEWEST = 10  # comparisons from which effects are shrunken: fewer say nothing of their distribution


def opinions(report: Report) -> list[Section]:
    """Tables beside the verdicts, which rest on none of them."""
    found = ranks(report.comparisons)
    both = [_ranks(found), _duels(found)] if found else []
    return [*both, _probabilities(report.comparisons), _running(report.comparisons)]


def _ranks(found: Ranks) -> Section:
    told = "" if found.p is None else f" Friedman (Iman-Davenport): p {p_text(found.p)}."
    left = (
        f" Not in all of them, so left out: {', '.join(found.left_out)}." if found.left_out else ""
    )
    return Section(
        "Ranks",
        f"Average rank over {found.blocks} blocks (target, model, size) that have all of these."
        f"{told}{left} Treatments of one group cannot be told apart (Wilcoxon, Holm). Blocks of "
        "one target share its data, so that these p are too sure with several models or sizes.",
        ("treatment", "average rank", "group"),
        tuple(
            (who, f"{rank:.2f}", _letters(place, found.cliques))
            for place, (who, rank) in enumerate(zip(found.names, found.ranks, strict=True))
        ),
    )


def _letters(place: int, cliques: Sequence[tuple[int, int]]) -> str:
    inside = [chr(97 + i % 26) for i, (a, b) in enumerate(cliques) if a <= place <= b]
    return " ".join(inside) or "alone"


def _duels(found: Ranks) -> Section:
    return Section(
        "Every pair",
        "Multi-comparison matrix, a row a pair: mean difference of the error removed, blocks "
        "won, tied and lost, and Wilcoxon's signed ranks; no entry changes when another treatment "
        "joins but for Holm's correction.",
        ("first", "second", "blocks", "first minus second", "won/tied/lost", "p", "p Holm"),
        tuple(
            (
                d.first,
                d.second,
                str(d.blocks),
                percent(d.mean),
                f"{d.wins}/{d.ties}/{d.losses}",
                p_text(d.p),
                p_text(d.p_holm),
            )
            for d in found.duels
        ),
    )


def _probabilities(comparisons: Sequence[Comparison]) -> Section:
    """Region of practical equivalence by comparison, and what shrinking leaves of each effect."""
    usable = [c for c in judged(comparisons) if c.margin > 0 and spread_out(c.differences)]
    drawn = _shrunken(usable) if len(usable) >= FEWEST else [("n/a", "n/a")] * len(usable)
    rows = [(name(c), *_practical(c), *pair) for c, pair in zip(usable, drawn, strict=True)]
    whole = over_targets(comparisons)
    if whole and rows:
        said = (f"{v:.3f}" for v in (whole.worse, whole.same, whole.better))
        rows.append(("all comparisons (signed ranks, within 1 % of the error)", *said, "", ""))
    return Section(
        "In probabilities",
        "On these test instances, flat prior: that the mean difference is worse by more than "
        "the margin, within it (region of practical equivalence), or better by more. From ten "
        "comparisons on, the effect drawn towards what the table shows of others, and the local "
        "false sign rate (Stephens 2017): the probability that its sign is wrong.",
        ("comparison", "worse", "within margin", "better", "shrunken", "false sign"),
        tuple(rows),
    )


def _practical(c: Comparison) -> Iterator[str]:
    spread = plain_spread(c.differences)
    error = float(np.sqrt(spread.variance / len(c.differences)))
    found = practical(c.difference, error, spread.df, c.margin)
    return (f"{v:.3f}" for v in (found.worse, found.same, found.better))


def _shrunken(usable: Sequence[Comparison]) -> list[tuple[str, str]]:
    means = np.array([c.difference / c.margin for c in usable])
    errors = np.array(
        [c.differences.std(ddof=1) / np.sqrt(len(c.differences)) / c.margin for c in usable]
    )
    return [(f"{one.mean:+.2f} margins", p_text(one.false_sign)) for one in shrunken(means, errors)]


def _running(comparisons: Sequence[Comparison]) -> Section:
    found = [(c, c.convergence) for c in comparisons if c.convergence]
    return Section(
        "Expected running time",
        "Training samples until the threshold of the section Convergence is reached once, when "
        "a failed run is followed by another: samples of all runs over the runs that got there.",
        ("comparison", "scratch", "transfer", "ratio"),
        tuple((name(c), *(_samples(v) for v in k.running), _ratio(*k.running)) for c, k in found),
    )


def _samples(value: float | None) -> str:
    return "never reached" if value is None else f"{value:,.0f}"


def _ratio(scratch: float | None, transfer: float | None) -> str:
    return number(transfer / scratch) if scratch and transfer is not None else "n/a"
