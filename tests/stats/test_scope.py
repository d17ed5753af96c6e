"""What verdicts say of new groups: calibrated through the package's path on made-up populations."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.rows import noise
from tests.rows import study as made_study
from tests.stats.population import Setting, cell_of, studied
from tsxfer.report import export, files, html, latex
from tsxfer.report.answer import sentence
from tsxfer.report.build import Report, of_cells
from tsxfer.report.columns import SCOPES, effect
from tsxfer.report.text import show
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import FLAT, Comparison, compare
from tsxfer.stats.outlook import foreseen
from tsxfer.stats.power import power_if, power_of, reach
from tsxfer.stats.scope import (
    ONE_START,
    Part,
    between_pretrainings,
    half_width,
    plural,
    power,
    together,
    upper,
)
from tsxfer.stats.tests import hedges_g, interval, plain_spread

DRAWS = 300
# A bias that is 0.1 off moves the mean gain by 2 % of its standard deviation over populations.
EIGHT, TEN, THREE = Setting(0.99), Setting(0.9, groups=50), Setting(1.3, groups=15)

# Three pretrained models that differ; their mean squared distance from the truth stays that of TEN.
UNLIKE = replace(TEN, bias=(0.9**2 - 12 * 0.1**2) ** 0.5, pretrainings=3, apart=0.1)


def _covers(c: Comparison) -> bool:
    assert c.beyond.low is not None
    assert c.beyond.high is not None
    return c.beyond.low <= 0 <= c.beyond.high


def _here(c: Comparison) -> bool:
    return (c.low or 0.0) <= 0 <= (c.high or 0.0)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> list[Comparison]:
    """Six populations with eight test groups."""
    return studied(range(6), EIGHT, tmp_path_factory.mktemp("few"))


def _terminal(report: Report) -> str:
    out = io.StringIO()
    show(report, Console(file=out, width=100))
    return out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "least"),
    [
        (EIGHT, 0.90),
        (replace(EIGHT, size="all"), 0.90),
        (replace(EIGHT, repeats=30), 0.90),
        (replace(EIGHT, repeats=3), 0.90),
        (TEN, 0.93),
        (replace(TEN, repeats=3), 0.93),
        (replace(TEN, size="all"), 0.93),
        (UNLIKE, 0.93),
    ],
    ids=[
        "8", "8, all labels", "8, 30 repeats", "8, 3 repeats",
        "10", "10, 3 repeats", "10, all", "10, 3 unlike",
    ],
)  # fmt: skip
def test_intervals_for_new_groups_hold_what_they_should(
    tmp_path: Path, setting: Setting, least: float
) -> None:
    """Without a mean gain, the interval for new groups holds 0, and seldom a verdict falls."""
    found = studied(range(DRAWS if setting.repeats < 30 else DRAWS // 2), setting, tmp_path)
    assert np.mean([_covers(c) for c in found]) >= least
    assert np.mean([c.verdict in ("better", "worse") for c in found]) <= 0.06
    if setting.repeats > 3:
        assert np.mean([_here(c) for c in found]) < 0.7  # why the repeats alone do not do


@pytest.mark.slow
def test_the_power_that_plan_states_is_the_one_that_is_there(tmp_path: Path) -> None:
    """From comparisons of three repeats, the power at seven is foreseen within 5 points."""
    pilot = studied(range(DRAWS, DRAWS + 100), replace(TEN, repeats=3), tmp_path)
    parts = foreseen([c.beyond for c in pilot], 7, 1)
    for gain in (0.03, 0.045):
        found = studied(range(200), replace(TEN, gain=gain), tmp_path)
        share = np.mean([c.verdict == "better" for c in found])
        assert share == pytest.approx(power(gain, parts, 0.05), abs=0.05)


def test_both_scopes_stand_in_every_comparison(few: list[Comparison]) -> None:
    """The verdict is for new speakers, its interval is the wider one, and the parts are named."""
    for c in few:
        assert (c.scope, c.speaks_of, c.beyond.groups) == (
            "new groups",
            f"new speakers, {ONE_START}",
            8,
        )
        assert c.verdict == c.beyond.verdict
        assert c.stated[:2] == (c.beyond.low, c.beyond.high)
        assert c.low is not None
        assert c.beyond.low is not None
        assert c.beyond.low <= c.low
        assert c.beyond.limited_by in ("repeats", "groups")


def test_one_pretraining_is_named_wherever_a_verdict_is(few: list[Comparison]) -> None:
    """From one pretraining a verdict holds for that one and says so; from three it does not."""
    assert all(c.speaks_of.endswith(ONE_START) for c in few)
    assert all(ONE_START in sentence(c) for c in few)
    c = compare([cell_of(0, replace(EIGHT, pretrainings=3, repeats=6), None)])[0]
    assert c.beyond.pretrainings == 3
    assert ONE_START not in c.speaks_of


def test_few_test_groups_say_nothing_of_new_ones(tmp_path: Path) -> None:
    """With three test groups the verdict is undecided and says why; test instances keep theirs."""
    found = studied(range(12), THREE, tmp_path)
    assert {c.verdict for c in found} == {"undecided"}
    assert {c.beyond.reason for c in found} == {"few groups"}
    assert all(c.beyond.low is None for c in found)
    assert any(c.here in ("better", "worse") for c in found)
    why = "nothing can be said of new speakers: 3 test speakers, 8 are needed"
    assert all(why in c.notes for c in found)
    known = next(c for c in found if c.here == "better")
    assert "data of some 40 speakers (there are 15) would allow it" in sentence(known)
    assert "source0 helps by" in sentence(known)


def test_without_predictions_the_verdict_is_of_the_test_instances() -> None:
    """Rows without kept predictions, published ones among them, are judged, and say of what."""
    c = compare([cell_of(0, EIGHT, None)])[0]
    assert (c.scope, c.verdict, c.beyond.reason) == (
        "these test instances", c.here, "no predictions",
    )  # fmt: skip


def test_groups_on_both_sides_are_not_new(tmp_path: Path) -> None:
    """Where every test group was learned from, the verdict is of these test instances."""
    cell = cell_of(0, EIGHT, None)
    shared = {**cell.pairs[0][0].split, "shared_groups": 8}
    pairs = tuple((replace(s, split=shared), replace(t, split=shared)) for s, t in cell.pairs)
    c = compare([replace(cell, pairs=pairs)])[0]
    assert (c.scope, c.beyond.reason) == ("these test instances", "shared groups")


def test_no_statement_is_sharper_than_one_part_alone() -> None:
    """For any parts the interval is at least as wide, and p at least as large, as of each alone."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        parts = {
            name: Part(float(rng.gamma(1.0)), float(rng.integers(1, 30)))
            for name in ("repeats", "groups", "pretrainings")
        }
        for name, part in parts.items():
            assert half_width(parts) >= half_width({name: part}) - 1e-12
            assert upper(1.0, parts) >= upper(1.0, {name: part}) - 1e-12
        whole = together(parts)
        assert whole.df <= sum(part.df for part in parts.values()) + 1e-9


