"""What verdicts for new groups will be able to find, before a study is done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsxfer.stats.beyond import detectable
from tsxfer.stats.scope import FEWEST_GROUPS, Limit, NewGroups, Part, Parts, limit


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be said of new groups at one target.

    Attributes:
        target: Versioned name.
        metric: Primary metric.
        word: What a group is.
        tested: Test groups; None where the data is not prepared.
        trained: Groups to learn from.
        shared: Groups lie on both sides of the split, so nothing can be said of new ones.
        alone: Smallest gain that endless repeats would find with 80 % power, in standard deviations
            of one group's gain; None where nothing can be said.
        measured: Finished comparisons that the rest is measured on.
        errors: Standard error of a comparison by where it comes from, at the planned repeats.
        limited_by: The largest of them.
        effect: Smallest gain that is found with 80 % power, in the unit of the metric.
    """

    target: str
    metric: str
    word: str
    tested: int | None
    trained: int | None
    shared: bool = False
    alone: float | None = None
    measured: int = 0
    errors: dict[Limit, float] | None = None
    limited_by: Limit | None = None
    effect: float | None = None

    @property
    def speaks(self) -> bool:
        """Whether verdicts will be for new groups at all."""
        return not self.shared and (self.tested or 0) >= FEWEST_GROUPS


def outlook(
    known: Outlook, repeats: int, pretrainings: int, found: Sequence[NewGroups], level: float
) -> Outlook:
    """With what can be foreseen from group counts, and from comparisons that are there.

    Args:
        known: Target and groups.
        repeats: Planned.
        pretrainings: Planned.
        found: What finished comparisons of the target say of new groups.
        level: Of a single test, as foreseen.
    """
    if not known.speaks or known.tested is None or not known.trained:
        return known
    widened = (1 + known.tested / known.trained) / known.tested
    groups: Parts = {"groups": Part(widened, known.tested - 1.0)}
    known = replace(known, alone=detectable(groups, level))
    measured = [new for new in found if new.parts]
    if not measured:
        return known
    parts = foreseen(measured, repeats, pretrainings)
    return replace(
        known,
        measured=len(measured),
        errors={name: math.sqrt(part.variance) for name, part in parts.items()},
        limited_by=limit(parts),
        effect=detectable(parts, level),
    )


def foreseen(found: Sequence[NewGroups], repeats: int, pretrainings: int) -> dict[Limit, Part]:
    """Mean variances of finished comparisons, at another number of repeats and pretrainings."""
    out: dict[Limit, Part] = {}
    planned: dict[Limit, int] = {"repeats": repeats, "pretrainings": min(pretrainings, repeats)}
    for name in ("repeats", "groups", "pretrainings"):
        parts = [new.parts[name] for new in found if new.parts and name in new.parts]
        if not parts:
            continue
        scales = [_scale(new, name, planned) for new in found if new.parts and name in new.parts]
        variance = sum(p.variance * s for p, s in zip(parts, scales, strict=True)) / len(found)
        df = float(np.median([part.df for part in parts]))
        out[name] = Part(variance, planned[name] - 1.0 if name in planned else df)
    return {name: part for name, part in out.items() if part.df > 0}


def _scale(new: NewGroups, name: Limit, planned: dict[Limit, int]) -> float:
    """How much smaller a variance gets when so many repeats or pretrainings are planned."""
    had = {"repeats": new.repeats, "pretrainings": new.pretrainings}
    return had[name] / planned[name] if name in planned else 1.0
