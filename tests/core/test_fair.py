"""The untrained control that stands unasked: where a start differs from scratch, and only there."""

from dataclasses import replace

import pytest

from tsxfer.core.expansion import expand
from tsxfer.core.fair import smallest
from tsxfer.core.specs import Recipe
from tsxfer.core.strategy import Strategy, named
from tsxfer.core.study import Study

STUDY = Study(
    "s", ("one@1", "eight@1"), ("target@1",), sizes=("n=9000", "n=1500"), repeats=2, pretrainings=1,
    recipe=Recipe(epochs=1), channels={"one@1": 1, "eight@1": 8, "target@1": 8},
)  # fmt: skip


def _checked(study: Study) -> set[tuple[str, str, int]]:
    """Source, size and repeat of each untrained control."""
    trials = [t for t in expand(study) if t.control == "untrained"]
    assert len(trials) == len({t.key for t in trials})
    return {(t.reuse.source.dataset, t.size, t.repeat) for t in trials if t.reuse}


def test_it_stands_at_the_smallest_size_where_channels_differ() -> None:
    """One channel to eight is checked in each repeat of the smallest size, eight to eight not."""
    assert _checked(STUDY) == {("one@1", "n=1500", 0), ("one@1", "n=1500", 1)}


@pytest.mark.parametrize(
    "name", ["frozen", "probe", "lp_ft", "l2_sp", "copy+rescale", "copy+independent"]
)
def test_it_stands_where_what_is_copied_learns_otherwise(name: str) -> None:
    """With equal channels a way other than the plain copy is checked."""
    assert ("eight@1", "n=1500", 0) in _checked(replace(STUDY, strategies=(named(name),)))


def test_other_rates_are_checked_too() -> None:
    """A tenth of the rate is no scratch."""
    assert ("eight@1", "n=1500", 0) in _checked(replace(STUDY, rate_multipliers=(0.1,)))


@pytest.mark.parametrize(
    "study",
    [
        replace(STUDY, check_start=False),
        replace(STUDY, profile="paper"),
        replace(STUDY, channels={}),
    ],
)
def test_it_can_be_left_out(study: Study) -> None:
    """Not where it is switched off, not in the paper profile, not where channels are not known."""
    assert not _checked(study)


def test_asked_for_it_stands_everywhere() -> None:
    """As a named control it is beside every transfer, at every size, once."""
    found = _checked(replace(STUDY, controls=("permuted", "untrained")))
    assert len(found) == 2 * 2 * 2


def test_it_needs_no_pretraining_of_its_own() -> None:
    """All it starts from is the shape of its transfer's source."""
    with_it, without = expand(STUDY), expand(replace(STUDY, check_start=False))
    assert [t for t in with_it if t.control != "untrained"] == without


def test_budgets_of_all_kinds_are_ordered() -> None:
    """Counts come before shares, and shares before everything."""
    assert smallest(("all", "10%", "n=300")) == "n=300"
    assert smallest(("all", "10%")) == "10%"
    assert Strategy().channels == "repeat"


def test_unasked_it_costs_three_repeats() -> None:
    """A check that nobody asked for stands in the first three repeats, a named control in all."""
    many = replace(STUDY, repeats=7)
    assert {repeat for _, _, repeat in _checked(many)} == {0, 1, 2}
    asked = _checked(replace(many, controls=("untrained",)))
    assert {repeat for _, _, repeat in asked} == set(range(7))
