"""What stands beside the result table, defined once for every format: small tables with a lead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tsxfer.report import beside
from tsxfer.report.build import Report
from tsxfer.report.columns import MARKS, between, model, number, p_text, percent, signed
from tsxfer.report.opinions import opinions
from tsxfer.report.protocols import under_protocols
from tsxfer.report.section import Section, name
from tsxfer.stats.compare import Comparison
from tsxfer.stats.contrasts import Contrast
from tsxfer.stats.convergence import Difference
from tsxfer.stats.worth import Worth


def sections(report: Report) -> list[Section]:
    """Everything that this report has something to say in."""
    found = [
        _headline(report),
        _summary(report),
        _best(report),
        beside.controls(report),
        beside.baselines(report),
        beside.against_baselines(report),
        beside.ways(report),
        under_protocols(report),
        _convergence(report),
        _worth(report),
        _worse(report),
        _power(report),
        _undecided(report),
        _new_groups(report),
        _matrix(report),
        *opinions(report),
        _reproduced(report),
        _declared(report),
        _missing(report),
        _verified(report),
    ]
    return [section for section in found if section is not None and section.rows]


def _headline(report: Report) -> Section | None:
    return Section(
        "Headline contrasts",
        "Mean share of error that transfer removes, (e - f) / max(e, f) with the errors e of "
        "scratch and f "
        "of transfer: +50 % halves it, -50 % doubles it. Averaged within each repeat over the "
        "comparisons "
        "of each target, then over targets, which weigh equally; Holm within a step. A step "
        "counts only "
        "where the one above it is significant. Comparisons without a valid baseline stay out. It "
        "speaks of "
        "these data sets.",
        ("step", "of", "comparisons", "error removed", "95 %", "p Holm", "transfer is"),
        tuple(row for c in report.contrasts for row in _contrast(c)),
    )


def _contrast(c: Contrast) -> Iterator[tuple[str, ...]]:
    says = "undecided" if not c.confirmed else ("better" if c.mean > 0 else "worse")
    rests = f" (not without {', '.join(c.rests_on)})" if c.confirmed and c.rests_on else ""
    yield (
        c.step,
        c.name.removeprefix("n="),
        str(c.comparisons),
        percent(c.mean),
        f"[{percent(c.low)}, {percent(c.high)}]",
        p_text(c.p_holm),
        says + rests,
    )
    for w in c.without if c.step == "overall" else ():
        yield (
            "one out",
            f"without {w.target}",
            "",
            percent(w.mean),
            f"[{percent(w.low)}, {percent(w.high)}]",
            "",
            "",
        )


def _summary(report: Report) -> Section | None:
    found = report.aggregate
    if found is None or len(report.comparisons) < 2:
        return None
    left_out = (
        f"; {found.left_out} left out: too little error to divide by" if found.left_out else ""
    )
    return Section(
        "Summary of the table",
        "Bootstrap over repeats within comparisons, pairs kept (Agarwal et al. 2021); targets "
        "weigh "
        "equally.",
        ("measure", "value", "95 %"),
        (
            (
                f"interquartile mean of the share of error removed ({found.used} "
                f"comparisons{left_out})",
                f"{100 * found.iqm:+.1f} %",
                "[{:+.1f}, {:+.1f}] %".format(*(100 * v for v in found.iqm_interval)),
            ),
            *((f"the same without {target}", percent(v), "") for target, v in found.without),
            (
                "probability of improvement",
                f"{found.improvement:.2f}",
                "[{:.2f}, {:.2f}]".format(*found.improvement_interval),
            ),
        ),
    )


def _best(report: Report) -> Section | None:
    return Section(
        "Best source",
        "The winner is tested against the largest of all sources under shared sign flips, since it "
        "was chosen on the same runs. 'p alone' ignores that and is too small.",
        ("target", "model", "size", "winner", "sources", "p", "p alone", "smallest p", "advice"),
        tuple(
            (
                b.winner.trial.dataset,
                model(b.winner),
                b.winner.trial.size.removeprefix("n="),
                b.winner.source,
                str(b.rivals),
                p_text(b.p),
                p_text(b.p_alone),
                p_text(b.floor),
                b.advice,
            )
            for b in report.best
        ),
    )


def _convergence(report: Report) -> Section | None:
    def paired(d: Difference) -> str:
        return f"{signed(d.mean)} {between(d.low, d.high)}"

    rows = []
    for c in report.comparisons:
        k = c.convergence
        if k is None:
            continue
        saved = f"{k.saved:+,.0f}"
        if k.low is not None and k.high is not None:
            saved += f" [{k.low:+,.0f}, {k.high:+,.0f}]"
        rows.append(
            (
                name(c),
                number(k.threshold),
                f"{k.scratch:,.0f}",
                f"{k.transfer:,.0f}",
                saved,
                p_text(k.p),
                f"{100 * k.reached[0]:.0f} / {100 * k.reached[1]:.0f} %",
                paired(k.jump_start),
                paired(k.first_epoch),
                paired(k.area),
            )
        )
    return Section(
        "Convergence",
        "Training samples until the validation score that scratch alone sets (90 % of its way). "
        "Runs that never reach it count with their whole budget. Jump-start, first epoch and area "
        "under the learning curve are oriented differences of the validation score.",
        (
            "comparison",
            "threshold",
            "scratch",
            "transfer",
            "saved",
            "p",
            "reached (scratch / transfer)",
            "jump-start",
            "first epoch",
            "area",
        ),
        tuple(rows),
    )


def _worth(report: Report) -> Section | None:
    def labels(w: Worth) -> str:
        low, high = w.grid
        if w.labels >= high:
            return f"{high:,} or more"
        return f"{low:,} or fewer" if w.labels <= low else f"{w.labels:,.0f}"

    return Section(
        "Worth in labels",
        "Scratch budget that reaches the same score; at the ends of the measured sizes nothing "
        "more can be said.",
        ("source", "target", "model", "transfer with", "scratch needs", "95 %", "draws at an end"),
        tuple(
            (
                w.source,
                w.target,
                w.model,
                f"{w.size:,}",
                labels(w),
                f"[{w.low:,.0f}, {w.high:,.0f}]",
                f"{100 * w.capped:.0f} %",
            )
            for w in report.worth
        ),
    )


def _worse(report: Report) -> Section | None:
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
    )


def _power(report: Report) -> Section | None:
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
    )


def _undecided(report: Report) -> Section | None:
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
    )


def _detectable(c: Comparison) -> str:
    """In the scope of the verdict."""
    found = c.beyond.detectable if c.scope == "new groups" else c.detectable
    return "n/a" if found is None else number(found)


def _new_groups(report: Report) -> Section | None:
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
            new.limited_by or "n/a",
        )

    return Section(
        "These test instances and new groups",
        "Repeats share one partition, so their interval speaks of these test instances. The "
        "interval "
        "for new groups (speakers, events, subjects) also holds the error of which groups were "
        "tested "
        "and learned from, and of the pretrainings; standard errors of the difference are given by "
        "what they come from. The verdict is for new groups where the data can speak of them. A "
        "single "
        "pretraining says nothing of another. Convergence, contrasts, best sources, the summary "
        "and "
        "labels' worth speak of these test instances.",
        (
            "comparison",
            "these test instances",
            "new groups",
            "test groups",
            "from repeats",
            "from groups",
            "from pretrainings",
            "more of what helps most",
        ),
        tuple(row(c) for c in report.comparisons if c.beyond.groups is not None),
    )


def _matrix(report: Report) -> Section | None:
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
    )


def _reproduced(report: Report) -> Section | None:
    found = report.reproduced
    if found is None:
        return None
    told = [abs(c.difference) / c.margin for c in report.comparisons if _told(c)]
    words = ", ".join(f"{count} {verdict}" for verdict, count in found.verdicts.items())
    rows = [
        (f"rows trained again on {', '.join(found.devices)}", f"{found.rows} ({words})"),
        ("largest distance from the row, score or curve", _margins(found.distance)),
        ("floor: largest distance between trainings of one row", _margins(found.floor)),
        ("smallest effect called better or worse", _margins(min(told, default=None))),
        *([("trainings that gave no score", str(found.failed))] if found.failed else []),
        *([("lines that cannot be read", str(found.unread))] if found.unread else []),
    ]
    return Section(
        "Reproduced",
        "From `tsxfer reproduce`: how far chance in the hardware moves a number that is made "
        "twice, beside the smallest effect that this report tells. A row that was made again does "
        "not count.",
        ("quantity", "value"),
        tuple(rows),
    )


def _told(c: Comparison) -> bool:
    return c.verdict in ("better", "worse") and c.margin > 0


def _margins(value: float | None) -> str:
    return "none measured" if value is None else f"{value:.3g} margins"


def _declared(report: Report) -> Section | None:
    held = report.declared
    if held is None:
        return None
    return Section(
        "Declared before the first row",
        "From analysis.lock.toml; anything else in this report is labelled exploratory.",
        ("what", "value"),
        (
            ("hash", held.digest),
            ("primary family", f"{len(held.primary)} comparisons"),
            *([("controls", f"{len(held.controls)} comparisons, apart")] if held.controls else []),
            *(
                [("baselines", f"{len(held.baselines)} comparisons, apart")]
                if held.baselines
                else []
            ),
            *(
                [("other protocols", f"{len(held.protocols)} comparisons, apart")]
                if held.protocols
                else []
            ),
            ("repeats", str(held.repeats)),
            ("level", f"{held.level:g}, {held.correction}; headline contrasts {held.headline}"),
            (
                "margins",
                ", ".join(f"{n}: {m:g} {held.metrics[n]}" for n, m in held.margins.items()),
            ),
            *(("estimand", text) for text in held.estimands),
            ("threshold", held.threshold),
        ),
    )


def _missing(report: Report) -> Section:
    return Section(
        "Missing and failed",
        "What was planned and has no score; a comparison counts the repeats that it has.",
        ("what", "why"),
        (
            *((f"run {key}", f"failed: {error}") for key, error in report.failures),
            *(("pair", gap) for gap in report.gaps),
        ),
    )


def _verified(report: Report) -> Section | None:
    if not report.verified:
        return None
    return Section(
        "Checked",
        "`tsxfer verify` reads rows, predictions, weights, data and declaration, and counts again "
        "what can "
        "be counted. Who edits rows and predictions together is only found by `tsxfer reproduce`, "
        "which "
        "trains them again.",
        ("what", "found"),
        (("verify", report.verified),),
    )


def verdict_matrix(comparisons: Sequence[Comparison]) -> list[Section]:
    """Marks by source and target, a table for each model and size."""
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for c in comparisons:
        groups.setdefault((model(c), c.trial.size.removeprefix("n=")), []).append(c)
    return [_marks(f"{m}, {size} labels", group) for (m, size), group in groups.items()]


def _marks(title: str, group: Sequence[Comparison]) -> Section:
    sources = list(dict.fromkeys(c.source for c in group))
    targets = list(dict.fromkeys(c.trial.dataset for c in group))
    by = {(c.source, c.trial.dataset): c for c in group}
    rows = [
        (source, *(_mark(by.get((source, target))) for target in targets)) for source in sources
    ]
    counts = Counter(c.verdict for c in group)
    lead = ", ".join(f"{counts[v]} {v}" for v in MARKS if counts[v])  # type: ignore[index]
    return Section(title, lead, ("source", *targets), tuple(rows))


def _mark(c: Comparison | None) -> str:
    return "–" if c is None else f"{MARKS[c.verdict]} {signed(c.difference)}"
