"""Splits and subsets: disjoint, nested, and drawn from nothing but their names."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tsxfer.core.specs import PROFILES
from tsxfer.data import rules, split
from tsxfer.data.rules import Instances
from tsxfer.errors import DataError

STRICT, PAPER = PROFILES["strict"], PROFILES["paper"]


def partition(group, start, end, labels, profile, rule, name, part=None):
    """The rule's partition of instances with these facts."""
    known = Instances(
        dataset=name,
        group=group,
        start=start,
        end=end,
        labels=labels,
        part=part,
        shares=profile.shares,
        grouped=profile.grouped,
    )
    return rules.partition(known, profile, rule)


def _split(group: np.ndarray, profile=STRICT, rule="grouped", labels=None, name="toy@1"):
    time = np.arange(len(group), dtype=float)
    return partition(group, time, time + 5, labels, profile, rule, name)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=60, max_size=300), st.integers(0, 1000))
def test_groups_stay_on_one_side(members: list[int], salt: int) -> None:
    """No group is in two parts, and every instance is in exactly one."""
    group = np.array([f"g{m}" for m in members])
    assume(len(set(members)) >= 3)
    parts = _split(group, name=f"toy{salt}@1")
    assert parts.proof(group)["shared_groups"] == 0
    assert sorted(np.concatenate([parts.train, parts.validation, parts.test])) == list(
        range(len(group))
    )


def test_parts_have_about_their_shares() -> None:
    """With many small groups the parts come within two per cent of 60, 20 and 20."""
    parts = _split(np.repeat(np.arange(500).astype(str), 10))
    shares = [len(p) / 5000 for p in (parts.train, parts.validation, parts.test)]
    assert np.allclose(shares, (0.6, 0.2, 0.2), atol=0.02)


def test_too_few_groups_are_refused() -> None:
    """Two groups cannot fill three parts."""
    with pytest.raises(DataError, match="2 group"):
        _split(np.array(["a", "b"] * 20))


def test_a_split_in_time_lets_nothing_look_ahead() -> None:
    """What a training instance has seen ends before validation starts, and so on."""
    time = np.arange(100.0)
    parts = partition(time.astype(str), time, time + 5, None, STRICT, "time", "toy@1")
    assert (time[parts.train] + 5).max() < time[parts.validation].min()
    assert (time[parts.validation] + 5).max() < time[parts.test].min()
    assert parts.purged == 10


def test_a_split_in_time_needs_times() -> None:
    """Unknown times are an error, not a random split."""
    unknown = np.full(10, np.nan)
    with pytest.raises(DataError, match="no time"):
        partition(unknown.astype(str), unknown, unknown, None, STRICT, "time", "toy@1")


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(10, 300), st.integers(0, 300))
def test_small_subsets_lie_inside_large_ones(repeat: int, small: int, more: int) -> None:
    """A smaller budget's labels are all among a larger one's, in training and validation."""
    labels = np.tile(np.arange(5), 200)
    parts = _split(np.arange(1000).astype(str))
    a = split.subset(parts, labels, STRICT, f"n={small}", "toy@1", repeat)
    b = split.subset(parts, labels, STRICT, f"n={small + more}", "toy@1", repeat)
    assert set(a.train) <= set(b.train)
    assert set(a.validation) <= set(b.validation)
    assert len(a.train) + len(a.validation) == small


def test_subsets_keep_class_shares() -> None:
    """Every class has its share of a small subset, within one instance."""
    labels = np.repeat(np.arange(4), [400, 300, 200, 100])
    parts = _split(np.arange(1000).astype(str))
    drawn = split.subset(parts, labels, STRICT, "n=100", "toy@1", 0)
    pool = np.bincount(labels[parts.train]) / len(parts.train)
    assert np.all(np.abs(np.bincount(labels[drawn.train], minlength=4) - 80 * pool) <= 1.5)


def test_a_budget_beyond_the_data_says_what_fits() -> None:
    """The message names the largest size, and that size works."""
    parts = _split(np.arange(1000).astype(str))
    with pytest.raises(DataError, match="at most") as caught:
        split.subset(parts, None, STRICT, "n=5000", "toy@1", 0)
    fits = caught.value.mend.rsplit(" ", 1)[1]
    assert len(split.subset(parts, None, STRICT, f"n={fits}", "toy@1", 0).train) > 0


def test_the_paper_profile_leaks_groups_and_says_so() -> None:
    """The study's random split shares groups; the proof counts them and rows carry the label."""
    group = np.repeat(np.arange(50).astype(str), 10)
    assert _split(group, PAPER).proof(group)["shared_groups"] > 0
    assert "leaky split" in PAPER.warnings


def test_the_papers_subsets_do_not_nest() -> None:
    """The study drew each size anew."""
    parts = _split(np.arange(1000).astype(str), PAPER)
    small = split.subset(parts, None, PAPER, "n=100", "toy@1", 0)
    large = split.subset(parts, None, PAPER, "n=300", "toy@1", 0)
    assert not set(small.train) <= set(large.train)
    assert len(small.validation) == len(parts.validation)


@pytest.mark.parametrize("profile", [STRICT, PAPER])
@pytest.mark.parametrize("grouped", [True, False])
def test_an_official_test_part_is_kept_as_it_is(profile, grouped: bool) -> None:
    """Tests are the data's own part under every profile; the rest is split 3 to 1, groups whole."""
    part = np.where(np.arange(400) % 4 == 0, "test", "train")
    group = np.array([f"{part[i]} {i // 20 if grouped else i}" for i in range(400)])
    labels, time = np.arange(400) % 2, np.full(400, np.nan)
    parts = partition(group, time, time, labels, profile, "official", "toy@1", part)
    assert parts.test.tolist() == np.flatnonzero(part == "test").tolist()
    assert sorted([*parts.train, *parts.validation]) == np.flatnonzero(part == "train").tolist()
    assert 0.7 <= len(parts.train) / 300 <= 0.85
    proof = parts.proof(group)
    assert proof["rule"] == "official"
    assert proof["shared_groups"] == 0 or not profile.grouped


def test_an_official_split_needs_both_parts() -> None:
    """A data set that lost its parts is refused, not split at random."""
    time = np.full(40, np.nan)
    for part in (None, np.full(40, "train")):
        with pytest.raises(DataError, match="official split"):
            partition(time.astype(str), time, time, None, STRICT, "official", "toy@1", part)
