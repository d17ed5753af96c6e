"""Sentences that respect verdicts: a null result is undecided, never "equal"."""

from __future__ import annotations

from collections import Counter

from tsxfer.report.build import Report
from tsxfer.report.caveats import caveats, line

WORDS = {
    "better": "better with transfer",
    "not worse": "not worse (within the margin)",
    "equivalent": "equivalent within the margin",
    "worse": "worse with transfer",
    "did not train": "did not train (transfer never left its start)",
    "undecided": "undecided",
    "interim": "interim: repeats that were declared have not run",
}


def headline(report: Report) -> str:
    """One sentence that counts the verdicts."""
    total = len(report.comparisons)
    if not total:
        return "No comparison is complete yet."
    counts = Counter(c.verdict for c in report.comparisons)
    lost = counts.pop("no valid baseline", 0)
    if lost == total:
        return f"No comparison has a valid baseline: scratch failed in all {total}."
    without = f" {lost} more have no valid baseline and count nowhere." if lost else ""
    total -= lost
    parts = [f"{counts[v]} {WORDS[v]}" for v in WORDS if counts[v]]  # type: ignore[index]
    noun = "comparison" if total == 1 else "comparisons"
    return f"Of {total:,} {noun}: {', '.join(parts)}.{without}"


def warnings(report: Report) -> list[str]:
    """What a reader must know before the numbers, a line for each kind."""
    return [line(caveat, len(report.comparisons)) for caveat in caveats(report)]
