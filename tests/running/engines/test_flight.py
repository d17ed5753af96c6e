"""Packs through a cluster: order, bundles, losses, errors; the cluster here answers at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rows import study
from tsxfer.core.plugins import PLUGINS, plugin_folders
from tsxfer.core.results import Result
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.errors import DataError, SpecError, StoreError
from tsxfer.running.engines import wire
from tsxfer.running.engines.flight import fly
from tsxfer.running.engines.options import SlurmOptions
from tsxfer.running.engines.slurm import Slurm
from tsxfer.running.runner import Job
from tsxfer.running.supply import Pack, Supply
from tsxfer.store.rows import to_line

ROWS = list(study(4, [0.1] * 4, [0.2] * 4)[1].values())


def _packs(rows: Sequence[Result]) -> list[Pack]:
    return [
        (
            Job(
                trial=row.trial,
                workspace="w",
                study="s",
                device="cpu",
                keep_weights=False,
                threads=1,
            ),
        )
        for row in rows
        if not row.trial.reuse
    ]


class Answering:
    """A cluster that ends the oldest handle first, and loses those it is told to."""

    def __init__(self, most: int = 2, lose: int = 0) -> None:
        self._most, self.lose, self.sent, self.peak = most, lose, 0, 0
        self.stopped: list[int] = []

    def most(self) -> int:
        """As told."""
        return self._most

    def start(self, packs: Sequence[Pack], busy: int) -> dict[int, list[Pack]]:
        """Numbers are handles."""
        self.peak = max(self.peak, busy + len(packs))
        found = {self.sent + i: [pack] for i, pack in enumerate(packs)}
        self.sent += len(packs)
        self.packs = {**getattr(self, "packs", {}), **found}
        return found

    def ended(self, running: Sequence[int], seconds: float) -> list[int]:
        """The oldest; never waits."""
        del seconds
        return [min(running)]

    def answers(self, handle: int) -> list[str] | None:
        """What a worker would have said."""
        if self.lose:
            self.lose -= 1
            return None
        key = self.packs[handle][0][0].trial.key
        return [json.dumps({"rows": [to_line(row) for row in ROWS if row.key == key]})]

    def stop(self, running: Sequence[int]) -> None:
        """Remember what was cancelled."""
        self.stopped = list(running)


def test_all_rows_come_and_few_are_in_flight() -> None:
    """Each pack is sent once, never more at a time than the cluster takes."""
    packs, cluster = _packs(ROWS), Answering()
    found = list(fly(Supply(packs), cluster))
    assert {row.key for row in found} == {pack[0].trial.key for pack in packs}
    assert cluster.sent == len(packs) == len(found)
    assert cluster.peak == 2
    assert cluster.stopped == []


def test_a_lost_pack_is_sent_again_and_not_for_ever() -> None:
    """Two losses are made good; the third of the same pack is an error that names it."""
    packs = _packs(ROWS)[:1]
    assert len(list(fly(Supply(packs), Answering(lose=2)))) == 1
    with pytest.raises(StoreError, match="lost 3 times"):
        list(fly(Supply(packs), Answering(lose=3)))


def test_what_nobody_reads_is_cancelled() -> None:
    """When the caller stops in the middle, packs in flight are stopped."""
    cluster = Answering()
    rows = fly(Supply(_packs(ROWS)), cluster)
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert cluster.stopped


def test_jobs_cross_as_text(tmp_path: Path) -> None:
    """What arrives is what was sent, with the workspace by its whole path."""
    trial = Trial(
        dataset="emg+sim@1", model="tcn", size="10%", repeat=3, recipe=Recipe(tune=(0.1, 1.0))
    )
    job = Job(
        trial=replace(trial, reuse=Reuse(trial)),
        workspace="relative",
        study="s",
        device="cpu",
        keep_weights=True,
        threads=2,
    )
    [back] = [wire.from_plain(Job, plain) for plain in json.loads(wire.to_text([job]))["jobs"]]
    assert back == replace(job, workspace=str(Path("relative").resolve()))


def test_errors_of_the_user_come_back_whole(tmp_path: Path) -> None:
    """A worker that finds no data says so here as it would have said there."""
    job = Job(
        trial=Trial("speech@1", "tcn", "60", 0),
        workspace=str(tmp_path),
        study="s",
        device="cpu",
        keep_weights=False,
        threads=1,
    )
    with pytest.raises(DataError, match="not prepared") as caught:
        wire.rows(wire.work(wire.to_text([job])))
    assert "tsxfer prepare speech" in caught.value.mend


def test_bundles_fill_the_tasks_and_ancestors_go_alone() -> None:
    """Few packs go one a task, many are bundled; what others wait for is never behind another."""
    slurm = Slurm(SlurmOptions(tasks=2, bundle=3), None, 0)
    packs = _packs(ROWS)
    first = tuple(replace(job, keep_weights=True) for job in packs[0])
    sizes = [len(bundle) for bundle in slurm._bundles([first, *packs[1:]], 2)]
    assert sizes == [1, 2, 1]
    assert [len(b) for b in slurm._bundles(packs, 4)] == [1, 1, 1, 1]
    assert [len(b) for b in slurm._bundles(packs, 1)] == [3, 1]


def test_a_worker_that_inherits_nothing_finds_the_plugins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder crosses with the jobs; where it cannot be seen, the worker says so."""
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv(PLUGINS, str(tmp_path / "mine"))
    job = Job(
        trial=Trial("speech@1", "tcn", "60", 0),
        workspace=str(tmp_path),
        study="s",
        device="cpu",
        keep_weights=False,
        threads=1,
    )
    text = wire.to_text([job])
    monkeypatch.setenv(PLUGINS, "")
    with pytest.raises(DataError, match="not prepared"):
        wire.rows(wire.work(text))
    assert plugin_folders() == [tmp_path / "mine"]
    (tmp_path / "mine").rmdir()
    with pytest.raises(SpecError, match="no folder"):
        wire.rows(wire.work(text))
