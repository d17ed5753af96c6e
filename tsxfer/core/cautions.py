"""What a row warns of: every code that the framework writes, with the words that reports say it in.

Codes travel with rows as plain text. A data set's card may add its own; what is not known here is
told as it stands, so that nothing passes in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

DETAIL = ": "  # between a code and what it says of this data set


class Caution(StrEnum):
    """A warning by its code; `words` is the sentence of a report, "" where a table tells it."""

    words: str

    def __new__(cls, code: str, words: str) -> Caution:
        """A member that is its code, wherever text is wanted."""
        member = str.__new__(cls, code)
        member._value_, member.words = code, words
        return member

    SIMULATED = (
        "simulated",
        "SIMULATED DATA: these numbers say nothing about the real world.",
    )
    LEAKY = (
        "leaky split",
        "LEAKY SPLIT: the paper profile lets one event, speaker or subject be on both sides.",
    )
    FREE_LABELS = (
        "free validation labels",
        "FREE LABELS: sizes leave out the validation labels that chose checkpoints.",
    )
    SQUARED_SCRATCH = (
        "squared-error scratch",
        "UNEQUAL LOSS: scratch classifiers minimised squared error (study, section 6.3).",
    )
    UNGROUPED = (
        "no groups given: leakage not excluded",
        "LEAKAGE NOT EXCLUDED: no groups were given, so windows of one person, machine or event "
        "may be on both sides; name them with --group.",
    )
    OFFICIAL = (
        "official split",
        "OFFICIAL SPLIT: scored on the test part that the data's publishers set aside, for every "
        "profile; validation comes from their train part.",
    )
    PUBLISHED = (
        "published",
        "PUBLISHED ROWS: made by the authors of Otović et al. 2022, not by tsxfer.",
    )
    CHOSEN_ON_TEST = (
        "chosen on test",
        "CHOSEN ON TEST: each fine-tuning is the best of its grid by the test score that it is "
        "judged by, which scratch had one try at; `--multiplier leave-one-out` or a number does "
        "not.",
    )
    CURVE_ON_TEST = (
        "curve on test",
        "TEST CURVES: convergence below is measured on the test set.",
    )
    SAW_TEST = (
        "source saw test data",
        "OVERLAP: a source has learned from windows, groups or events of the target's test part, "
        "so that its gain is no transfer.",
    )
    SHARED_NAMES = (
        "source and target share group names",
        "SHARED NAMES: groups of source and test have the same names (such as p1); if they are the "
        "same people or machines, take them out of the source.",
    )
    NEAR_DUPLICATES = (
        "near duplicates in train and test",
        "NEAR DUPLICATES: windows of the test part are those of the training part up to a factor, "
        "an offset or a little noise.",
    )
    ONE_VALUE = (
        "label predictable from one value",
        "ONE VALUE PREDICTS THE LABEL: a single sample, the peak or the padding nearly tells the "
        "label (`tsxfer look` says which); if that is no physics, it is a leak.",
    )
    SPELLING = (
        "group names that differ in spelling alone",
        "SPELLING: names of groups on both sides differ in case or spaces alone, such as p1 and "
        "P1; if they are one, leakage is not excluded.",
    )
    EXPLORATORY = (
        "exploratory",
        "EXPLORATORY: some comparisons lie outside of the analysis that was declared before the "
        "first row.",
    )
    INCOMPLETE = ("incomplete data", "Incomplete data: {detail}.")
    SHUFFLED = ("shuffled labels", "")  # the control is named in its source
    NOISE = ("random noise", "")  # likewise
    WEIGHTS = ("foundation weights", "")  # the baseline's row names the file

    def of(self, detail: str) -> str:
        """The code with what it says of this data set."""
        return f"{self.value}{DETAIL}{detail}"


_BY_CODE = {caution.value: caution for caution in Caution}


def sentences(codes: Iterable[str]) -> list[str]:
    """What a reader is told of these codes: known ones in a fixed order, others as they stand."""
    given = list(dict.fromkeys(map(str, codes)))
    plain = [c.words for c in Caution if c.words and c.value in given]
    return plain + [told for code in given if code not in _BY_CODE and (told := _detailed(code))]


def _detailed(code: str) -> str:
    known, _, detail = code.partition(DETAIL)
    caution = _BY_CODE.get(known)
    if caution is None or not detail:
        return f"WARNING of the data or of another version of tsxfer: {code}."
    return caution.words.format(detail=detail)
