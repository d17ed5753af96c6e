"""What was reproduced is kept beside the rows and summed up in margins."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.rows import study
from tsxfer.core.results import Result
from tsxfer.errors import StoreError
from tsxfer.report.build import build
from tsxfer.report.sections import sections
from tsxfer.stats.reproduced import FILE, Rerun, keep, summary

TRIALS, ROWS = study(5, [0.50, 0.51, 0.49, 0.50, 0.52], [0.60, 0.62, 0.59, 0.61, 0.61])


def _again(row: Result, distance: float | None = 0.0, floor: float | None = None) -> Rerun:
    verdict = "differs" if distance is None else "within tolerance" if distance else "identical"
    return Rerun(
        key=row.key,
        score=row.scores[row.metric],
        verdict=verdict,
        device="cuda",
        distance=distance,
        floor=floor,
        times=2,
    )


def test_nothing_kept_says_nothing(tmp_path: Path) -> None:
    """A study of which no row was trained again has no summary and no section."""
    assert summary(tmp_path, ROWS) is None
    found = sections(build("s", TRIALS, ROWS, folder=tmp_path))
    assert "Reproduced" not in {section.title for section in found}


def test_distances_are_in_margins_and_the_largest_counts(tmp_path: Path) -> None:
    """Of several runs of the command the largest distance and floor over margin 0.02 remain."""
    first, second = list(ROWS.values())[:2]
    keep([_again(first), _again(second, 0.001, 0.004)], tmp_path)
    keep([_again(second, 0.002, 0.001), _again(second, None)], tmp_path)
    found = summary(tmp_path, ROWS)
    assert found is not None
    assert found.rows == 2
    assert found.verdicts == {"identical": 1, "within tolerance": 2, "differs": 1}
    assert found.distance == pytest.approx(0.1)
    assert found.floor == pytest.approx(0.2)
    assert (found.failed, found.unread, found.devices) == (1, 0, ("cuda",))


def test_the_floor_stands_beside_the_smallest_effect(tmp_path: Path) -> None:
    """The section shows the floor and the only effect called better, both in margins."""
    keep([_again(next(iter(ROWS.values())), 0.001, 0.004)], tmp_path)
    report = build("s", TRIALS, ROWS, folder=tmp_path)
    assert report.comparisons[0].verdict == "better"
    cells = dict(next(s.rows for s in sections(report) if s.title == "Reproduced"))
    assert cells["floor: largest distance between trainings of one row"] == "0.2 margins"
    effect = report.comparisons[0].difference / 0.02
    assert cells["smallest effect called better or worse"] == f"{effect:.3g} margins"


def test_a_row_made_anew_and_a_torn_line_do_not_count(tmp_path: Path) -> None:
    """A record of another score than the row's is left out; what cannot be read is counted."""
    first, second = list(ROWS.values())[:2]
    keep([_again(first, 0.001), _again(second)], tmp_path)
    with (tmp_path / FILE).open("a") as file:
        file.write('{"key": "torn\n[]\n')
    anew = ROWS | {first.key: replace(first, scores={"macro_f1": 0.7})}
    found = summary(tmp_path, anew)
    assert found is not None
    assert (found.rows, found.distance, found.unread) == (1, 0.0, 2)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Keeping beside no study is refused with a mend, and makes no folder of its own."""
    with pytest.raises(StoreError, match="cannot be kept"):
        keep([], tmp_path / "no" / "study")
    assert not (tmp_path / "no").exists()
