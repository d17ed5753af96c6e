"""The warnings that a row must carry, told from what it is made of."""

from __future__ import annotations

from collections.abc import Iterable

from tsxfer.core.cautions import Caution
from tsxfer.core.names import is_simulated
from tsxfer.core.results import Overlap
from tsxfer.core.specs import PROFILES, Trial
from tsxfer.data import overlap


def expected(
    trial: Trial,
    of_card: Iterable[str],
    shared: Iterable[Overlap] = (),
    of_weights: Iterable[str] = (),
) -> tuple[str, ...]:
    """What a reader must know of a row: made data, faults of its protocol, what a source has seen.

    Args:
        trial: Of the row.
        of_card: Warnings of the data set's card.
        shared: Overlaps of the row.
        of_weights: Warnings of weights made elsewhere that it starts from.
    """
    made = [Caution.SIMULATED] if any(map(is_simulated, trial.datasets)) else []
    squared = trial.recipe.loss == "squared" or (trial.reuse and trial.reuse.twin_loss == "squared")
    unequal = [Caution.SQUARED_SCRATCH] if squared else []
    shuffled = [Caution.SHUFFLED] if trial.recipe.labels == "shuffled" else []
    unseen = [Caution.ZERO_SHOT] if trial.zero_shot else []
    seen = overlap.labels_of(shared, trial.dataset)
    start = tuple(dict.fromkeys((*made, *of_weights)))
    return (
        *start,
        *PROFILES[trial.profile].warnings,
        *unequal,
        *shuffled,
        *unseen,
        *of_card,
        *seen,
    )
