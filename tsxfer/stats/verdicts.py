"""One of eight verdicts, from corrected p values.

``did not train``: worse, but at least half of the transfer runs never left their start, so that
nothing was measured of what they had copied (`tsxfer.core.seen.Learned.stuck`).
"""

from __future__ import annotations

from typing import Literal

Verdict = Literal[
    "better",
    "not worse",
    "equivalent",
    "worse",
    "did not train",
    "undecided",
    "interim",
    "no valid baseline",
]
LEVEL = 0.05
FEWEST = 3  # pairs below which nothing is decided


def decide(
    difference: float,
    corrected: float | None,
    equivalent: float | None,
    not_worse: float | None,
) -> Verdict:
    """Better or worse by the corrected test, else equivalent, else not worse, else undecided.

    Args:
        difference: Mean oriented difference.
        corrected: Two-sided p of "no difference", corrected; None where nothing could be tested.
        equivalent: Of equivalence (TOST), corrected.
        not_worse: Of non-inferiority, corrected.
    """
    if corrected is None:
        return "undecided"
    if corrected < LEVEL:
        return "better" if difference > 0 else "worse"
    if equivalent is not None and equivalent < LEVEL:
        return "equivalent"
    if not_worse is not None and not_worse < LEVEL:
        return "not worse"
    return "undecided"
