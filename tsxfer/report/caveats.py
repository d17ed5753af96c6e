"""What a reader must know before the numbers: by kind, the worst first, never a list of repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tsxfer.core.cautions import Caution, brief, caution_of
from tsxfer.core.names import is_given
from tsxfer.core.results import Result
from tsxfer.report.build import Report
from tsxfer.report.section import name
from tsxfer.stats.began import MENDS
from tsxfer.stats.compare import Comparison
from tsxfer.stats.controls import LOST_BY_START, NO_CONTROL, WON_BY_START
from tsxfer.stats.valid import FAILED, alarms, at_chance

KINDS = {
    FAILED: "NO VALID BASELINE",
    NO_CONTROL: "NO CONTROL",
    LOST_BY_START: "THE START",
    WON_BY_START: "THE START",
}  # of notes; others: NOTE
NAMED = 3  # comparisons that a line spells out
UNKNOWN = "no score of trivial predictions is known, so nor is whether scratch learned anything"


# Runs that are counted, not listed: kind, what they are, and which rows they are.
COUNTED: tuple[tuple[str, str, Callable[[Result], bool]], ...] = (
    ("AT CHANCE", "runs no better than the best trivial prediction", at_chance),
    (
        "DID NOT TRAIN",
        "runs that never left their start (training loss flat)",
        lambda row: row.learned is not None and row.learned.stuck,
    ),
    (
        "BEGAN BLIND",
        f"runs whose last features hardly differ between windows; try {MENDS}",
        lambda row: row.begin is not None and row.begin.blind,
    ),
)


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
    rest = (_of_labels, _of_marks, _of_gaps, _of_origins, _of_notes, _of_chance)
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
    words = [_kind(code) for code in c.labels]
    blind = UNKNOWN if _blind_unknown(c) else ""
    return "; ".join(dict.fromkeys(filter(None, (*words, *c.notes, *c.gaps, blind, c.beyond.why))))


def _blind_unknown(c: Comparison) -> bool:
    """Whether rows say nothing of trivial predictions: published ones, of numbers, do not."""
    return c.chance is None and c.against is None


def _kind(code: str) -> str:
    found, detail = caution_of(brief(code))
    return found.kind.lower() if found and found.kind and not detail else code


def _of_labels(report: Report) -> Iterator[Caveat]:
    known = [(*caution_of(code), code) for code in report.labels]
    for caution in Caution:
        for found, detail, _ in known:
            if found is caution and caution.kind:
                yield Caveat(caution.kind, caution.said(detail))
    for found, _, code in known:
        if found is None:
            yield Caveat("LABEL", code)  # of a later version, or a stranger's: never in silence


def _of_marks(report: Report) -> Iterator[Caveat]:
    """Weights that come with marks of whole windows: what marks cannot show is unknown."""
    rows = (row for cell in report.cells for pair in cell.pairs for row in pair)
    told = (one for row in rows for one in row.overlap if is_given(one.source) and not one.unknown)
    names = dict.fromkeys(one.source for one in told if one.moved is None)
    if names:
        yield Caveat(
            "COPIES NOT EXCLUDED",
            f"the weights of {', '.join(names)} come with marks of their training windows, not "
            "with the windows: exact copies of test windows would be found, shifted, cut or "
            "resampled ones would not.",
        )


def _of_gaps(report: Report) -> Iterator[Caveat]:
    if report.failures:
        yield Caveat("FAILED RUNS", f"{len(report.failures)} run(s) failed.")
    if report.gaps:
        yield Caveat("INCOMPLETE", f"{len(report.gaps)} arm(s) of pairs are missing or failed.")
    shared = [data for data, proof in report.splits.items() if proof.get("shared_groups")]
    if shared and Caution.LEAKY not in report.labels:
        text = f"between parts of: {', '.join(shared)} (split in time)."
        yield Caveat("GROUPS SHARED", text)


def _of_origins(report: Report) -> Iterator[Caveat]:
    """Rows that somebody else made are told of, whatever was checked when they came."""
    if report.origins:
        total = sum(count for _, count in report.origins)
        named = ", ".join(f"{count} from {origin}" for origin, count in report.origins)
        text = f"{total} row(s) were made elsewhere and checked by reading: {named}."
        yield Caveat("MERGED", text)


def _of_notes(report: Report) -> Iterator[Caveat]:
    notes: dict[str, list[str]] = {}
    for c, cell in zip(report.comparisons, report.cells, strict=True):
        counted = alarms(cell)
        for note in c.notes:
            if note not in counted:
                notes.setdefault(note, []).append(name(c))
    for note in sorted(notes, key=lambda note: note not in KINDS):
        yield Caveat(KINDS.get(note, "NOTE"), note, tuple(notes[note]))


def _of_chance(report: Report) -> Iterator[Caveat]:
    """Runs that learned nothing, counted by arm: details are in each comparison."""
    unknown = tuple(name(c) for c in report.comparisons if _blind_unknown(c))
    if unknown:
        yield Caveat("NO TRIVIAL SCORE", f"{UNKNOWN}: they count as valid.", unknown)
    for kind, text, bad in COUNTED:
        found: dict[str, list[str]] = {"scratch": [], "transfer": []}  # a name for each such run
        for c, cell in zip(report.comparisons, report.cells, strict=True):
            for arm, names in enumerate(found.values()):
                names += [name(c) for pair in cell.pairs if bad(pair[arm])]
        total = sum(len(cell.pairs) for cell in report.cells)
        parts = [f"{len(names):,} of {total:,} with {arm}" for arm, names in found.items() if names]
        if parts:
            where = tuple(dict.fromkeys(n for names in found.values() for n in names))
            yield Caveat(kind, f"{text}: {', '.join(parts)}.", where)
