"""A part of a data set never passes for the whole."""

from __future__ import annotations

import numpy as np

from tsxfer.data import Whole
from tsxfer.data.whole import lacking

COLUMNS = {
    "y": np.zeros(90),
    "group": np.array([f"s{n % 9}" for n in range(90)]),
    "start": np.full(90, np.nan),
    "end": np.full(90, np.nan),
}


def test_what_is_missing_is_counted() -> None:
    """Instances, groups and classes are held against what the card declares."""
    whole = Whole(instances=1000, groups=10, classes=3)
    said = lacking(whole, COLUMNS, ["a", "b"], "subject")
    assert said == "90 of 1,000 instances, 9 of 10 groups (subject), 2 of 3 classes"


def test_nothing_is_said_of_the_whole_or_of_what_is_not_declared() -> None:
    """A whole data set, a few windows less, and a card without numbers are silent."""
    assert lacking(Whole(instances=91, groups=9, classes=2), COLUMNS, ["a", "b"], "subject") == ""
    assert lacking(None, COLUMNS, [], "subject") == ""
    assert lacking(Whole(span=("2000-01-01", "2001-01-01")), COLUMNS, [], "subject") == ""


def test_a_span_is_measured_in_days() -> None:
    """Times since 1970 tell where a series begins and ends."""
    seconds = np.arange(90) * 86400.0
    timed = COLUMNS | {"start": seconds, "end": seconds}
    said = lacking(Whole(span=("1970-01-01", "1971-01-01")), timed, [], "year")
    assert said == "to 1970-03-31, not 1971-01-01"
