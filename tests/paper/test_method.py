"""The study's own statistics on rows written by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.paper import made
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.errors import ComparisonError, SpecError
from tsxfer.paper import grid, method, pages, tables
from tsxfer.paper.select import choose


def _row(scores: list[float], metric: str) -> Result:
    base = made.row(Trial("emg@1", "tcn", "n=1500", 0), scores[-1], metric)
    samples = [64.0 * i for i in range(1, len(scores) + 1)]
    return replace(base, curve={"samples": samples, "score": scores})


@pytest.mark.parametrize(
    ("scores", "metric", "rate"),
    [
        ([3.0, 2.0, 1.0], "mae", 0.5),  # area 2 of 4 lies above the curve
        ([3.0, 1.0, 1.0], "mae", 0.75),
        ([0.0, 0.5, 0.5], "weighted_f1", 0.75),
        ([0.0, 0.0, 1.0], "weighted_f1", 0.25),
    ],
)
def test_convergence_rates_by_hand(scores: list[float], metric: str, rate: float) -> None:
    """The rate is the share of the enclosing rectangle between curve and worst value."""
    assert method.convergence_rate(_row(scores, metric)) == pytest.approx(rate)


def test_the_point_before_training_does_not_count() -> None:
    """The study scored no model before its first epoch."""
    row = _row([3.0, 2.0, 1.0], "mae")
    earlier = replace(
        row, curve={"samples": [0.0, *row.curve["samples"]], "score": [9.0, *row.curve["score"]]}
    )
    assert method.convergence_rate(earlier) == method.convergence_rate(row)


def test_flat_and_missing_curves_have_no_rate() -> None:
    """Neither is 0 nor 1; the study's formula divides 0 by 0."""
    assert math.isnan(method.convergence_rate(_row([1.0, 1.0, 1.0], "mae")))
    assert math.isnan(method.convergence_rate(replace(_row([1.0, 0.5, 0.2], "mae"), curve={})))


def test_the_normal_approximation_of_seven() -> None:
    """Seven differences of one sign have p 0.018, not the exact 0.016; none have p 1."""
    assert method.wilcoxon(np.arange(1.0, 8)) == pytest.approx(0.018, abs=5e-4)
    assert method.wilcoxon(np.zeros(7)) == 1.0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (8.2123, "8.21"),
        (871.3, "871"),
        (4071.0, "4070"),
        (10.04, "10.0"),
        (6.2001, "6.2"),
        (0.07158, "0.0716"),
        (-0.0566, "-0.0566"),
        (-1.0004, "-1.0"),
        (0.0097, "0.0097"),
        (99.96, "100"),
        (float("inf"), "inf"),
    ],
)
def test_digits_are_those_of_the_study(value: float, text: str) -> None:
    """Three significant digits, trailing zeros as the study prints them."""
    assert tables.printed(value) == text


def test_p_and_sizes_print_as_in_the_study() -> None:
    """No leading zero; budgets in thousands."""
    assert [tables.p_printed(p) for p in (0.018, 1.0)] == [".018", "1.000"]
    assert [tables.size_text(s) for s in ("n=1500", "n=9000", "n=300", "all")] == [
        "1k5",
        "9k",
        "300",
        "all",
    ]


def _tenth_better(run: made.Run) -> float:
    return made.no_effect(run) * (0.9 if run.source else 1.0)


def test_a_planted_gain_shows_in_the_main_table() -> None:
    """Errors a tenth smaller read as about 10 %, all significant, and win every cell."""
    chosen = choose(grid.build(made.rows(_tenth_better)), 1.0)
    entries = method.main_table(chosen, "performance")
    assert {e.n for e in entries} == {12}
    assert all(e.mark == "▲" and e.gain == pytest.approx(10, abs=2.5) for e in entries)
    assert method.counts(chosen, "performance") == method.Counts(24, 0)


def test_gains_of_f1_are_turned() -> None:
    """For scores where larger is better the same change is a loss."""
    chosen = choose(grid.build(made.rows(_tenth_better, metric="weighted_f1", chance=0.1)), 1.0)
    assert all(e.gain < 0 for e in method.main_table(chosen, "performance"))


def test_no_effect_gives_few_marks() -> None:
    """Without an effect at most one pair of twelve is marked, at a fixed multiplier."""
    chosen = choose(grid.build(made.rows()), 1.0)
    assert sum(e.mark != "" for e in method.main_table(chosen, "performance")) <= 1


def test_rows_without_curves_have_no_convergence_table() -> None:
    """Old rows still give the performance tables."""
    bare = [replace(row, curve={}) for row in made.rows()]
    text = pages.study_text(bare, multiplier="1.0")
    assert "no row has a curve" in text
    assert "lendb" in text


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_tables_render(form: str) -> None:
    """Both forms hold every source and the counts."""
    text = pages.study_text(made.rows(_tenth_better), form=form)
    assert "24/0 of 24" in text
    assert "TCN [stead]" in text


def test_unknown_names_are_told() -> None:
    """A form, a rule and a repeat that are not known are refused with what is known."""
    rows = made.rows(repeats=3)
    with pytest.raises(SpecError, match="unknown format"):
        pages.study_text(rows, form="pdf")
    with pytest.raises(SpecError, match="is no rule"):
        pages.study_text(rows, multiplier="worst")
    with pytest.raises(SpecError, match="no repeat 9"):
        pages.study_text(rows, drop=(9,))
    with pytest.raises(ComparisonError, match="scratch twin"):
        pages.study_text([])


def test_two_recipes_are_not_mixed() -> None:
    """Rows of two studies in one call are refused, not averaged."""
    with pytest.raises(ComparisonError, match="two rows for"):
        grid.build([*made.rows(), *made.rows(seed=1)])


def test_unequal_terms_are_refused() -> None:
    """A pair from other training instances is no pair."""
    rows = made.rows(repeats=3)
    rows[-1] = replace(rows[-1], subset="other")
    with pytest.raises(ComparisonError, match="differ in subset"):
        grid.build(rows)
