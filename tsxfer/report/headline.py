"""Sentences that respect verdicts: a null result is undecided, never "equal"."""

from __future__ import annotations

from collections import Counter

from tsxfer.report.build import Report
from tsxfer.report.section import name

NAMED = 3  # comparisons that a warning spells out
WORDS = {
    "better": "better with transfer",
    "not worse": "not worse (within the margin)",
    "equivalent": "equivalent within the margin",
    "worse": "worse with transfer",
    "did not train": "did not train (transfer never left its start)",
    "undecided": "undecided",
    "interim": "interim: repeats that were declared have not run",
}

LABELS = {
    "simulated": "SIMULATED DATA: these numbers say nothing about the real world.",
    "leaky split": "LEAKY SPLIT: the paper profile lets one event, speaker or subject be on both "
    "sides.",
    "free validation labels": "FREE LABELS: sizes leave out the validation labels that chose "
    "checkpoints.",
    "squared-error scratch": "UNEQUAL LOSS: scratch classifiers minimised squared error "
    "(study, section 6.3).",
    "no groups given: leakage not excluded": "LEAKAGE NOT EXCLUDED: no groups were given, so "
    "windows of one person, machine or event may be on both sides; name them with --group.",
    "official split": "OFFICIAL SPLIT: scored on the test part that the data's publishers set "
    "aside, for "
    "every profile; validation comes from their train part.",
    "published": "PUBLISHED ROWS: made by the authors of Otović et al. 2022, not by tsxfer.",
    "chosen on test": "CHOSEN ON TEST: each fine-tuning is the best of its grid by the test score "
    "that it is "
    "judged by, which scratch had one try at; `--multiplier leave-one-out` or a number does not.",
    "curve on test": "TEST CURVES: convergence below is measured on the test set.",
    "source saw test data": "OVERLAP: a source has learned from windows, groups or events of the "
    "target's "
    "test part, so that its gain is no transfer.",
    "source and target share group names": "SHARED NAMES: groups of source and test have the same "
    "names "
    "(such as p1); if they are the same people or machines, take them out of the source.",
    "near duplicates in train and test": "NEAR DUPLICATES: windows of the test part are those of "
    "the "
    "training part up to a factor, an offset or a little noise.",
    "label predictable from one value": "ONE VALUE PREDICTS THE LABEL: a single sample, "
    "the peak or the padding nearly tells the label (`tsxfer look` says which); "
    "if that is no physics, it is a leak.",
    "group names that differ in spelling alone": "SPELLING: names of groups on both sides differ "
    "in case or "
    "spaces alone, such as p1 and P1; if they are one, leakage is not excluded.",
    "exploratory": "EXPLORATORY: some comparisons lie outside of the analysis that was declared "
    "before the first row.",
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
    found += [text for label, text in LABELS.items() if label in report.labels]
    found += [f"{x[0].upper()}{x[1:]}." for x in report.labels if x.startswith("incomplete data")]
    if report.gaps:
        found.append(f"INCOMPLETE: {len(report.gaps)} arm(s) of pairs are missing or failed.")
    shared = [data for data, proof in report.splits.items() if proof.get("shared_groups")]
    if shared and "leaky split" not in report.labels:
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
