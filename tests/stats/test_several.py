"""What contrasts, summaries, best sources and labels' worth say of new groups."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.stats.population import Setting, cells_of, table
from tsxfer.report.build import Report, of_cells
from tsxfer.report.sections import sections
from tsxfer.stats.aggregate import aggregate
from tsxfer.stats.best import best_sources
from tsxfer.stats.compare import Comparison, compare
from tsxfer.stats.contrasts import contrasts
from tsxfer.stats.gain import gains
from tsxfer.stats.scope import EACH_START, together
from tsxfer.stats.several import left_gains, mean_gain, of_groups, outset
from tsxfer.stats.worth import labels_worth

DRAWS = 300
EIGHT, TEN = Setting(0.99, sources=2), Setting(0.9, groups=50, sources=2)
UNLIKE = replace(TEN, bias=(0.9**2 - 12 * 0.1**2) ** 0.5, pretrainings=3, apart=0.1)


@pytest.fixture(scope="module")
def two_by_two(tmp_path_factory: pytest.TempPathFactory) -> list[Comparison]:
    """Two sources, two targets with eight test groups each."""
    return table([0, 1], EIGHT, tmp_path_factory.mktemp("several"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "targets", "least"),
    [
        (TEN, 2, 0.93),
        (replace(TEN, repeats=3), 2, 0.93),
        (UNLIKE, 2, 0.93),
        (EIGHT, 3, 0.90),
        (replace(EIGHT, sources=3), 1, 0.90),
    ],
    ids=["10", "10, 3 repeats", "10, 3 unlike", "8, 3 targets", "8, 3 sources, 1 target"],
)
def test_contrasts_and_summaries_hold_what_they_should(
    tmp_path: Path, setting: Setting, targets: int, least: float
) -> None:
    """Without a mean gain, intervals for new groups hold 0, and few contrasts are confirmed."""
    inside, summed, confirmed, here = [], [], [], []
    for i in range(DRAWS):
        found = table(list(range(1000 + i * targets, 1000 + (i + 1) * targets)), setting, tmp_path)
        overall, whole = contrasts(found)[0], aggregate(found)
        assert whole is not None
        inside.append(_holds(overall.beyond.low, overall.beyond.high))
        summed.append(_holds(whole.beyond.low, whole.beyond.high))
        confirmed.append(overall.confirmed)
        here.append(_holds(overall.low, overall.high))
    assert np.mean(inside) >= least
    assert np.mean(summed) >= least
    assert np.mean(confirmed) <= 0.07
    if setting.repeats > 3:
        assert np.mean(here) < 0.7  # why the repeats alone do not do


@pytest.mark.slow
def test_labels_worth_holds_the_labels_that_it_should(tmp_path: Path) -> None:
    """Where transfer gains nothing at 300 labels, it is worth 300: nearly all intervals say so."""
    inside, here = [], []
    for seed in range(1000, 1000 + DRAWS // 2):
        setting = replace(EIGHT, sources=1)
        found = [
            c
            for size in ("n=100", "n=300", "n=900")
            for c in table([seed], replace(setting, size=size), tmp_path)
        ]
        sizes = {c.trial.key: int(c.trial.size[2:]) for c in found}
        worth = next(w for w in labels_worth(found, sizes) if w.size == 300)
        inside.append(_holds(worth.new_low, worth.new_high, 300.0))
        here.append(_holds(worth.low, worth.high, 300.0))
    assert np.mean(inside) >= 0.90
    assert np.mean(here) < np.mean(inside)


def _holds(low: float | None, high: float | None, truth: float = 0.0) -> bool:
    assert low is not None
    assert high is not None
    return low <= truth <= high


def test_the_contrast_of_one_comparison_is_that_comparison(two_by_two: list[Comparison]) -> None:
    """Its groups part is the jackknife of its mean gain, widened for the groups learned from."""
    c = two_by_two[0]
    left = left_gains(c).mean(axis=0)
    expected = 7 / 8 * ((left - left.mean()) ** 2).sum() * (1 + c.beyond.ratio)
    found = mean_gain([c])
    assert found.parts is not None
    assert found.parts["groups"].variance == pytest.approx(expected)
    assert found.parts["repeats"].variance == pytest.approx(gains(c).var(ddof=1) / 7)
    assert found.low is not None
    assert found.low < together(found.parts).variance ** 0.5


def test_sources_of_one_target_are_no_more_groups(two_by_two: list[Comparison]) -> None:
    """The same comparison twice has the error of one; two targets have half the variance."""
    one, other = two_by_two[0], two_by_two[2]
    same = {one.trial.dataset: left_gains(one).mean(axis=0)}
    alone, twice = of_groups([one], same), of_groups([one, one], same)
    assert (alone.variance, alone.df) == (twice.variance, twice.df)
    both = mean_gain([one, other]).parts
    alone_parts = [mean_gain([c]).parts for c in (one, other)]
    assert both is not None
    total = sum(parts["groups"].variance for parts in alone_parts if parts)
    assert both["groups"].variance == pytest.approx(total / 4)


def test_one_target_with_few_groups_silences_the_contrast(
    two_by_two: list[Comparison], tmp_path: Path
) -> None:
    """Its name and why are said, nothing is confirmed, and without it the others still speak."""
    few = table([9], replace(EIGHT, groups=15), tmp_path)
    found = contrasts([*two_by_two, *few])[0]
    assert found.beyond.why.startswith(f"{few[0].trial.dataset}: nothing can be said")
    assert (found.p_holm, found.confirmed, found.stated) == (None, False, (None, None, None))
    left = next(w for w in found.without if w.target == few[0].trial.dataset)
    assert left.beyond.low is not None


def test_without_predictions_contrasts_are_of_these_test_instances() -> None:
    """Published rows are judged over repeats, and say of what."""
    found = compare(cells_of(0, EIGHT, None))
    overall = contrasts(found)[0]
    assert overall.beyond.scope == "these test instances"
    assert overall.stated == (overall.low, overall.high, overall.p)
    whole = aggregate(found)
    assert whole is not None
    assert whole.beyond.low is None
    assert best_sources(found)[0].p_new is None


def test_the_best_source_pays_for_its_rivals_in_new_groups(two_by_two: list[Comparison]) -> None:
    """Its p for new groups is that of the winner times the number of sources, at most 1."""
    best = best_sources(two_by_two)[0]
    assert best.p_new is not None
    assert best.p_new >= min(1.0, best.p_alone)
    assert best.rivals == 2


def test_an_outset_names_groups_and_pretrainings(two_by_two: list[Comparison]) -> None:
    """Speakers everywhere are new speakers; with other words they are groups."""
    assert outset(two_by_two).speaks_of == f"new speakers, {EACH_START}"
    mixed = replace(two_by_two[0], beyond=replace(two_by_two[0].beyond, word="event"))
    assert outset([mixed, *two_by_two[1:]]).word == "group"


def test_every_section_that_infers_says_of_whom(tmp_path: Path) -> None:
    """Sections with an interval, a p or a probability say whom they hold for."""
    place = tmp_path / "predictions"
    place.mkdir()
    cells = [cell for seed in (0, 1) for cell in cells_of(seed, EIGHT, place)]
    rows = [row for cell in cells for pair in cell.pairs for row in pair]
    report: Report = of_cells("s", cells, rows, folder=tmp_path)
    infers = ("95 %", "p", "p corrected", "worse", "error removed", "smallest effect")
    for section in sections(report):
        if set(section.header) & set(infers):
            assert section.speaks_of or "for" in section.header, section.title
