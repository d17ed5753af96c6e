"""What plan says of new groups, line by line."""

from dataclasses import replace

import pytest

from tsxfer.api.planning import _ahead_line, _assumed, _looks
from tsxfer.core.study import Study
from tsxfer.stats.outlook import Outlook, outlook
from tsxfer.stats.power import reach
from tsxfer.stats.scope import NewGroups, Part

KNOWN = Outlook(target="emg@1", metric="macro_f1", word="subject", tested=10, trained=30)


def _found(repeats: float, groups: float) -> NewGroups:
    parts = {"repeats": Part(repeats, 6.0), "groups": Part(groups, 9.0)}
    return NewGroups("subject", reason="", groups=10, repeats=7, pretrainings=3, parts=parts)


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (replace(KNOWN, tested=None), "not prepared yet"),
        (
            replace(KNOWN, tested=7),
            "nothing can be said of new subjects, 8 test subjects are needed",
        ),
        (replace(KNOWN, tested=7), "no number of repeats helps"),
        (replace(KNOWN, shared=True), "verdicts are for these test instances"),
        (outlook(KNOWN, 7, 3, [], 0.05), "run some, then plan again"),
        (outlook(KNOWN, 7, 3, [_found(1e-4, 1e-6)], 0.05), "more repeats help most"),
        (outlook(KNOWN, 7, 3, [_found(1e-6, 1e-4)], 0.05), "more repeats help little"),
    ],
)
def test_a_line_says_what_new_groups_allow(ahead: Outlook, says: str) -> None:
    """Unprepared, too few, shared, unmeasured and measured targets each get their words."""
    assert says in _ahead_line(ahead)


def test_more_repeats_help_where_repeats_limit() -> None:
    """Four times the repeats find smaller gains where repeats limit, and hardly where groups do."""
    for found, least, most in ((_found(1e-4, 1e-6), 0.3, 0.6), (_found(1e-6, 1e-4), 0.95, 1.0)):
        few, many = (outlook(KNOWN, n, 3, [found], 0.05).effect for n in (7, 28))
        assert few is not None
        assert many is not None
        assert least < many / few <= most


def test_plan_says_what_it_takes_for_granted() -> None:
    """The share of real effects is stated, with the power that is left where it is 5 %."""
    (line,) = _assumed(reach(7, 40, 2, 4))
    assert "30% of the comparisons really differ; if 5% do" in line
    assert "found with 56% power" in line
    assert _assumed(reach(7, 1, 1, 1)) == []


def test_looks_are_paid_for_in_plan() -> None:
    """With looks the level at the end is lower and effects are larger; without, nothing changes."""
    free, paid = reach(15, 8, 2, 4), reach(15, 8, 2, 4, looks=(5, 10))
    assert all(b.level < a.level for a, b in zip(free, paid, strict=True))
    assert all((b.effect or 0) > (a.effect or 0) for a, b in zip(free, paid, strict=True))
    assert reach(15, 8, 2, 4, looks=()) == free
    study = Study("s", ("a@1",), ("b@1",), ("tcn",), ("n=1500",), repeats=15, looks=(5, 10))
    (line,) = _looks(study, 1)
    assert "looks after 5, 10 of 15 repeats are paid for" in line
    assert "must meet 0.0463 instead of 0.0500" in line  # z = 1.993, Lan and DeMets
    assert _looks(replace(study, looks=()), 1) == []
