"""Everything a report shows, gathered from rows alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsxfer.specs import Result, Trial
from tsxfer.stats.compare import Comparison, compare
from tsxfer.stats.pairs import Cell, cells


@dataclass(frozen=True, slots=True)
class Report:
    """What renderers draw.

    Attributes:
        name: Of the study.
        comparisons: One row of the table each.
        cells: The rows behind each comparison, in the same order.
        gaps: Missing pairs, one sentence each.
        failures: Failed trials with their error.
        labels: Union of the rows' labels.
        splits: Split proof by data set.
        environment: Union of what made the rows.
        command: What runs the study again.
    """

    name: str
    comparisons: tuple[Comparison, ...]
    cells: tuple[Cell, ...]
    gaps: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    splits: dict[str, dict[str, Any]]
    environment: dict[str, tuple[str, ...]]
    command: str

    @property
    def simulated(self) -> bool:
        """Whether any number comes from simulated data."""
        return "simulated" in self.labels


def build(
    name: str, trials: Sequence[Trial], results: Mapping[str, Result], *, partial: bool = False
) -> Report:
    """Gather a report.

    Args:
        name: Of the study.
        trials: Its trials; rows of other trials are left out.
        results: Rows by key.
        partial: List gaps instead of refusing.

    Raises:
        ComparisonError: For gaps (unless `partial`) or pairs on unequal terms.
    """
    found = cells(trials, results, partial=partial)
    whole = tuple(cell for cell in found if cell.pairs)
    rows = [results[t.key] for t in trials if t.key in results]
    versions: dict[str, set[str]] = {}
    for row in rows:
        for what, value in row.environment.items():
            versions.setdefault(what, set()).add(value)
    return Report(
        name=name,
        comparisons=tuple(compare(whole)),
        cells=whole,
        gaps=tuple(gap for cell in found for gap in cell.gaps),
        failures=tuple((r.key, r.error) for r in rows if r.status == "failed"),
        labels=tuple(dict.fromkeys(label for r in rows for label in r.labels)),
        splits={r.trial.dataset: r.split for r in rows if r.split},
        environment={what: tuple(sorted(values)) for what, values in sorted(versions.items())},
        command=f"tsxfer run {name}",
    )
