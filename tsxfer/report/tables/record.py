"""What was declared, what is missing, what was checked and made again."""

from __future__ import annotations

from tsxfer.report.build import Report
from tsxfer.report.section import Section
from tsxfer.stats.compare import Comparison


def reproduced(report: Report) -> Section | None:
    """What training rows again has shown."""
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


def declared(report: Report) -> Section | None:
    """The analysis that was fixed before the first row."""
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


def missing(report: Report) -> Section:
    """Runs and pairs without a score."""
    return Section(
        "Missing and failed",
        "What was planned and has no score; a comparison counts the repeats that it has.",
        ("what", "why"),
        (
            *((f"run {key}", f"failed: {error}") for key, error in report.failures),
            *(("pair", gap) for gap in report.gaps),
        ),
    )


def verified(report: Report) -> Section | None:
    """What `tsxfer verify` found."""
    if not report.verified:
        return None
    return Section(
        "Checked",
        "`tsxfer verify` reads rows, predictions, weights, data and declaration, and counts again "
        "what can be counted. Who edits rows and predictions together is only found by `tsxfer "
        "reproduce`, which trains them again.",
        ("what", "found"),
        (("verify", report.verified),),
    )
