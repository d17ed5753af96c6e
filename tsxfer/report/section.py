"""What a section of a report is: a titled table of texts, the same in every format."""

from __future__ import annotations

from dataclasses import dataclass

from tsxfer.report.columns import model
from tsxfer.stats.compare import Comparison


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table.

    Attributes:
        title: Heading.
        lead: What it says and how to read it.
        header: Column titles.
        rows: Cells as text, as many as there are titles.
    """

    title: str
    lead: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def name(c: Comparison) -> str:
    """What a comparison is called in a sentence or a row."""
    return f"{c.source} → {c.trial.dataset}, {model(c)}, {c.trial.size.removeprefix('n=')}"
