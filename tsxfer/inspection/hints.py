"""What should make the owner of a data set look twice, in words, the worst first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tsxfer.core.cautions import Caution
from tsxfer.core.specs import PROFILES
from tsxfer.data.prepare import Prepared
from tsxfer.data.suspects import suspects_of
from tsxfer.data.task import parts_of
from tsxfer.errors import DataError
from tsxfer.inspection.facts import Facts
from tsxfer.stats.scope import FEWEST_GROUPS

RARE = 0.02  # share of the windows below which a class is hard to learn and to score


def hints(made: Prepared, facts: Facts) -> list[str]:
    """Sentences on what the numbers of `facts` mean for a study.

    Args:
        made: The prepared data.
        facts: Of it.
    """
    leaks = [one.words for one in suspects_of(made)]
    of_facts = (*_of_signal(facts), *_of_groups(made, facts), *_of_classes(facts))
    said = [one for one in made.card.warnings if one != Caution.OFFICIAL]  # a note tells it
    return [*said, *leaks, *of_facts]


def test_groups(made: Prepared) -> int | None:
    """Groups in the test part of the strict profile; None where the data cannot be split so."""
    group = np.asarray(made.array("group"))
    try:
        parts = parts_of(made, PROFILES["strict"])
    except DataError:
        return None
    return len(np.unique(group[parts.test]))


def _of_signal(facts: Facts) -> Iterator[str]:
    if facts.across:
        yield (
            f"{facts.across:,} window(s) equal one of another group: "
            "the split cannot keep them apart"
        )
    elif facts.twice:
        yield f"{facts.twice:,} window(s) occur twice, within their groups"
    if facts.torn:
        yield f"{facts.torn:,} window(s) occur twice with different labels: which one is right?"
    if facts.flat:
        yield f"{facts.flat:,} window(s) are flat: all channels are constant"
    if facts.dead:
        yield f"{facts.dead:,} window(s) have a constant channel: a sensor that was off?"
    if facts.padded:
        share = facts.padded / facts.windows
        yield f"{facts.padded:,} window(s) ({share:.0%}) end in one repeated value: padding?"


def _of_groups(made: Prepared, facts: Facts) -> Iterator[str]:
    count = test_groups(made)
    if count is None:
        yield (
            f"{len(facts.groups)} group(s) of {made.card.group} cannot be split into three parts "
            "that share none: `tsxfer run` will refuse"
        )
    elif count < FEWEST_GROUPS and len(facts.groups) < facts.windows:
        yield (
            f"{count} of {len(facts.groups)} groups ({made.card.group}) are for the test: with "
            f"fewer than {FEWEST_GROUPS}, nothing can be said of new ones"
        )
    largest = max(facts.groups.values())
    if len(facts.groups) > 1 and largest > facts.windows / 2:
        yield f"one group holds {largest / facts.windows:.0%} of the windows"


def _of_classes(facts: Facts) -> Iterator[str]:
    for name, count in facts.classes.items():
        if facts.groups_of_class[name] == 1 and len(facts.groups) < facts.windows:
            yield f"class {name} is in one group only: it cannot be learned and tested"
        elif count < RARE * facts.windows:
            yield f"class {name} is rare: {count:,} of {facts.windows:,} windows"
