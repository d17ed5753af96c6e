"""What a reader must know before the numbers: by kind, the worst first, never a list of repeats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tsxfer.report.build import Report
from tsxfer.report.section import name
from tsxfer.stats.compare import Comparison
from tsxfer.stats.valid import FAILED, alarms, at_chance

NAMED = 3  # comparisons that a line spells out

# Label of a row: kind and text, the worst first.
LABELS = {
    "simulated": ("SIMULATED DATA", "these numbers say nothing about the real world."),
    "source saw test data": (
        "OVERLAP",
        "a source has learned from windows, groups or events of the target's test part, so that "
        "its gain is no transfer.",
    ),
    "leaky split": (
        "LEAKY SPLIT",
        "the paper profile lets one event, speaker or subject be on both sides.",
    ),
    "near duplicates in train and test": (
        "NEAR DUPLICATES",
        "windows of the test part are those of the training part up to a factor, an offset or a "
        "little noise.",
    ),
    "label predictable from one value": (
        "ONE VALUE PREDICTS THE LABEL",
        "a single sample, the peak or the padding nearly tells the label (`tsxfer look` says "
        "which); if that is no physics, it is a leak.",
    ),
    "no groups given: leakage not excluded": (
        "LEAKAGE NOT EXCLUDED",
        "no groups were given, so windows of one person, machine or event may be on both sides; "
        "name them with --group.",
    ),
    "group names that differ in spelling alone": (
        "SPELLING",
        "names of groups on both sides differ in case or spaces alone, such as p1 and P1; if they "
        "are one, leakage is not excluded.",
    ),
    "source and target share group names": (
        "SHARED NAMES",
        "groups of source and test have the same names (such as p1); if they are the same people "
        "or machines, take them out of the source.",
    ),
    "chosen on test": (
        "CHOSEN ON TEST",
        "each fine-tuning is the best of its grid by the test score that it is judged by, which "
        "scratch had one try at; `--multiplier leave-one-out` or a number does not.",
    ),
    "squared-error scratch": (
        "UNEQUAL LOSS",
        "scratch classifiers minimised squared error (study, section 6.3).",
    ),
    "free validation labels": (
        "FREE LABELS",
        "sizes leave out the validation labels that chose checkpoints.",
    ),
    "curve on test": ("TEST CURVES", "convergence below is measured on the test set."),
    "exploratory": (
        "EXPLORATORY",
        "some comparisons lie outside of the analysis that was declared before the first row.",
    ),
    "published": (
        "PUBLISHED ROWS",
        "made by the authors of Otović et al. 2022, not by tsxfer.",
    ),
    "official split": (
        "OFFICIAL SPLIT",
        "scored on the test part that the data's publishers set aside, for every profile; "
        "validation comes from their train part.",
    ),
}
DESCRIBED = frozenset({"shuffled labels"})  # a control, which the table of controls explains


@dataclass(frozen=True, slots=True)
class Caveat:
    """One kind of warning.

    Attributes:
        kind: In capitals.
        text: What is wrong, in a sentence.
        where: Names of the comparisons that it concerns; empty where it concerns the study.
    """

    kind: str
    text: str
    where: tuple[str, ...] = ()


def caveats(report: Report) -> list[Caveat]:
    """Everything that a reader must know, the worst first."""
    unsound = [Caveat("VERIFY", report.verified)] if report.sound is False else []
    rest = (_of_labels, _of_gaps, _of_notes, _of_chance)
    return [*unsound, *(caveat for found in rest for caveat in found(report))]


def line(caveat: Caveat, total: int) -> str:
    """A caveat of a report with so many comparisons, in one line."""
    more = len(caveat.where) - NAMED
    if not caveat.where:
        return f"{caveat.kind}: {caveat.text}"
    if len(caveat.where) == total > 1:
        return f"{caveat.kind}: {caveat.text} (all comparisons)"
    named = "; ".join(caveat.where[:NAMED]) + (f"; and {more} more of {total}" if more > 0 else "")
    return f"{caveat.kind}: {caveat.text} ({named})"


def of_comparison(c: Comparison) -> str:
    """What a reader must know of one comparison, in one cell of a table."""
    words = [LABELS[label][0].lower() if label in LABELS else label for label in c.labels]
    return "; ".join(filter(None, (*words, *c.notes, *c.gaps, c.beyond.why)))


def _of_labels(report: Report) -> Iterator[Caveat]:
    for label, (kind, text) in LABELS.items():
        if label in report.labels:
            yield Caveat(kind, text)
    for label in report.labels:
        if label.startswith("incomplete data"):
            yield Caveat("INCOMPLETE DATA", f"{label.partition(': ')[2] or label}.")
        elif label not in LABELS and label not in DESCRIBED:
            yield Caveat("LABEL", label)  # of a later version, or a stranger's: never in silence


def _of_gaps(report: Report) -> Iterator[Caveat]:
    if report.failures:
        yield Caveat("FAILED RUNS", f"{len(report.failures)} run(s) failed.")
    if report.gaps:
        yield Caveat("INCOMPLETE", f"{len(report.gaps)} arm(s) of pairs are missing or failed.")
    shared = [data for data, proof in report.splits.items() if proof.get("shared_groups")]
    if shared and "leaky split" not in report.labels:
        text = f"between parts of: {', '.join(shared)} (split in time)."
        yield Caveat("GROUPS SHARED", text)


def _of_notes(report: Report) -> Iterator[Caveat]:
    notes: dict[str, list[str]] = {}
    for c, cell in zip(report.comparisons, report.cells, strict=True):
        counted = alarms(cell)
        for note in c.notes:
            if note not in counted:
                notes.setdefault(note, []).append(name(c))
    for note in sorted(notes, key=lambda note: note != FAILED):
        kind = "NO VALID BASELINE" if note == FAILED else "NOTE"
        yield Caveat(kind, note, tuple(notes[note]))


def _of_chance(report: Report) -> Iterator[Caveat]:
    """Repeats that learned nothing, counted by arm: details are in each comparison."""
    bad: dict[str, list[str]] = {"scratch": [], "transfer": []}  # a comparison for each such repeat
    for c, cell in zip(report.comparisons, report.cells, strict=True):
        for arm, found in enumerate(bad.values()):
            found += [name(c) for pair in cell.pairs if at_chance(pair[arm])]
    total = sum(len(cell.pairs) for cell in report.cells)
    parts = [f"{len(found):,} of {total:,} with {arm}" for arm, found in bad.items() if found]
    if parts:
        text = f"repeats no better than the best trivial prediction: {', '.join(parts)}."
        yield Caveat("AT CHANCE", text, tuple(dict.fromkeys(n for f in bad.values() for n in f)))
