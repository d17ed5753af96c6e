"""Statements over many comparisons: contrasts, summary, best sources, the whole matrix."""

from __future__ import annotations

from collections.abc import Iterator

from tsxfer.core.sizes import as_written
from tsxfer.report.build import Report
from tsxfer.report.columns import between, model, number, p_text, percent, signed
from tsxfer.report.section import ITS_OWN, Section
from tsxfer.stats.contrasts import Contrast
from tsxfer.stats.several import Wider


def headline(report: Report) -> Section | None:
    """Mean gains, overall and by step."""
    return Section(
        "Headline contrasts",
        "Mean share of error that transfer removes, (e - f) / max(e, f) with the errors e of "
        "scratch and f of transfer: +50 % halves it, -50 % doubles it. It is of each repeat's own "
        "error, so that its sign may differ from that of a mean difference. Averaged within each "
        "repeat over the comparisons of each target, then over targets, which weigh equally; Holm "
        "within a step. A step counts only where the one above it is significant. Comparisons "
        "without a valid baseline stay out. '95 %' speaks of these test instances, 'new groups' "
        "of others (subjects, speakers, events) of these data sets, by leaving test groups out in "
        "turn; p is for whom 'for' names.",
        (
            "step",
            "of",
            "comparisons",
            "error removed",
            "95 %",
            "new groups",
            "p Holm",
            "transfer is",
            "for",
        ),
        tuple(row for c in report.contrasts for row in _contrast(c)),
        f"{ITS_OWN} It speaks of these data sets, not of others.",
    )


def _contrast(c: Contrast) -> Iterator[tuple[str, ...]]:
    says = "undecided" if not c.confirmed else ("better" if c.mean > 0 else "worse")
    rests = f" (not without {', '.join(c.rests_on)})" if c.confirmed and c.rests_on else ""
    yield (
        c.step,
        as_written(c.name),
        str(c.comparisons),
        percent(c.mean),
        _ends(c.low, c.high),
        _wider(c.beyond),
        p_text(c.p_holm),
        says + rests,
        c.beyond.speaks_of,
    )
    for w in c.without if c.step == "overall" else ():
        yield (
            "one out",
            f"without {w.target}",
            "",
            percent(w.mean),
            _ends(w.low, w.high),
            _wider(w.beyond),
            "",
            "",
            w.beyond.speaks_of,
        )


def _ends(low: float | None, high: float | None) -> str:
    return "n/a" if low is None or high is None else f"[{percent(low)}, {percent(high)}]"


def _wider(found: Wider) -> str:
    """The interval for new groups, or why there is none."""
    return found.why if found.low is None else _ends(found.low, found.high)


def summary(report: Report) -> Section | None:
    """Interquartile mean and probability of improvement."""
    found = report.aggregate
    if found is None or len(report.comparisons) < 2:
        return None
    left_out = (
        f"; {found.left_out} left out: too little error to divide by" if found.left_out else ""
    )
    return Section(
        "Summary of the table",
        "Bootstrap over repeats within targets, pairs kept (Agarwal et al. 2021); targets weigh "
        "equally. For new groups the interquartile mean is made without each test group in turn; "
        "the probability of improvement counts runs, which moves in jumps when a group is left "
        "out, and has no such interval.",
        ("measure", "value", "these test instances, 95 %", "new groups, 95 %"),
        (
            (
                f"interquartile mean of the share of error removed ({found.used} "
                f"comparisons{left_out})",
                percent(found.iqm),
                _ends(*found.iqm_interval),
                _wider(found.beyond),
            ),
            *((f"the same without {target}", percent(v), "", "") for target, v in found.without),
            (
                "probability of improvement",
                f"{found.improvement:.2f}",
                _chances(*found.improvement_interval),
                "n/a",
            ),
        ),
        f"The interquartile mean also speaks of {found.beyond.speaks_of}."
        if found.beyond.low is not None
        else f"It speaks of these test instances{_but(found.beyond)}.",
    )


def _chances(low: float, high: float) -> str:
    """Ends of a probability; where all draws agree, few repeats, not certainty, are why."""
    return "n/a: no draw differs, too few repeats" if low == high else f"[{low:.2f}, {high:.2f}]"


def _but(found: Wider) -> str:
    return f", for {found.why}" if found.why else ""


def best(report: Report) -> Section | None:
    """The best of several sources, tested as such."""
    return Section(
        "Best source",
        "The winner is tested against the largest of all sources under shared sign flips, since it "
        "was chosen on the same runs. 'p alone' ignores that and is too small. Both speak of these "
        "test instances; 'p new groups' is that of the winner times the number of sources.",
        (
            "target",
            "model",
            "size",
            "winner",
            "sources",
            "p",
            "p alone",
            "smallest p",
            "p new groups",
            "for",
            "advice",
        ),
        tuple(
            (
                b.winner.trial.dataset,
                model(b.winner),
                as_written(b.winner.trial.size),
                b.winner.source,
                str(b.rivals),
                p_text(b.p),
                p_text(b.p_alone),
                p_text(b.floor),
                p_text(b.p_new),
                b.winner.speaks_of,
                b.advice,
            )
            for b in report.best
        ),
        "A winner for new groups is one whose 'p new groups' is small.",
    )


def matrix(report: Report) -> Section | None:
    """What to expect of other data sets."""
    found = report.matrix
    if found is None:
        return None
    spread = tuple(
        (f"standard deviation, {what}", number(value), "")
        for what, value in found.components.items()
    )
    return Section(
        "Beyond these data sets",
        f"Share of error removed in an average comparison, by {found.method}. "
        f"{'; '.join(found.notes)}.",
        ("quantity", "value", "95 %"),
        (("mean gain", signed(found.mean), between(found.low, found.high)), *spread),
        "It speaks of other data sets as these were drawn; each is known by its own test groups, "
        "whose choice is part of how much targets differ.",
    )
