"""How much faster transfer learns, and with how many labels less."""

from __future__ import annotations

from tsxfer.report.build import Report
from tsxfer.report.columns import between, number, p_text, signed
from tsxfer.report.section import ITS_OWN, Section, name
from tsxfer.stats.convergence import Difference
from tsxfer.stats.worth import Worth

HELD_OUT = (
    "It speaks of the validation instances of these repeats: curves keep no answers, so that "
    "nothing can be said of new groups."
)


def convergence(report: Report) -> Section:
    """Times to the threshold that scratch sets, and differences of the curves."""

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
        HELD_OUT,
    )


def running(report: Report) -> Section:
    """Samples until the threshold is reached once, failed runs included."""
    found = [(c, c.convergence) for c in report.comparisons if c.convergence]
    return Section(
        "Expected running time",
        "Training samples until the threshold of the section Convergence is reached once, when "
        "a failed run is followed by another: samples of all runs over the runs that got there.",
        ("comparison", "scratch", "transfer", "ratio"),
        tuple((name(c), *(_samples(v) for v in k.running), _ratio(*k.running)) for c, k in found),
        HELD_OUT,
    )


def _samples(value: float | None) -> str:
    return "never reached" if value is None else f"{value:,.0f}"


def _ratio(scratch: float | None, transfer: float | None) -> str:
    return number(transfer / scratch) if scratch and transfer is not None else "n/a"


def worth(report: Report) -> Section:
    """Scratch budgets that match transfer."""

    def labels(w: Worth) -> str:
        low, high = w.grid
        if w.labels >= high:
            return f"{high:,} or more"
        return f"{low:,} or fewer" if w.labels <= low else f"{w.labels:,.0f}"

    return Section(
        "Worth in labels",
        "Scratch budget that reaches the same score; at the ends of the measured sizes nothing "
        "more can be said. The interval for new groups also moves both arms by what other test "
        "groups, and other pretrainings, would.",
        (
            "source",
            "target",
            "model",
            "transfer with",
            "scratch needs",
            "these test instances, 95 %",
            "new groups, 95 %",
            "draws at an end",
            "for",
        ),
        tuple(
            (
                w.source,
                w.target,
                w.model,
                f"{w.size:,}",
                labels(w),
                _ends(w.low, w.high),
                w.whom.why or _ends(w.new_low, w.new_high),
                f"{100 * w.capped:.0f} %",
                w.whom.speaks_of,
            )
            for w in report.worth
        ),
        ITS_OWN,
    )


def _ends(low: float | None, high: float | None) -> str:
    return "n/a" if low is None or high is None else f"[{low:,.0f}, {high:,.0f}]"
