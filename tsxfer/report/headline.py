"""Sentences that respect verdicts: a null result is undecided, never "equal"."""

from __future__ import annotations

from collections import Counter

from tsxfer.core.cautions import Caution, sentences
from tsxfer.report.build import Report
from tsxfer.report.section import name

NAMED = 3  # comparisons that a warning spells out
WORDS = {
    "better": "better with transfer",
    "not worse": "not worse (within the margin)",
    "equivalent": "equivalent within the margin",
    "worse": "worse with transfer",
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
    return f"Of {total} {noun}: {', '.join(parts)}.{without}"


def warnings(report: Report) -> list[str]:
    """What a reader must know before the numbers."""
    found = [f"VERIFY: {report.verified}"] if report.sound is False else []
    found += sentences(report.labels)
    if report.gaps:
        found.append(f"INCOMPLETE: {len(report.gaps)} arm(s) of pairs are missing or failed.")
    shared = [data for data, proof in report.splits.items() if proof.get("shared_groups")]
    if shared and Caution.LEAKY not in report.labels:
        found.append(f"Groups are shared between parts of: {', '.join(shared)} (split in time).")
    notes: dict[str, list[str]] = {}
    for c in report.comparisons:
        for note in c.notes:
            notes.setdefault(note, []).append(name(c))
    total = len(report.comparisons)
    found += [f"{note} ({_where(places, total)})" for note, places in notes.items()]
    return found


def _where(places: list[str], total: int) -> str:
    """A few comparisons by name, many by number: the page and the files tell which."""
    if len(places) == total:
        return "all comparisons" if total > 1 else places[0]
    more = len(places) - NAMED
    return "; ".join(places[:NAMED]) + (f"; and {more} more of {total}" if more > 0 else "")
