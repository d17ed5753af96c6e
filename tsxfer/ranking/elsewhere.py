"""Weights that were made elsewhere as sources to rank: a card tells less of them than a row does.

Their own head did not come along, and neither did the windows that they learned from, so rankers
that ask for these are not defined.
"""

from __future__ import annotations

from dataclasses import dataclass

from tsxfer.core.names import DatasetName
from tsxfer.core.specs import Trial
from tsxfer.data import catalogue
from tsxfer.errors import TsxferError
from tsxfer.store.given import Given
from tsxfer.store.workspace import Workspace
from tsxfer.zoo import shelf


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Weights made elsewhere; of several trainings the first, as others are ranked by one too.

    Attributes:
        card: What is known of them.
        model: Backbone that starts from them.
    """

    card: Given
    model: str

    @property
    def row(self) -> None:
        """No trial of this workspace made them."""

    @property
    def trial(self) -> Trial:
        """What a transfer names as its source."""
        return Trial(self.card.name, self.model, "all", 0)

    @property
    def simulated(self) -> bool:
        """Whether simulated data made them, in part at least."""
        return self.card.simulated


def of_zoo(target: str, model: str, workspace: Workspace) -> list[Elsewhere]:
    """What the zoo has of a backbone without a download, for a real target of another corpus."""
    base = DatasetName.parse(target).base
    there = [e for e in shelf.entries().values() if e.dataset != base]
    return [
        Elsewhere(shelf.bring(entry, [model], workspace)[0], model)
        for entry in there
        if shelf.here(entry, model, workspace)
    ]


def label_count(name: str) -> int | None:
    """Labels of training and validation; None where nobody has said it."""
    if not shelf.is_zoo(name):
        return None
    counts = shelf.find(name).counts
    return counts.get("train", 0) + counts.get("validation", 0)


def same_domain(card: Given, domain: str, workspace: Workspace) -> bool | None:
    """Whether weights have learned from a domain; None where that is not known."""
    found = [_domain(name, workspace) for name in card.trained_on]
    if domain in found:
        return True
    return None if not found or "" in found else False


def _domain(name: str, workspace: Workspace) -> str:
    try:
        return catalogue.find(name, workspace).card.domain
    except TsxferError:
        return ""  # a word that means no data set here
