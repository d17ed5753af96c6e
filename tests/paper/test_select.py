"""Rules that choose the multiplier."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.paper import made
from tsxfer.core.results import Result
from tsxfer.errors import SpecError
from tsxfer.paper import grid
from tsxfer.paper.select import choose, parse
from tsxfer.stats.compare import compare


def _multiplier(row: Result) -> float:
    assert row.trial.reuse
    return row.trial.reuse.rate_multiplier


def _one_cell(errors: list[dict[float, float]]) -> grid.Grid:
    """A cell with the given error by multiplier in each repeat; scratch has 1."""

    def score(run: made.Run) -> float:
        return errors[run.repeat][run.multiplier] if run.source else 1.0

    return grid.build(
        made.rows(
            score,
            models=("tcn",),
            sources=("lomax@1",),
            targets=("lendb@1",),
            sizes=("n=1500",),
            repeats=len(errors),
            multipliers=tuple(errors[0]),
        )
    )


ERRORS = [{0.1: 0.5, 1.0: 0.9}, {0.1: 0.8, 1.0: 0.7}, {0.1: 0.9, 1.0: 0.7}]


def test_best_looks_at_the_test_score_of_the_run() -> None:
    """The study's rule takes the smallest error of each repeat."""
    cell = choose(_one_cell(ERRORS), "best")[0].cell
    assert [_multiplier(t) for _, t in cell.pairs] == [0.1, 1.0, 1.0]


def test_leave_one_out_takes_the_mean_of_the_others() -> None:
    """Others of repeat 0 favour 1.0 (0.7, 0.85); of 1 and 2, 0.1 (0.7, 0.8 and 0.65, 0.8)."""
    cell = choose(_one_cell(ERRORS), "leave-one-out")[0].cell
    assert [_multiplier(t) for _, t in cell.pairs] == [1.0, 0.1, 0.1]


def test_leave_one_out_never_sees_the_own_score() -> None:
    """Whatever a run scores, its own multiplier stays."""
    before = choose(_one_cell(ERRORS), "leave-one-out")[0].cell
    for swapped in ({0.1: 9.0, 1.0: 0.01}, {0.1: 0.01, 1.0: 9.0}):
        after = choose(_one_cell([swapped, *ERRORS[1:]]), "leave-one-out")[0].cell
        assert _multiplier(after.pairs[0][1]) == _multiplier(before.pairs[0][1])


def test_a_fixed_multiplier_and_a_dropped_repeat() -> None:
    """The dropped repeat is in no pair and has no say."""
    cell = choose(_one_cell(ERRORS), 1.0, drop=(1,))[0].cell
    assert [t.trial.repeat for _, t in cell.pairs] == [0, 2]
    others = choose(_one_cell(ERRORS), "leave-one-out", drop=(1,))[0].cell
    assert [_multiplier(t) for _, t in others.pairs] == [1.0, 0.1]


def test_only_trusted_multipliers_are_chosen() -> None:
    """A model with a broken grid keeps what is trusted."""
    cell = choose(_one_cell(ERRORS), "best", trusted={"tcn": (1.0,)})[0].cell
    assert {_multiplier(t) for _, t in cell.pairs} == {1.0}


def test_a_missing_run_is_a_gap() -> None:
    """A repeat without the fixed multiplier is told, not filled."""
    rows = made.rows(repeats=4, models=("tcn",))
    missing = next(r for r in rows if r.trial.reuse and _multiplier(r) == 1.0)
    left = grid.build([r for r in rows if r is not missing])
    gaps = [gap for one in choose(left, 1.0) for gap in one.cell.gaps]
    assert len(gaps) == 1
    assert "repeat 0" in gaps[0]


def test_failed_rows_are_left_out() -> None:
    """A failed fine-tuning cannot be chosen."""
    rows = made.rows(repeats=3)
    rows = [replace(r, status="failed") if r.trial.repeat == 2 else r for r in rows]
    assert all(len(one.cell.pairs) == 2 for one in choose(grid.build(rows), "best"))


def test_nothing_left_is_told() -> None:
    """A multiplier outside the grid names the way out."""
    with pytest.raises(SpecError, match="no pair is left"):
        choose(_one_cell(ERRORS), 7.0)


@pytest.mark.parametrize(("text", "rule"), [("best", "best"), ("1", 1.0), ("0.05", 0.05)])
def test_rules_are_parsed(text: str, rule: str | float) -> None:
    """Names stay, numbers become floats."""
    assert parse(text) == rule


@pytest.mark.parametrize("text", ["", "nan", "inf", "-1", "0", "bset"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    """A multiplier is a number above 0."""
    with pytest.raises(SpecError, match="no rule"):
        parse(text)


def test_cells_go_into_the_packages_own_comparison() -> None:
    """Each rule's cells get verdicts, and best-of-the-grid flatters where there is no effect."""
    built = grid.build(made.rows())
    gains = {
        rule: [c.difference for c in compare([one.cell for one in choose(built, rule)])]
        for rule in ("best", "leave-one-out", 1.0)
    }
    assert all(gain > 0 for gain in gains["best"])
    for rule in ("leave-one-out", 1.0):
        assert abs(sum(gains[rule]) / len(gains[rule])) < 0.006
