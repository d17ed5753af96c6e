"""Statements over several comparisons: contrasts, aggregates, the mixed model, labels-worth."""

from dataclasses import replace

import numpy as np
import pytest

from tests.rows import matrix, noise
from tsxfer.stats import mixed
from tsxfer.stats.aggregate import aggregate
from tsxfer.stats.best import best_sources
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import Comparison, compare
from tsxfer.stats.contrasts import contrasts
from tsxfer.stats.gain import by_repeat, gains
from tsxfer.stats.worth import labels_worth

SOURCES, TARGETS = ["a@1", "b@1", "c@1"], ["x@1", "y@1", "z@1"]
SIZES = ("n=1500", "n=9000")


def _table(gain: np.ndarray, seed: int = 0, **noise: float) -> list[Comparison]:
    gains = np.broadcast_to(gain, (3, 3, 2, 7))
    trials, rows = matrix(SOURCES, TARGETS, gains, seed, sizes=SIZES, **noise)
    return compare(cells(trials, rows))


def test_contrasts_average_within_repeats() -> None:
    """The overall contrast is a t test on seven means of bounded gains, not on 126 differences."""
    table = _table(np.full((3, 3, 2, 7), 0.5))
    overall = contrasts(table)[0]
    means = np.mean([gains(c) for c in table], axis=0)
    assert overall.repeats == 7
    assert overall.comparisons == 18
    assert overall.mean == pytest.approx(float(means.mean()))
    assert np.allclose(by_repeat(table), means)


def test_a_gate_that_stays_shut_confirms_nothing_below() -> None:
    """Without a significant overall contrast, no size or pair counts, however small its p."""
    gain = np.zeros((3, 3, 2, 7))
    gain[:, 0], gain[:, 1] = 3.0, -30 / 7  # of an error of 10: +30 % and -30 %
    found = contrasts(_table(gain))
    assert not found[0].confirmed
    assert min(c.p for c in found if c.step == "pair") < 0.001
    assert not any(c.confirmed for c in found)


def test_exploratory_comparisons_stay_out_of_the_headline() -> None:
    """A label takes a comparison out of every contrast."""
    table = _table(np.ones((3, 3, 2, 7)))
    marked = [replace(c, labels=("exploratory",)) for c in table[:4]] + table[4:]
    assert contrasts(marked)[0].comparisons == 14


def test_targets_weigh_equally_and_no_unit_outweighs_them() -> None:
    """A target in another unit or with more comparisons moves no contrast or aggregate more."""
    table = _table(np.full((3, 3, 2, 7), 1.0))
    scaled = [
        replace(
            c,
            scratch=tuple(1000 * v for v in c.scratch),
            transfer=tuple(1000 * v for v in c.transfer),
            margin=1.0,
        )
        if c.trial.dataset == TARGETS[0]
        else c
        for c in table
    ]
    assert contrasts(scaled)[0].mean == pytest.approx(contrasts(table)[0].mean)
    fewer = [c for c in table if c.trial.dataset != TARGETS[0]] + [
        next(c for c in table if c.trial.dataset == TARGETS[0])
    ]
    first = by_repeat([c for c in fewer if c.trial.dataset == TARGETS[0]])
    others = by_repeat([c for c in fewer if c.trial.dataset != TARGETS[0]])
    assert by_repeat(fewer) == pytest.approx((first + 2 * others) / 3)


def test_gains_are_bounded_and_symmetric() -> None:
    """An error halved is +0.5 and doubled -0.5; none left at all is +1."""
    c = _table(np.zeros((3, 3, 2, 7)))[0]
    one = replace(c, scratch=(8.0, 4.0, 8.0), transfer=(4.0, 8.0, 0.0), repeats=(0, 1, 2))
    assert gains(one) == pytest.approx([0.5, -0.5, 1.0])


def test_a_contrast_that_rests_on_one_target_says_so() -> None:
    """Where one target alone makes the gain, leaving it out is shown and named."""
    gain = np.zeros((3, 3, 2, 7))
    gain[:, 0] = 6.0
    overall = contrasts(_table(gain, spread=0.5, twin_spread=0.5))[0]
    assert [w.target for w in overall.without] == TARGETS
    assert overall.confirmed
    assert overall.rests_on == (TARGETS[0],)


def test_no_summary_rests_on_a_failed_baseline() -> None:
    """Contrasts, best sources, aggregate and matrix are those of the table without those cells."""
    table = _table(np.full((3, 3, 2, 7), 1.0))
    lost = [replace(c, valid=False) if c.trial.dataset == TARGETS[1] else c for c in table]
    left = [c for c in table if c.trial.dataset != TARGETS[1]]
    assert contrasts(lost) == contrasts(left)
    assert best_sources(lost) == best_sources(left)
    assert aggregate(lost) == aggregate(left)


