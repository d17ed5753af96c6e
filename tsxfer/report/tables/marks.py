"""Verdicts as marks by source and target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tsxfer.core.sizes import as_written, in_words
from tsxfer.report.columns import MARKS, model, signed
from tsxfer.report.section import Section
from tsxfer.stats.compare import Comparison


def verdict_matrix(comparisons: Sequence[Comparison]) -> list[Section]:
    """Marks by source and target, a table for each model and size."""
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for c in comparisons:
        groups.setdefault((model(c), as_written(c.trial.size)), []).append(c)
    return [_marks(f"{m}, {in_words(size)}", group) for (m, size), group in groups.items()]


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
