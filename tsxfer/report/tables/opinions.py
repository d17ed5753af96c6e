"""Second opinions that reviewers ask for: ranks, every pair, probabilities."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tsxfer.report.build import Report
from tsxfer.report.columns import p_text, percent
from tsxfer.report.section import ITS_OWN, Section, name
from tsxfer.stats.bayes import over_targets, practical, shrunken
from tsxfer.stats.compare import Comparison
from tsxfer.stats.gain import judged
from tsxfer.stats.ranks import FEWEST as FEWEST_BLOCKS
from tsxfer.stats.ranks import Duel, Ranks, ranks
from tsxfer.stats.scope import Part, together
from tsxfer.stats.tests import plain_spread, spread_out

FEWEST = 10  # comparisons from which effects are shrunken: fewer say nothing of their distribution
HERE = (
    "It speaks of these test instances: ranks and signs count blocks, which move in jumps when a "
    "group is left out, so that nothing is said of new groups."
)


def opinions(report: Report) -> list[Section]:
    """Tables beside the verdicts, which rest on none of them."""
    found = ranks(report.comparisons)
    ranked = [_ranks(found)] if found and found.blocks >= FEWEST_BLOCKS else []
    duels = [_duels(found)] if found and any(_told(d) for d in found.duels) else []
    return [*ranked, *duels, _probabilities(report.comparisons)]


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
        HERE,
    )


def _letters(place: int, cliques: Sequence[tuple[int, int]]) -> str:
    inside = [chr(97 + i % 26) for i, (a, b) in enumerate(cliques) if a <= place <= b]
    return " ".join(inside) or "alone"


def _told(duel: Duel) -> bool:
    """Whether signs and ranks of so few blocks can say anything."""
    return duel.blocks >= FEWEST_BLOCKS


def _duels(found: Ranks) -> Section:
    return Section(
        "Every pair",
        "Multi-comparison matrix, a row a pair: mean difference of the error removed, blocks "
        "won, tied and lost, and Wilcoxon's signed ranks; no entry changes when another treatment "
        f"joins but for Holm's correction. Pairs with fewer than {FEWEST_BLOCKS} blocks in common "
        "are left out.",
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
            if _told(d)
        ),
        HERE,
    )


def _probabilities(comparisons: Sequence[Comparison]) -> Section:
    """Region of practical equivalence by comparison, and what shrinking leaves of each effect."""
    usable = [c for c in judged(comparisons) if c.margin > 0 and spread_out(c.differences)]
    errors = [_error(c) for c in usable]
    drawn = _shrunken(usable, errors) if len(usable) >= FEWEST else [("n/a", "n/a")] * len(usable)
    rows = [
        (name(c), *_practical(c, error), *pair, _whom(c))
        for c, error, pair in zip(usable, errors, drawn, strict=True)
    ]
    whole = over_targets(comparisons)
    if whole and rows:
        said = (f"{v:.3f}" for v in (whole.worse, whole.same, whole.better))
        all_of_them = "all comparisons (signed ranks, within 1 % of the error)"
        rows.append((all_of_them, *said, "", "", "these test instances"))
    return Section(
        "In probabilities",
        "Flat prior: that the mean difference is worse by more than the margin, within it "
        "(region of practical equivalence), or better by more. From ten comparisons on, the "
        "effect drawn towards what the table shows of others, and the local false sign rate "
        "(Stephens 2017): the probability that its sign is wrong. Errors are those of the verdict: "
        "for new groups of repeats, groups and pretrainings together.",
        ("comparison", "worse", "within margin", "better", "shrunken", "false sign", "for"),
        tuple(rows),
        ITS_OWN,
    )


def _error(c: Comparison) -> Part:
    """Of the mean difference: for new groups where that is known, else over repeats."""
    if c.scope == "new groups" and c.beyond.parts:
        return together(c.beyond.parts)
    spread = plain_spread(c.differences)
    return Part(spread.variance / len(c.differences), spread.df)


def _whom(c: Comparison) -> str:
    """What the error of a comparison holds, so whom its probabilities are for."""
    return c.speaks_of if c.beyond.parts else f"these test instances ({c.beyond.why})"


def _practical(c: Comparison, error: Part) -> Iterator[str]:
    found = practical(c.difference, math.sqrt(error.variance), error.df, c.margin)
    return (f"{v:.3f}" for v in (found.worse, found.same, found.better))


def _shrunken(usable: Sequence[Comparison], errors: Sequence[Part]) -> list[tuple[str, str]]:
    means = np.array([c.difference / c.margin for c in usable])
    widths = [math.sqrt(e.variance) / c.margin for c, e in zip(usable, errors, strict=True)]
    found = shrunken(means, np.array(widths))
    return [(f"{one.mean:+.2f} margins", p_text(one.false_sign)) for one in found]
