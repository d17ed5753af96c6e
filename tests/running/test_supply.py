"""Who does what: ancestors first, nothing that others hold or have finished."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.packs import Count, count, jobs, studies
from tests.rows import study
from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.specs import Reuse, Trial
from tsxfer.running.runner import Job
from tsxfer.running.supply import Shared, Supply, packs
from tsxfer.store.leases import Leases
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[Result]:
    """One pretraining, then three scratch runs, each with a transfer from it."""
    monkeypatch.setattr("tsxfer.running.supply.fingerprints", lambda *_: {})
    made = [replace(row, data={}) for row in study(3, [0.1] * 3, [0.2] * 3)[1].values()]
    origin = Trial("speech@1", "convnetquake", "all", 0)
    moved = [
        replace(row, trial=replace(row.trial, reuse=row.trial.reuse and Reuse(origin)))
        for row in made
    ]
    return [replace(made[0], trial=origin), *moved]


def _jobs(trials: list[Trial]) -> list[Job]:
    return [
        Job(trial=trial, workspace="w", study="s", device="cpu", keep_weights=False, threads=1)
        for trial in trials
    ]


def _supply(folder: Path, rows: list[Result], width: int = 1) -> Supply:
    """A worker that found no row yet."""
    store = Store(folder / "rows")
    shared = Shared(Workspace(folder), store, Leases(folder / "leases"))
    return Supply(packs(_jobs([row.trial for row in rows]), width), shared)


def test_descendants_wait_for_their_ancestor(rows: list[Result]) -> None:
    """Alone: what starts from a pretraining is handed out once that is finished."""
    supply = Supply(packs(_jobs([row.trial for row in rows])))
    first = supply.take()
    assert first is not None
    early = [supply.take() for _ in range(3)]
    assert all(pack and pack[0].trial.reuse is None for pack in early)
    assert supply.take() is None
    supply.finish(first)
    later = supply.take()
    assert later is not None
    assert later[0].trial.reuse is not None


def test_two_workers_share_without_overlap(tmp_path: Path, rows: list[Result]) -> None:
    """What one holds the other does not get, and its rows are not done again."""
    a, b = _supply(tmp_path, rows), _supply(tmp_path, rows)
    mine = a.take()
    assert mine is not None
    theirs = b.take()
    assert theirs is not None
    assert mine[0].trial.key != theirs[0].trial.key
    seen: list[Result] = []
    b.notice = seen.append
    Store(tmp_path / "rows").append(rows[0])
    a.finish(mine)
    pack = b.take()
    assert [row.key for row in seen] == [rows[0].key]
    assert pack is not None
    assert pack[0].trial.key not in {mine[0].trial.key, theirs[0].trial.key}
    a.close()
    b.close()


def test_a_pack_is_cut_down_to_what_is_free(tmp_path: Path, rows: list[Result]) -> None:
    """Where another worker holds one trial of a pack, the others are handed out."""
    scratch = [row for row in rows[1:] if row.trial.reuse is None]
    a, b = _supply(tmp_path, scratch[1:2]), _supply(tmp_path, scratch, width=3)
    assert a.take()
    pack = b.take()
    assert pack is not None
    assert [job.trial.key for job in pack] == [scratch[0].key, scratch[2].key]
    assert [job.trial.key for rest in b.waiting for job in rest] == [scratch[1].key]
    a.close()
    b.close()


def test_a_failed_row_of_another_worker_is_not_tried_again(
    tmp_path: Path, rows: list[Result]
) -> None:
    """A failure is the same on every machine, so this run leaves it."""
    supply = _supply(tmp_path, rows[:1])
    Store(tmp_path / "rows").append(replace(rows[0], status="failed", error="diverged"))
    assert supply.take() is None
    assert not supply.waiting


def test_a_row_from_other_data_does_not_count(
    tmp_path: Path, rows: list[Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker's row whose fingerprints are not those here is trained again."""
    supply = _supply(tmp_path, rows[:1])
    monkeypatch.setattr("tsxfer.running.supply.fingerprints", lambda *_: {"other": "data"})
    Store(tmp_path / "rows").append(rows[0])
    assert supply.take()
    supply.close()


def test_fresh_rows_are_whole_and_come_once(tmp_path: Path, rows: list[Result]) -> None:
    """Half a line waits for its other half; rows read before do not come again."""
    writer, reader = Store(tmp_path), Store(tmp_path)
    writer.append(rows[1])
    assert reader.rows()
    assert reader.fresh() == []
    writer.append(rows[2])
    file = next(tmp_path.glob("*.jsonl"))
    text = file.read_bytes()
    file.write_bytes(text[:-30])
    assert reader.fresh() == []
    file.write_bytes(text)
    assert reader.fresh() == [rows[2]]
    assert reader.fresh() == []
    assert writer.fresh() == []


def test_packs_and_uploads_of_a_study_are_those_of_the_bench() -> None:
    """A pack puts data on a device once a repeat; the counts are those of bench/README.md."""
    found = {
        name: count(jobs(expand(one))) for name, one in studies().items() if len(one.models) == 1
    }
    assert found == {"README's first command": Count(31, 31, 3, 5, uploads=17, most=7)}
    strict = count(jobs(expand(studies()["all by all, four models"])))
    assert strict == Count(1460, 1460, 60, 100, uploads=340, most=7)