def test_one_part_alone_is_students_interval() -> None:
    """With repeats only, the interval is the paired t interval."""
    d = noise(2, (7,)) + 1.0
    spread = plain_spread(d)
    low, high = interval(d, spread)
    parts = {"repeats": Part(spread.variance / 7, spread.df)}
    assert half_width(parts) == pytest.approx((high - low) / 2)


def test_pretrainings_add_what_exceeds_the_repeats() -> None:
    """The variance between models is found on average; one repeat of each splits nothing off."""
    rng = np.random.default_rng(5)
    starts = [str(i % 3) for i in range(12)]
    found = []
    for _ in range(400):
        d = rng.normal(0, 2.0, 3)[[int(s) for s in starts]] + rng.normal(0, 1.0, 12)
        part = between_pretrainings(d, starts)
        found.append(part.variance if part else 0.0)
    assert np.mean(found) == pytest.approx(2.0**2 / 3, rel=0.15)
    assert between_pretrainings(rng.normal(size=3), ["a", "b", "c"]) is None
    assert between_pretrainings(rng.normal(size=3), ["a", "a", "a"]) is None


def test_repeats_that_agree_are_undecided_with_a_note() -> None:
    """The same difference in all repeats has no p, no interval, no g and no verdict."""
    scratch = [0.5, 0.55, 0.6, 0.52, 0.58]
    c = compare(cells(*made_study(5, scratch, [s + 0.1 for s in scratch])))[0]
    assert (c.p, c.p_corrected, c.low, c.effect, c.verdict) == (None, None, None, None, "undecided")
    assert FLAT in c.notes
    assert hedges_g(np.full(5, 0.1) + 1e-11 * noise(0, (5,))) is None


