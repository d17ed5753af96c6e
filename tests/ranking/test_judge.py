"""Judging of rankings against plain definitions, and what little evidence may not say."""

import itertools

import numpy as np
import pytest

from tsxfer.ranking.judge import Outcome, judge, over_targets, regret, tau
from tsxfer.ranking.rankers import known

NAMES = [ranker.name for ranker in known()]


def _outcome(target: str, gains: list[float], **scores: list[float | None]) -> Outcome:
    nothing = tuple([0.0] * len(gains))
    return Outcome(target, tuple(gains), {n: tuple(scores.get(n, nothing)) for n in NAMES})


def _tau(gains: np.ndarray, scores: np.ndarray) -> float:
    """Vigna's weighted tau by pairs: hyperbolic weights, the mean of both rankings' orders."""

    def by(first: np.ndarray, second: np.ndarray) -> float:
        place = np.empty(len(first))
        place[np.lexsort((second, first))[::-1]] = np.arange(len(first))
        sums = np.zeros(3)
        for i, j in itertools.combinations(range(len(first)), 2):
            weight = 1 / (place[i] + 1) + 1 / (place[j] + 1)
            signs = np.sign([gains[i] - gains[j], scores[i] - scores[j]])
            sums += weight * np.array([signs[0] * signs[1], signs[0] ** 2, signs[1] ** 2])
        return float(sums[0] / np.sqrt(sums[1] * sums[2]))

    return (by(gains, scores) + by(scores, gains)) / 2


def test_tau_is_vignas() -> None:
    """Pairs counted by hand give the same, with ties and without; 1, -1 and 0 where they must."""
    draw = np.random.default_rng(0)
    for _ in range(20):
        gains, scores = draw.normal(size=6), draw.integers(0, 5, 6).astype(float)
        assert tau(gains, scores) == pytest.approx(_tau(gains, scores))
    assert tau(gains, gains) == pytest.approx(1)
    assert tau(gains, -gains) == pytest.approx(-1)
    assert tau(gains, np.ones(6)) == 0


def test_regret_is_what_the_first_gives_away() -> None:
    """None for the best source; ties are averaged, as by a coin."""
    gains = np.array([1.0, 3.0, -1.0])
    assert regret(gains, np.array([0.0, 9.0, 1.0])) == 0
    assert regret(gains, np.array([0.0, 1.0, 9.0])) == 4
    assert regret(gains, np.zeros(3)) == pytest.approx(3 - 1)


def test_direction_counts() -> None:
    """A ranker for which lower is better is right when the best source has the lowest value."""
    found = {
        one.ranker: one
        for one in judge([_outcome(t, [2, 1, 0], probe=[9, 5, 1], dtw=[1, 5, 9]) for t in "abc"])
    }
    for name in ("probe", "dtw"):
        assert found[name].first.hit.value == 1
        assert found[name].first.regret.value == 0
        assert found[name].tau is not None
        assert found[name].tau.value == pytest.approx(1)
    assert found["labels"].first.hit.value == pytest.approx(1 / 3)  # all tie: a blind pick
    assert found["labels"].saved.value == pytest.approx(0)
    assert found["probe"].blind.hit.value == pytest.approx(1 / 3)
    assert found["probe"].blind.regret.value == pytest.approx(1)
    assert (found["probe"].first.gain.value, found["probe"].blind.gain.value) == (2, 1)


def test_the_bar_is_the_best_trivial_ranker() -> None:
    """Of those that look at no window, the one with least regret, in the same cells."""
    cells = [
        _outcome(t, [2, 1, 0], probe=[1, 2, 0], labels=[0, 0, 1], domain=[1, 1, 0]) for t in "ab"
    ]
    probe = next(one for one in judge(cells) if one.ranker == "probe")
    assert probe.best_trivial == "domain"
    assert probe.over_trivial.value == pytest.approx(0.5 - 1)
    assert probe.saved.value == pytest.approx(1 - 1)


def test_a_ranker_is_judged_only_where_it_scored_every_source() -> None:
    """Leaving out the sources that it cannot score would make its task another one."""
    outcomes = [
        _outcome("a", [1, 0, 2], leep=[1, None, 2]),
        _outcome("b", [1, 0, 2], leep=[1, 0, 2]),
    ]
    found = {one.ranker: one for one in judge(outcomes)}
    assert (found["leep"].cells, found["probe"].cells) == (1, 2)
    assert not any(one.ranker == "leep" for one in judge(outcomes[:1]))


def test_little_evidence_gives_no_numbers() -> None:
    """One source is no choice, two are no order, five targets have no interval."""
    assert judge([_outcome("a", [1])]) == []
    two = judge([_outcome("a", [1, 0]), _outcome("b", [1, 0])])[0]
    assert two.tau is None
    assert two.first.hit.low is None
    for names, interval in (("aaaaaaa", False), ("abcde", False), ("abcdef", True)):
        found = judge([_outcome(name, [1, 0, 2]) for name in names])[0]
        assert found.targets == len(set(names))
        assert (
            (found.first.hit.low is not None) is (found.first.regret.high is not None) is interval
        )


def test_targets_count_alike_and_are_drawn_whole() -> None:
    """Ten cells of one target weigh as much as one of another; the interval covers as it says."""
    mean = over_targets([0.0] * 10 + [1.0], ["a"] * 10 + ["b"])
    assert mean.value == 0.5
    several = over_targets([0.0] * 10 + [1.0] * 5, ["a"] * 10 + list("bcdef"))
    assert several.value == pytest.approx(5 / 6)
    assert several.low is not None
    assert several.low < 5 / 6
    draw, covered = np.random.default_rng(1), 0
    for _ in range(300):
        effect = np.repeat(draw.normal(0.3, 1, 8), 5)
        found = over_targets(
            list(effect + draw.normal(0, 0.1, 40)), [f"t{i // 5}" for i in range(40)]
        )
        assert found.low is not None
        assert found.high is not None
        covered += found.low < 0.3 < found.high
    assert 0.90 <= covered / 300 <= 0.99