def test_the_best_source_is_the_best_and_has_a_floor() -> None:
    """A source with a large gain wins everywhere; seven repeats cannot go below 1/128."""
    gain = np.zeros((3, 3, 2, 7))
    gain[1] = 4.0
    best = best_sources(_table(gain, spread=0.3))
    assert len(best) == 6
    assert {b.winner.source for b in best} == {"b@1"}
    assert all(b.p == b.floor == 1 / 128 for b in best)
    assert "confirm" in best[0].advice


def test_aggregates_are_shares_of_the_error_that_scratch_leaves() -> None:
    """A gain of one on an error of about ten is about 10 %, and every pair wins."""
    found = aggregate(_table(np.ones((3, 3, 2, 7)), spread=0.05, twin_spread=0.05))
    assert found is not None
    assert found.iqm == pytest.approx(0.1, abs=0.01)
    assert found.iqm_interval[0] <= found.iqm <= found.iqm_interval[1]
    assert found.improvement == 1.0
    assert found.used == 18


def test_aggregates_do_not_depend_on_what_is_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long table is drawn a few draws at a time, with the numbers of all at once."""
    table = _table(np.ones((3, 3, 2, 7)))
    whole = aggregate(table)
    monkeypatch.setattr("tsxfer.stats.aggregate.HELD", 400)
    assert aggregate(table) == whole


def test_a_scratch_arm_without_error_is_left_out() -> None:
    """Where scratch leaves less error than the margin there is no ratio, and the count says so."""
    table = _table(np.ones((3, 3, 2, 7)))
    perfect = replace(table[0], scratch=(0.0,) * 7)
    found = aggregate([perfect, *table[1:]])
    assert found is not None
    assert (found.used, found.left_out) == (17, 1)


def _raw(share: np.ndarray) -> np.ndarray:
    """The gain of an error of 10 that is this share of the larger error."""
    return np.where(share > 0, 10 * share, 10 - 10 / (1 - np.abs(share)))


def test_the_mixed_model_finds_where_the_variance_is() -> None:
    """Gains that depend on the source alone give a source component and no target component."""
    rng = np.random.default_rng(1)
    sources, targets = [f"s{i}@1" for i in range(8)], [f"t{i}@1" for i in range(8)]
    effect = rng.normal(0, 0.2, 8)
    gains = np.broadcast_to(_raw(effect[:, None, None, None] + 0.1), (8, 8, 1, 7))
    trials, rows = matrix(sources, targets, gains, 2)
    found = mixed.matrix(compare(cells(trials, rows)))
    assert found is not None
    assert found.method == "mixed model"
    assert found.components["source"] == pytest.approx(float(effect.std(ddof=1)), rel=0.25)
    assert found.components["target"] < 0.03
    assert found.low < 0.1 + effect.mean() < found.high


def test_a_small_matrix_gets_no_statement() -> None:
    """Two sources say nothing about sources in general."""
    assert mixed.matrix([c for c in _table(np.zeros((3, 3, 2, 7))) if c.source != "a@1"]) is None


def test_a_singular_matrix_says_what_was_dropped() -> None:
    """Gains that cancel out in every source, target and pair leave no component, and it says so."""
    sign = np.array([1.0, -1.0])[None, None, :, None]
    away = _raw(0.3 * noise(5, (3, 3, 1, 1)) * sign)
    found = mixed.matrix(_table(np.broadcast_to(away, (3, 3, 2, 7)), 5))
    assert found is not None
    assert found.method == "two-way cluster bootstrap"
    assert any("two-way cluster bootstrap" in note for note in found.notes)
    assert sum("dropped" in note for note in found.notes) == 3
    assert found.low < 0 < found.high


def _sized(scores: dict[str, float], gain: float) -> list[Comparison]:
    """Comparisons whose scratch error is given by size; transfer at 1,500 is better by `gain`."""
    rng = np.random.default_rng(0)
    table = [
        c for c in _table(np.zeros((3, 3, 2, 7))) if (c.source, c.trial.dataset) == ("a@1", "x@1")
    ]
    out = []
    for c in table:
        noise = rng.normal(0, 0.01, 7)
        level = scores[c.trial.size]
        out.append(replace(c, scratch=tuple(level + noise), transfer=tuple(level - gain + noise)))
    return out


def test_labels_worth_lies_on_the_scratch_curve() -> None:
    """An error halfway between 1,500 and 9,000 labels is worth their geometric mean."""
    table = _sized({"n=1500": 4.0, "n=9000": 2.0}, 1.0)
    sizes = {c.trial.key: int(c.trial.size.removeprefix("n=")) for c in table}
    worth = {w.size: w for w in labels_worth(table, sizes)}
    assert worth[1500].labels == pytest.approx(np.sqrt(1500 * 9000), rel=0.03)
    assert worth[1500].low < worth[1500].labels < worth[1500].high
    assert worth[9000].labels == pytest.approx(9000)
    assert worth[9000].capped == 1.0


def test_labels_worth_needs_two_sizes() -> None:
    """With one budget there is no curve and no statement."""
    table = [c for c in _sized({"n=1500": 4.0, "n=9000": 2.0}, 1.0) if c.trial.size == "n=1500"]
    assert labels_worth(table, {c.trial.key: 1500 for c in table}) == []