def test_flat_repeats_leave_the_others_their_variance() -> None:
    """A cell without spread changes nothing for the cell beside it."""
    one = cells(*made_study(5, list(noise(1, (5,)) / 50 + 0.5), list(noise(2, (5,)) / 50 + 0.6)))
    flat = cells(*made_study(5, [0.5] * 5, [0.7] * 5, target="x@1"))
    alone, beside = compare(one)[0], compare([*one, *flat])[0]
    assert (alone.low, alone.p) == (beside.low, beside.p)


def test_g_is_shown_without_digits_that_say_nothing() -> None:
    """Beyond a hundred standard deviations only that is said."""
    assert (effect(0.5), effect(123.4), effect(-1e9)) == ("+0.500", ">100", "->100")


def test_the_power_with_few_real_comparisons_is_simulated_right() -> None:
    """At 5 % real, Benjamini-Hochberg finds the stated share of them, within 5 points."""
    from scipy.special import stdtr

    from tsxfer.stats.families import benjamini_hochberg

    rng, df = np.random.default_rng(0), 12
    family = reach(7, 40, 1, 1)[0]
    assert family.effect is not None
    hits = []
    for _ in range(500):
        real = rng.random(40) < 0.05
        t = (rng.normal(size=40) + family.effect * np.sqrt(7) * real) / np.sqrt(
            rng.chisquare(df, 40) / df
        )
        found = benjamini_hochberg(list(2 * stdtr(df, -abs(t))))
        hits += [p is not None and p < 0.05 for p, r in zip(found, real, strict=True) if r]
    assert family.rare == pytest.approx(np.mean(hits), abs=0.05)
    assert family.rare < 0.7


def test_with_all_tests_real_nothing_is_lost() -> None:
    """If every comparison differs, one test is as good as tested alone at the level."""
    alone = power_of(1.5, 7, 6, 2.4469)
    assert power_if(1.0, 200, 0.05, lambda _: alone) == pytest.approx(alone)


def test_every_format_shows_both_scopes(tmp_path: Path) -> None:
    """Whom a verdict is for, and both intervals, are in all six formats."""
    import pandas as pd

    place = tmp_path / "predictions"
    place.mkdir()
    cell = cell_of(0, EIGHT, place)
    rows = [row for pair in cell.pairs for row in pair]
    report = of_cells("s", [cell], rows, folder=tmp_path)
    c = report.comparisons[0]
    assert c.beyond.low is not None
    for text in (
        files.markdown(report),
        latex.render(report),
        html.render(report),
        _terminal(report),
    ):
        assert "new speakers" in text
        assert f"{c.beyond.low:+.3f}" in text
        assert f"{c.low:+.3f}" in text
    line = next(csv.DictReader(io.StringIO(files.table_csv(report))))
    assert (line["scope"], line["test_groups"]) == ("new groups", "8")
    assert float(line["new_groups_low"]) == c.beyond.low
    table = pd.read_parquet(io.BytesIO(export.parquet(report)))
    assert set(SCOPES) <= set(table.columns)


def test_groups_are_named_in_the_plural() -> None:
    """Words of cards read as English."""
    words = ["subject", "category", "day", "block of 100 windows"]
    assert [plural(w) for w in words] == [
        "subjects", "categories", "days", "blocks of 100 windows",
    ]  # fmt: skip
