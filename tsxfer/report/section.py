"""What a section of a report is: a titled table of texts, the same in every format."""

from __future__ import annotations

from dataclasses import dataclass

from tsxfer.core.sizes import as_written
from tsxfer.report.columns import model
from tsxfer.stats.compare import Comparison

ITS_OWN = "It holds for whom the column 'for' names."


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table.

    Attributes:
        title: Heading.
        lead: What it says and how to read it.
        header: Column titles.
        rows: Cells as text, as many as there are titles.
        speaks_of: A sentence on whom it holds for; every format shows it, the terminal too, which
            has no room for leads. Empty where nothing is inferred.
    """

    title: str
    lead: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    speaks_of: str = ""

    @property
    def told(self) -> str:
        """Lead and scope."""
        return f"{self.lead} {self.speaks_of}".strip()


def name(c: Comparison) -> str:
    """What a comparison is called in a sentence or a row."""
    return f"{c.source} → {c.trial.dataset}, {model(c)}, {as_written(c.trial.size)}"
