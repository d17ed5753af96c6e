"""What was found in result sets, as text: comparisons of two, boards, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from tsxfer import __version__
from tsxfer.core.results import Result
from tsxfer.exchange.board import FEWEST_TARGETS, Board, Entry
from tsxfer.exchange.comparing import Changed, Compared, Drift
from tsxfer.exchange.merging import Merged
from tsxfer.exchange.sets import Part, ResultSet

NOUNS = {"Sources": "source", "Strategies": "strategy", "Models": "model"}
MOST = 20  # lines of one kind; --json has all


def of_merge(merged: Merged, origin: str) -> str:
    """One line on a study."""
    rest = [
        f"{merged.same} were here already" if merged.same else "",
        f"{merged.close} agree with rows that are here and stay" if merged.close else "",
    ]
    kept = "".join(f"; {words}" for words in rest if words)
    return (
        f"{merged.study}: {merged.added} row(s) added from {origin}{kept}; "
        f"{merged.done} of {merged.trials} trials are done"
    )


def of_unbound(found: ResultSet) -> Iterator[str]:
    """How many scores no reading can check, since their predictions did not come along."""
    done = [(part, row) for part in found.parts for row in part.rows if row.status == "done"]
    loose = [row for part, row in done if not _bound(part, row)]
    if not loose:
        return
    last = max(loose, key=lambda row: row.trial.reuse is not None)  # no pretraining, if there is
    them = "these" if len(loose) == len(done) else f"{len(loose)} of these"
    yield (
        f"no predictions came along for {them} {len(done)} row(s) (pretrainings keep none), whose "
        f"scores are taken as they are; to check one, train it again: tsxfer reproduce {last.key}"
    )


def _bound(part: Part, row: Result) -> bool:
    return part.predictions is not None and (part.predictions / f"{row.key}.npz").is_file()


def of_unknown(found: ResultSet) -> Iterator[str]:
    """Fields of a later version, or of somebody's own, that rows lose in a merge."""
    counts = sum((Counter(part.unknown) for part in found.parts), Counter[str]())
    if counts:
        named = ", ".join(f"{name} ({count} row(s))" for name, count in sorted(counts.items()))
        yield (
            f"left out, since tsxfer {__version__} does not know them: {named}; your copy of "
            f"{found.name} still has them. If a later tsxfer wrote it: python -m pip install -U "
            "tsxfer, then merge into a new --workspace"
        )


def of_compared(found: Compared) -> Iterator[str]:
    """Lines on two sets, the worst first."""
    yield f"A is {found.first}, B is {found.second}; differences are B minus A, positive is better"
    yield (
        f"rows: {found.both} under the same key ({found.identical} identical, {found.close} within "
        f"tolerance, {len(found.disagree)} disagree); {found.rekeyed} of other versions or recipes "
        f"paired by what they are; {sum(found.only_first.values())} only in A, "
        f"{sum(found.only_second.values())} only in B"
    )
    yield from _some("disagree on the same key:", list(found.disagree))
    if found.fields:
        named = ", ".join(f"{name} {count}" for name, count in found.fields.items())
        yield f"fields that differ under the same key, with rows: {named}"
    yield from _some("only in A:", _counts(found.only_first))
    yield from _some("only in B:", _counts(found.only_second))
    yield from _some("scores that moved:", [_drift(drift) for drift in found.drifts])
    yield from _some("verdicts that changed:", [_changed(one) for one in found.changed])
    yield f"verdicts: {found.verdicts} comparisons in both, {len(found.changed)} changed"


def _some(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield title
        yield from (f"  {line}" for line in lines[:MOST])
        if len(lines) > MOST:
            yield f"  and {len(lines) - MOST} more; --json has all"


def _counts(found: Mapping[str, int]) -> list[str]:
    return [f"{count} × {what}" for what, count in found.items()]


def _drift(drift: Drift) -> str:
    ends = "" if drift.low is None else f" [{drift.low:+.4g}, {drift.high:+.4g}]"
    return (
        f"{drift.what}: {drift.metric} {drift.mean:+.4g}{ends}, {drift.moved} of {drift.n} moved, "
        f"largest {drift.largest:.3g} (margin {drift.margin:g})"
    )


def _changed(one: Changed) -> str:
    sides = [
        f"{c.verdict} ({c.difference:+.4g}{_ends(c.low, c.high)}, n={len(c.repeats)})"
        for c in (one.first, one.second)
    ]
    return f"{one.what}: {sides[0]}, then {sides[1]}"


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{low:+.4g}, {high:+.4g}]"


def board_markdown(board: Board) -> str:
    """A board as a table in Markdown."""
    controls = list(dict.fromkeys(name for entry in board.entries for name in entry.beyond))
    head = ["rank", NOUNS[board.title], "targets", "cells", "mean", "95 % interval"]
    head += [f"beyond {name}" for name in controls]
    lines = [head, ["---"] * len(head), *(_line(entry, controls) for entry in board.entries)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    said = [f"Values: {board.unit}.", *_warnings(board)]
    return f"## {board.title}\n\n{' '.join(said)}\n\n{table}\n"


def _line(entry: Entry, controls: list[str]) -> list[str]:
    sure = "" if entry.best is None else f" [{entry.best}, {entry.worst}]"
    ends = "n/a" if entry.low is None else f"{entry.low:+.3f} to {entry.high:+.3f}"
    beyond = [f"{entry.beyond[n]:+.3f}" if n in entry.beyond else "" for n in controls]
    first = [f"{entry.rank}{sure}", entry.name, str(entry.targets), str(entry.cells)]
    return [*first, f"{entry.mean:+.3f}", ends, *beyond]


def _warnings(board: Board) -> Iterator[str]:
    if len(board.entries) == 1:
        yield "One alone has rows: there is nothing to rank."
    if any(entry.best is None for entry in board.entries):
        yield (
            f"Below {FEWEST_TARGETS} targets there is no interval: the order may be another on the "
            "next target."
        )
