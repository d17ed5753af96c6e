"""The whole path, from rows to verdicts, on data whose truth is known."""

import numpy as np
import pytest

from tests.rows import matrix
from tsxfer.stats.best import best_sources
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import Comparison, compare
from tsxfer.stats.contrasts import contrasts

SOURCES = [f"s{i}@1" for i in range(4)]
TARGETS = [f"t{i}@1" for i in range(10)]
DRAWS = 40


def _tables(
    delta: float, share: float, *, shared: bool = True
) -> list[tuple[list[Comparison], np.ndarray]]:
    """Tables of 40 cells with 7 repeats; a `share` of them differs by `delta` paired deviations."""
    out = []
    for seed in range(DRAWS):
        rng = np.random.default_rng(1000 + seed)
        real = rng.random((4, 10)) < share
        # Paired differences keep the transfer arm's noise: the twin's cancels only in part.
        size = np.sqrt(1.0 + 0.7**2) if not shared else 1.0
        gains = np.broadcast_to((real * delta * size)[:, :, None, None], (4, 10, 1, 7))
        trials, rows = matrix(SOURCES, TARGETS, gains, seed)
        found = compare(cells(trials, rows))
        truth = {(s, t): real[i, j] for i, s in enumerate(SOURCES) for j, t in enumerate(TARGETS)}
        out.append((found, np.array([truth[c.source, c.trial.dataset] for c in found])))
    return out


@pytest.fixture(scope="module")
def null() -> list[tuple[list[Comparison], np.ndarray]]:
    """Forty tables in which nothing differs."""
    return _tables(0.0, 0.0)


@pytest.fixture(scope="module")
def mixed() -> list[tuple[list[Comparison], np.ndarray]]:
    """Forty tables in which 30 % of the cells gain 1.5 standard deviations."""
    return _tables(1.5, 0.3)


def test_false_alarms_of_a_single_test_stay_near_the_level(null: list) -> None:
    """Without any effect, uncorrected p fall below 0.05 in 3 to 7 % of 1,600 tests."""
    p = [c.p for found, _ in null for c in found]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.07


def test_a_table_without_effects_seldom_names_one(null: list) -> None:
    """The share of null tables with any better or worse is at most 15 % (level 5 %, 40 tables)."""
    wrong = [any(c.verdict in ("better", "worse") for c in found) for found, _ in null]
    assert np.mean(wrong) <= 0.15


def test_intervals_cover_what_they_should(mixed: list) -> None:
    """95 % intervals hold the true difference in 93 to 97 % of 1,600 cells."""
    inside = [
        c.low <= (1.5 if real else 0.0) <= c.high
        for found, truth in mixed
        for c, real in zip(found, truth, strict=True)
    ]
    assert 0.93 < np.mean(inside) < 0.97


def test_false_discoveries_are_rare_and_real_ones_are_found(mixed: list) -> None:
    """With 30 % real cells, false discoveries stay below 7 % and power is above 65 %."""
    rates, power = [], []
    for found, truth in mixed:
        named = np.array([c.verdict == "better" for c in found])
        rates.append((named & ~truth).sum() / max(1, named.sum()))
        power.append((named & truth).sum() / max(1, truth.sum()))
    assert np.mean(rates) < 0.07
    assert np.mean(power) > 0.65


def test_the_overall_contrast_keeps_its_level_with_shared_twins(null: list) -> None:
    """Repeats are the units: the overall contrast is confirmed in at most 15 % of null tables."""
    confirmed = [contrasts(found)[0].confirmed for found, _ in null]
    assert np.mean(confirmed) <= 0.15


def test_the_best_source_pays_for_being_chosen(null: list) -> None:
    """Of four equal sources the adjusted p falls below 0.05 in some 5 %, the naive p more often."""
    best = [b for found, _ in null for b in best_sources(found)]
    adjusted = np.mean([b.p < 0.05 for b in best])
    naive = np.mean([b.p_alone < 0.05 for b in best])
    assert adjusted < 0.08
    assert naive > adjusted + 0.03


def test_equivalence_is_declared_for_wide_margins_only() -> None:
    """At a margin of two deviations most null cells are equivalent; at half a deviation few are."""
    wide, narrow = [], []
    for seed in range(10):
        gains = np.zeros((4, 10, 1, 7))
        for spread, kept in ((0.5, wide), (2.0, narrow)):
            trials, rows = matrix(SOURCES, TARGETS, gains, seed, spread=spread, twin_spread=0.0)
            kept += [c.verdict == "equivalent" for c in compare(cells(trials, rows))]
    assert np.mean(wide) > 0.8
    assert np.mean(narrow) < 0.1


def test_one_wild_cell_does_not_loosen_the_others() -> None:
    """A cell with a thousandfold variance keeps its own, and the prior of the rest stays tight."""
    from tsxfer.stats.tests import moderated_spreads

    rng = np.random.default_rng(3)
    tame = [rng.normal(0, 1, 7) for _ in range(30)]
    with_wild = moderated_spreads([*tame, rng.normal(0, 1000, 7)])
    alone = moderated_spreads(tame)
    assert with_wild[0].df == pytest.approx(alone[0].df, rel=0.2)
    assert not with_wild[-1].moderated
