"""What a row warns of: every code that the framework writes, with the words that reports say it in.

Codes travel with rows as plain text. A data set's card may add its own; reports tell what is not
known here as it stands, so that nothing passes in silence.
"""

from __future__ import annotations

from enum import StrEnum

DETAIL = ": "  # between a code and what it says of this data set


class Caution(StrEnum):
    """A warning by its code, the worst first.

    Attributes:
        kind: What it is called, in capitals.
        text: What is wrong, in a sentence; "" where a table of the report tells it.
    """

    kind: str
    text: str

    def __new__(cls, code: str, kind: str = "", text: str = "") -> Caution:
        """A member that is its code, wherever text is wanted."""
        member = str.__new__(cls, code)
        member._value_, member.kind, member.text = code, kind, text
        return member

    SIMULATED = (
        "simulated",
        "SIMULATED DATA",
        "these numbers say nothing about the real world.",
    )
    SAW_TEST = (
        "source saw test data",
        "OVERLAP",
        "a source has learned from windows, groups or events of the target's test part, so that "
        "its gain is no transfer.",
    )
    PRETRAINED = (
        "pretrained elsewhere",
        "PRETRAINED ELSEWHERE",
        "{detail}.",
    )
    UNKNOWN_OVERLAP = (
        "overlap with pretraining not excluded",
        "OVERLAP NOT EXCLUDED",
        "what {detail} has learned from is not stated, or is not here to be compared, so it is "
        "unknown whether it has seen test windows of the target.",
    )
    LEAKY = (
        "leaky split",
        "LEAKY SPLIT",
        "the paper profile lets one event, speaker or subject be on both sides.",
    )
    NEAR_DUPLICATES = (
        "near duplicates in train and test",
        "NEAR DUPLICATES",
        "windows of the test part are those of the training part up to a factor, an offset, a "
        "little noise or a shift in time.",
    )
    ONE_VALUE = (
        "label predictable from one value",
        "ONE VALUE PREDICTS THE LABEL",
        "a single sample, the peak or the padding nearly tells the label (`tsxfer look` says "
        "which); if that is no physics, it is a leak.",
    )
    UNGROUPED = (
        "no groups given: leakage not excluded",
        "LEAKAGE NOT EXCLUDED",
        "no groups were given, so windows of one person, machine or event may be on both sides; "
        "name them with --group.",
    )
    SPELLING = (
        "group names that differ in spelling alone",
        "SPELLING",
        "names of groups on both sides differ in case or spaces alone, such as p1 and P1; if "
        "they are one, leakage is not excluded.",
    )
    SHARED_NAMES = (
        "source and target share group names",
        "SHARED NAMES",
        "groups of source and test have the same names (such as p1); if they are the same "
        "people or machines, take them out of the source.",
    )
    CHOSEN_ON_TEST = (
        "chosen on test",
        "CHOSEN ON TEST",
        "each fine-tuning is the best of its grid by the test score that it is judged by, which "
        "scratch had one try at; `--multiplier leave-one-out` or a number does not.",
    )
    SQUARED_SCRATCH = (
        "squared-error scratch",
        "UNEQUAL LOSS",
        "scratch classifiers minimised squared error (study, section 6.3).",
    )
    FREE_LABELS = (
        "free validation labels",
        "FREE LABELS",
        "sizes leave out the validation labels that chose checkpoints.",
    )
    CURVE_ON_TEST = (
        "curve on test",
        "TEST CURVES",
        "convergence below is measured on the test set.",
    )
    EXPLORATORY = (
        "exploratory",
        "EXPLORATORY",
        "some comparisons lie outside of the analysis that was declared before the first row.",
    )
    PUBLISHED = (
        "published",
        "PUBLISHED ROWS",
        "made by the authors of Otović et al. 2022, not by tsxfer.",
    )
    OFFICIAL = (
        "official split",
        "OFFICIAL SPLIT",
        "scored on the test part that the data's publishers set aside, for every profile; "
        "validation comes from their train part.",
    )
    INCOMPLETE = ("incomplete data", "INCOMPLETE DATA", "{detail}.")
    ZERO_SHOT = (
        "zero-shot",
        "ZERO-SHOT",
        "rows of zero_shot use no label of the target: the size beside them is that of the scratch "
        "runs that they are compared with.",
    )
    SHUFFLED = ("shuffled labels",)  # a control, named in its source
    NOISE = ("random noise",)  # likewise
    WEIGHTS = ("foundation weights",)  # provenance of a baseline, told where it is compared

    def of(self, detail: str) -> str:
        """The code with what it says of this data set."""
        return f"{self.value}{DETAIL}{detail}"

    def said(self, detail: str) -> str:
        """Its sentence, with a detail where it has a place for one."""
        return self.text.format(detail=detail or self.value)


_BY_CODE = {caution.value: caution for caution in Caution}


def caution_of(code: str) -> tuple[Caution | None, str]:
    """The caution that a code of a row means, and its detail; None for one that is not known."""
    if code in _BY_CODE:
        return _BY_CODE[code], ""
    known, _, detail = code.partition(DETAIL)
    return (_BY_CODE[known], detail) if detail and known in _BY_CODE else (None, "")


def brief(code: str) -> str:
    """A code for a cell of a table: of weights, what they learned from is told above it."""
    found, _ = caution_of(code)
    return found.value if found in (Caution.PRETRAINED, Caution.UNKNOWN_OVERLAP) else code
