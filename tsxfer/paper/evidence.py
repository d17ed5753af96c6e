"""What claims are decided from: the rows after the gates, and what a decision holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tsxfer.core.names import DatasetName
from tsxfer.core.results import Result
from tsxfer.paper.effects import (
    Effect,
    View,
    view,
)
from tsxfer.paper.gates import Gates, check
from tsxfer.paper.grid import Grid, build
from tsxfer.paper.select import Rule

Verdict: TypeAlias = Literal["supported", "contradicted", "undecided"]


RULES: tuple[Rule, ...] = ("leave-one-out", 1.0)


DOMAINS = {
    "lomax": "global earthquakes",
    "global_eq": "global earthquakes",
    "lendb": "local earthquakes",
    "local_eq_ir": "local earthquakes",
    "stead": "local earthquakes",
    "local_eq": "local earthquakes",
    "speech": "speech",
    "emg": "medicine",
    "sp500": "finance",
    "finance": "finance",
}


Keep: TypeAlias = Callable[[str, str], bool]  # of source and target


@dataclass(frozen=True, slots=True)
class Evidence:
    """What claims are computed from.

    Attributes:
        grid: All rows.
        gates: What the gates found.
        views: After the gates, one a rule.
    """

    grid: Grid
    gates: Gates
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """The computed part of a claim."""

    verdict: Verdict
    figures: tuple[str, ...]
    why: str


def evidence(rows: Iterable[Result]) -> Evidence:
    """Grid, gates and views of a study's rows.

    Raises:
        ComparisonError: If there is no pair to compare.
    """
    grid = build(rows)
    gates = check(grid)
    views = tuple(
        view(grid, rule, drop=gates.drop, trusted=gates.trusted, invalid=gates.invalid)
        for rule in RULES
    )
    return Evidence(grid, gates, views)


def domain(dataset: str) -> str:
    """Domain of a data set of the study, by the first part of its versioned name."""
    return DOMAINS.get(DatasetName.parse(dataset).base, "other")


def agree(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that all views share."""
    return verdicts[0] if verdicts and len(set(verdicts)) == 1 else "undecided"


def pairs(seen: View, keep: Keep) -> list[Effect]:
    """Effects of the pairs that are kept."""
    return [e for e in seen.effects if keep(e.source, e.target)]
