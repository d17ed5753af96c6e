"""For whom verdicts hold, what did harm, and what could not be decided."""

from __future__ import annotations

from tsxfer.report.build import Report
from tsxfer.report.columns import between, number, p_text, signed
from tsxfer.report.section import ITS_OWN, Section, name
from tsxfer.stats.compare import Comparison


def worse(report: Report) -> Section:
    """What pretraining harmed."""
    return Section(
        "Negative transfer",
        "Comparisons in which pretraining did harm, with whom that holds for.",
        ("comparison", "for", "difference", "95 %", "p corrected", "effect g"),
        tuple(
            (
                name(c),
                c.speaks_of,
                signed(c.difference),
                between(*c.stated[:2]),
                p_text(c.stated[2]),
                signed(c.effect[0]) if c.effect else "n/a",
            )
            for c in report.comparisons
            if c.verdict == "worse"
        ),
        ITS_OWN,
    )


def undecided(report: Report) -> Section:
    """What the study could have missed."""
    return Section(
        "What was not decidable",
        "Undecided does not mean equal: the study could have missed true differences up to the "
        "size shown.",
        ("comparison", "difference", "95 %", "detectable at 80 %", "margin", "for"),
        tuple(
            (
                name(c),
                signed(c.difference),
                between(*c.stated[:2]),
                _detectable(c),
                number(c.margin),
                c.beyond.why or c.speaks_of,
            )
            for c in report.comparisons
            if c.verdict == "undecided"
        ),
        ITS_OWN,
    )


def _detectable(c: Comparison) -> str:
    """In the scope of the verdict."""
    found = c.beyond.detectable if c.scope == "new groups" else c.detectable
    return "n/a" if found is None else number(found)


def new_groups(report: Report) -> Section:
    """Both scopes of every comparison, and where the error of the wider one comes from."""

    def row(c: Comparison) -> tuple[str, ...]:
        new = c.beyond
        errors = (new.error("repeats"), new.error("groups"), new.error("pretrainings"))
        return (
            name(c),
            f"{between(c.low, c.high)} {c.here}",
            new.why or f"{between(new.low, new.high)} {new.verdict}",
            "n/a" if new.groups is None else str(new.groups),
            *("n/a" if error is None else number(error) for error in errors),
            _pretrainings(c),
            new.limited_by or "n/a",
        )

    return Section(
        "These test instances and new groups",
        "Repeats share one partition, so their interval speaks of these test instances. The "
        "interval for new groups (speakers, events, subjects) also holds the error of which "
        "groups were tested and learned from, and of the pretrainings; standard errors of the "
        "difference are given by what they come from. The verdict is for new groups where the "
        "data can speak of them. A single pretraining says nothing of another: a verdict from one "
        "holds for that one.",
        (
            "comparison",
            "these test instances",
            "new groups",
            "test groups",
            "from repeats",
            "from groups",
            "from pretrainings",
            "pretrainings",
            "more of what helps most",
        ),
        tuple(row(c) for c in report.comparisons if c.beyond.groups is not None),
    )


def _pretrainings(c: Comparison) -> str:
    """How many a comparison starts from, and whether it says anything of others."""
    count = c.beyond.pretrainings
    return f"{count}: nothing is said of another" if count == 1 else str(count)


def power(report: Report) -> Section:
    """What so many repeats can find."""
    return Section(
        "Power",
        "Smallest effect found with 80 % power, in standard deviations of one paired difference; "
        "Benjamini-Hochberg is foreseen with 30 % of the comparisons real.",
        ("family", "tests", "correction", "level of one test", "smallest effect"),
        tuple(
            (
                r.family,
                str(r.tests),
                r.correction,
                f"{r.level:.4f}",
                f"{r.effect:.2f} sd" if r.effect is not None else "cannot reject",
            )
            for r in report.reach
        ),
        "It speaks of these test instances: of repeats alone.",
    )
