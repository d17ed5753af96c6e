"""The study's conclusions as claims, each decided from rows after the gates, none by hand.

A claim is decided on pairs of source and target with a valid baseline: scratch above chance and
trained on the same loss. It must hold in every view, that is for the multiplier chosen without the
run's own test score as well as for plain fine-tuning. Three kinds of claim need three rules:

* "mostly": supported if most pairs are significantly better in every view, contradicted if at
  least as many are worse as better in every view;
* "hardly ever harms": supported if every cell is better or not worse by more than its margin,
  contradicted if more than one in twenty is significantly worse in every view;
* "there is": supported if one test of a corrected family rejects in every view, contradicted if
  all reject the other way.

All else is undecided. Tests are conditional on the pretrained source weights, of which the study
used one a source and model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tsxfer.paper.evidence import Evidence, Finding, Verdict
from tsxfer.paper.excess import gains_more
from tsxfer.paper.factors import models_matter, multipliers_matter, sizes_matter, sources_matter
from tsxfer.paper.mostly import (
    anywhere,
    global_to_local,
    hardly_harms,
    hardly_slows,
    mostly_better,
    mostly_faster,
    reverse,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A conclusion of the study with what the rows say of it.

    Attributes:
        name: Short, for tables.
        says: The conclusion in one sentence.
        origin: Where the study draws it.
        verdict: One of three.
        figures: What decides it, one line a view.
        why: One sentence.
    """

    name: str
    says: str
    origin: str
    verdict: Verdict
    figures: tuple[str, ...]
    why: str


def check_claims(found: Evidence) -> list[Claim]:
    """Every conclusion of the study with its verdict."""
    return [
        Claim(name, says, origin, finding.verdict, finding.figures, finding.why)
        for name, says, origin, decide in CLAIMS
        for finding in (decide(found),)
    ]


ABSTRACT, EGU = "abstract", "EGU abstract (from memory)"


CLAIMS: tuple[tuple[str, str, str, Callable[[Evidence], Finding]], ...] = (
    (
        "raises",
        "Transfer very likely raises performance.",
        ABSTRACT,
        lambda found: mostly_better(found, anywhere),
    ),
    ("harmless", "Or at least it does not harm performance.", ABSTRACT, hardly_harms),
    (
        "faster",
        "Transfer very likely raises the rate of convergence.",
        ABSTRACT,
        lambda found: mostly_faster(found, anywhere),
    ),
    ("not slower", "Or at least it does not harm convergence.", ABSTRACT, hardly_slows),
    (
        "global to local",
        "Global earthquakes help local ones.",
        EGU,
        lambda found: mostly_better(found, global_to_local),
    ),
    (
        "global to local, faster",
        "And they speed up training there.",
        EGU,
        lambda found: mostly_faster(found, global_to_local),
    ),
    ("local to global", "Sometimes the reverse helps too.", EGU, reverse),
    (
        "speech gains more",
        "Speech as target gains more than seismology inside itself.",
        EGU,
        gains_more("speech"),
    ),
    ("medicine gains more", "So does medicine (EMG).", EGU, gains_more("medicine")),
    ("finance gains more", "So does finance (S&P 500).", EGU, gains_more("finance")),
    ("source matters", "Source and target differ in how well they fit.", ABSTRACT, sources_matter),
    ("size matters", "The size of the target set matters.", ABSTRACT, sizes_matter),
    ("model matters", "The model matters.", ABSTRACT, models_matter),
    (
        "multiplier matters",
        "Hyper-parameters matter (here the rate of copied layers).",
        ABSTRACT,
        multipliers_matter,
    ),
)
