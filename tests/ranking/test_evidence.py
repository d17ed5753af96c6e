"""Evidence from finished studies: which cells count, which gains they had, who rivals whom."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.rows import matrix
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study
from tsxfer.core.study_files import study_toml
from tsxfer.errors import DataError
from tsxfer.ranking.evidence import gather
from tsxfer.ranking.judge import judge
from tsxfer.ranking.rankers import Scores, known
from tsxfer.ranking.sources import Pretrained
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace, write_whole

SOURCES, TARGETS = ["a@1", "b@1", "c@1"], ["x@1", "y@1"]
GAINS = np.array([[3.0, 1.0], [1.0, 2.0], [-1.0, -2.0]])  # in margins, source by target


def _finished(place: Workspace, name: str, targets: list[str], **changes: object) -> None:
    """A study with the rows of `GAINS`, without noise."""
    columns = [TARGETS.index(t.replace("+sim", "")) for t in targets]
    gains = np.repeat(GAINS[:, columns, None, None], 2, axis=3)
    trials, rows = matrix(SOURCES, targets, gains, spread=0.0)
    study = Study(
        name=name,
        sources=tuple(SOURCES),
        targets=tuple(targets),
        models=("tcn",),
        sizes=("1500",),
        repeats=2,
        pretraining=trials[0].recipe,
    )
    write_whole(place.results(name) / "study.toml", study_toml(replace(study, **changes)))
    Store(place.results(name)).extend(rows.values())


def _at_hand(names: list[str]) -> list[Pretrained]:
    trials = [Trial(name, "tcn", "all", 0) for name in names]
    return [Pretrained(Result(t, "done", "mae", sizes={"train": i})) for i, t in enumerate(trials)]


def _score(transfer: Trial, pretraining: Result) -> Scores:
    """One number for each source: the order in which they are available, reversed."""
    assert transfer.repeat == 0
    return {ranker.name: -float(pretraining.sizes["train"]) for ranker in known()}


def test_gains_are_those_of_the_rows(tmp_path: Path) -> None:
    """One cell a target, gains in margins and oriented, scores beside them."""
    place = Workspace(tmp_path)
    _finished(place, "one", TARGETS)
    found = gather(place, _at_hand(SOURCES), False, _score)
    assert [o.target for o in found.outcomes] == TARGETS
    for outcome, gains in zip(found.outcomes, GAINS.T, strict=True):
        assert outcome.gains == pytest.approx(gains)
        assert outcome.scores["probe"] == (0.0, -1.0, -2.0)
    judged = {one.ranker: one for one in judge(found.outcomes)}
    assert judged["probe"].first.hit.value == 0.5
    assert judged["probe"].first.regret.value == pytest.approx((0 + 1) / 2)
    assert judged["dtw"].first.regret.value == pytest.approx((4 + 4) / 2)  # lower is better


def test_a_cell_of_two_studies_counts_once(tmp_path: Path) -> None:
    """The same transfers under another name are no further evidence."""
    place = Workspace(tmp_path)
    _finished(place, "one", TARGETS)
    _finished(place, "two", TARGETS[:1])
    assert len(gather(place, _at_hand(SOURCES), False, _score).outcomes) == 2


def test_only_finished_cells_count(tmp_path: Path) -> None:
    """A cell that lacks a repeat is left out; rivals of two studies are met on shared repeats."""
    place = Workspace(tmp_path)
    _finished(place, "one", TARGETS, repeats=3)
    found = gather(place, _at_hand(SOURCES), False, _score)
    assert (found.outcomes, found.left_out) == ((), 6)
    _finished(place, "two", TARGETS[:1], sources=tuple(SOURCES[:1]), repeats=1)
    _finished(place, "three", TARGETS[:1], sources=tuple(SOURCES[1:]))
    found = gather(place, _at_hand(SOURCES), False, _score)
    assert [o.gains for o in found.outcomes] == [pytest.approx(GAINS[:, 0])]


def test_real_and_simulated_targets_are_never_mixed(tmp_path: Path) -> None:
    """What rankings were worth on simulated targets says nothing of real ones."""
    place = Workspace(tmp_path)
    _finished(place, "one", TARGETS)
    _finished(place, "sim", ["x+sim@1"])
    real, made = (gather(place, _at_hand(SOURCES), kind, _score) for kind in (False, True))
    assert [o.target for o in real.outcomes] == TARGETS
    assert [o.target for o in made.outcomes] == ["x+sim@1"]


def test_what_is_not_at_hand_or_cannot_be_scored_is_counted(tmp_path: Path) -> None:
    """Sources without weights, and targets whose data is gone, are left out and told."""
    place = Workspace(tmp_path)
    _finished(place, "one", TARGETS)
    found = gather(place, _at_hand(SOURCES[:2]), False, _score)
    assert ([len(o.gains) for o in found.outcomes], found.left_out) == ([2, 2], 2)

    def gone(transfer: Trial, pretraining: Result) -> Scores:
        if transfer.dataset == "y@1":
            raise DataError("y is not prepared")
        return _score(transfer, pretraining)

    found = gather(place, _at_hand(SOURCES), False, gone)
    assert ([o.target for o in found.outcomes], found.left_out) == (["x@1"], 3)
    assert gather(place, _at_hand(SOURCES[:1]), False, _score).outcomes == ()


def test_a_damaged_study_is_no_evidence(tmp_path: Path) -> None:
    """Others still count."""
    place = Workspace(tmp_path)
    _finished(place, "one", TARGETS)
    write_whole(place.results("bad") / "study.toml", "name = [")
    assert len(gather(place, _at_hand(SOURCES), False, _score).outcomes) == 2
