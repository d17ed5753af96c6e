"""What stands beside the result table, defined once for every format: small tables with a lead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tsxfer.report import beside
from tsxfer.report.build import Report
from tsxfer.report.columns import MARKS, between, model, number, p_text, signed
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
        _convergence(report),
        _worth(report),
        _worse(report),
        _power(report),
        _undecided(report),
        _test_set(report),
        _matrix(report),
        _reproduced(report),
        _declared(report),
        _missing(report),
    ]
    return [section for section in found if section is not None and section.rows]


def _headline(report: Report) -> Section | None:
    def row(c: Contrast) -> tuple[str, ...]:
        says = "undecided" if not c.confirmed else ("better" if c.mean > 0 else "worse")
        return (
            c.step, c.name.removeprefix("n="), str(c.comparisons), signed(c.mean),
            between(c.low, c.high), p_text(c.p_holm), says,
        )  # fmt: skip

    return Section(
        "Headline contrasts",
        "Mean gain in units of the margin, averaged over comparisons within each repeat; Holm "
        "within a step. A step counts only where the one above it is significant. It speaks of "
        "these data sets.",
        ("step", "of", "comparisons", "gain (margins)", "95 %", "p Holm", "transfer is"),
        tuple(row(c) for c in report.contrasts),
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
        "Bootstrap over repeats within comparisons, pairs kept (Agarwal et al. 2021).",
        ("measure", "value", "95 %"),
        (
            (
                f"interquartile mean of the share of scratch's error removed ({found.used} "
                f"comparisons{left_out})",
                f"{100 * found.iqm:+.1f} %",
                "[{:+.1f}, {:+.1f}] %".format(*(100 * v for v in found.iqm_interval)),
            ),
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
                b.winner.trial.dataset, model(b.winner),
                b.winner.trial.size.removeprefix("n="), b.winner.source, str(b.rivals),
                p_text(b.p), p_text(b.p_alone), p_text(b.floor), b.advice,
            )
            for b in report.best
        ),
    )  # fmt: skip


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
                name(c), number(k.threshold), f"{k.scratch:,.0f}", f"{k.transfer:,.0f}", saved,
                p_text(k.p), f"{100 * k.reached[0]:.0f} / {100 * k.reached[1]:.0f} %",
                paired(k.jump_start), paired(k.first_epoch), paired(k.area),
            )
        )  # fmt: skip
    return Section(
        "Convergence",
        "Training samples until the validation score that scratch alone sets (90 % of its way). "
        "Runs that never reach it count with their whole budget. Jump-start, first epoch and area "
        "under the learning curve are oriented differences of the validation score.",
        (
            "comparison", "threshold", "scratch", "transfer", "saved", "p",
            "reached (scratch / transfer)", "jump-start", "first epoch", "area",
        ),
        tuple(rows),
    )  # fmt: skip


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
                w.source, w.target, w.model, f"{w.size:,}", labels(w),
                f"[{w.low:,.0f}, {w.high:,.0f}]", f"{100 * w.capped:.0f} %",
            )
            for w in report.worth
        ),
    )  # fmt: skip


def _worse(report: Report) -> Section | None:
    return Section(
        "Negative transfer",
        "Comparisons in which pretraining did harm.",
        ("comparison", "difference", "95 %", "p corrected", "effect g"),
        tuple(
            (
                name(c), signed(c.difference), between(c.low, c.high), p_text(c.p_corrected),
                signed(c.effect[0]) if c.effect else "n/a",
            )
            for c in report.comparisons
            if c.verdict == "worse"
        ),
    )  # fmt: skip


def _power(report: Report) -> Section | None:
    return Section(
        "Power",
        "Smallest effect found with 80 % power, in standard deviations of one paired difference; "
        "Benjamini-Hochberg is foreseen with 30 % of the comparisons real.",
        ("family", "tests", "correction", "level of one test", "smallest effect"),
        tuple(
            (
                r.family, str(r.tests), r.correction, f"{r.level:.4f}",
                f"{r.effect:.2f} sd" if r.effect is not None else "cannot reject",
            )
            for r in report.reach
        ),
    )  # fmt: skip


def _undecided(report: Report) -> Section | None:
    return Section(
        "What was not decidable",
        "Undecided does not mean equal: the study could have missed true differences up to the "
        "size shown.",
        ("comparison", "difference", "95 %", "detectable at 80 %", "margin"),
        tuple(
            (
                name(c), signed(c.difference), between(c.low, c.high),
                number(c.detectable) if c.detectable is not None else "n/a", number(c.margin),
            )
            for c in report.comparisons
            if c.verdict == "undecided"
        ),
    )  # fmt: skip


def _test_set(report: Report) -> Section | None:
    rows = [
        (
            name(c), str(t.groups), number(t.from_repeats), number(t.from_test),
            between(t.low, t.high), "the test set" if t.dominates else "the repeats",
        )
        for c, t in zip(report.comparisons, report.test_errors, strict=True)
        if t is not None
    ]  # fmt: skip
    return Section(
        "Test-set uncertainty",
        "Standard error of the difference from the repeats and from the choice of test groups "
        "(cluster bootstrap over kept predictions), and the 95 % interval that holds both.",
        ("comparison", "test groups", "from repeats", "from test set", "both", "limited by"),
        tuple(rows),
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
        f"Gain in margins for an average comparison, by {found.method}. {'; '.join(found.notes)}.",
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
        "From `tsxfer reproduce`: how far chance in the hardware moves a number that is made twice, "
        "beside the smallest effect that this report tells. A row that was made anew does not count.",
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
