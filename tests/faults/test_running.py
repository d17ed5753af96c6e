"""Faults while it runs: lost workers, hanging trainings, a jumping clock, another version."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.faults.ground import TRIALS, Ground, assert_equal, assert_kept, assert_told


def _children(pid: int) -> list[int]:
    """Processes of a pool; the one that multiprocessing keeps for itself is left out."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(c) for c in listed if "spawn_main" in Path(f"/proc/{c}/cmdline").read_text()]


def test_a_killed_worker_is_told(begun: Ground, undisturbed: Ground) -> None:
    """A worker that the system kills (as when memory runs out) ends the run with a mend."""
    process = begun.start(workers=2)
    while not begun.rows() and process.poll() is None:
        time.sleep(0.02)
    kept = begun.rows()
    os.kill(_children(process.pid)[0], signal.SIGKILL)
    said = process.communicate(timeout=60)
    ran = subprocess.CompletedProcess(process.args, process.returncode, *said)
    assert_told(ran, "a worker process ended", "--workers 1")
    assert_kept(begun, kept)
    assert begun.here().returncode == 0
    assert_equal(begun, undisturbed)


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_training_that_hangs_is_a_failed_row(
    begun: Ground, undisturbed: Ground, workers: int
) -> None:
    """With --limit it ends, the others complete, and the rerun trains it."""
    words = ("run", "tiny.toml", "--workers", str(workers), "--limit", "0.1")
    ran = begun.run(*words, inject="sleep")
    assert ran.returncode == 1, ran.stderr
    kept = begun.rows()
    assert len(kept) == TRIALS - 1
    assert "took longer than --limit 0.1 minutes" in ran.stdout + ran.stderr
    assert begun.here().returncode == 0
    assert_kept(begun, kept)
    assert_equal(begun, undisturbed)


@pytest.mark.slow
def test_a_training_that_answers_no_signal_ends_its_worker(
    begun: Ground, undisturbed: Ground
) -> None:
    """What hangs outside of Python is ended after a grace; the message says how to go on."""
    words = ("run", "tiny.toml", "--workers", "2", "--limit", "0.25")
    ran = begun.run(*words, inject="stuck")
    assert ran.returncode == 2, ran.stderr
    assert "hung past --limit" in ran.stderr
    assert "mend:" in ran.stderr
    kept = begun.rows()
    assert begun.here().returncode == 0
    assert_kept(begun, kept)
    assert_equal(begun, undisturbed)


def test_a_clock_that_jumps_changes_nothing(begun: Ground, undisturbed: Ground) -> None:
    """Years back and forth within a run, and files from the future, are no matter."""
    ran = begun.run(inject="clock")
    assert ran.returncode == 0, ran.stderr
    for file in begun.results.glob("*.jsonl"):
        os.utime(file, (4e9, 4e9))
    kept = begun.rows()
    assert f"all {TRIALS} trials are done" in begun.run(inject="clock").stderr
    assert_kept(begun, kept)
    assert_equal(begun, undisturbed)
    assert all(0 <= row.cost["seconds"] < 250 for row in kept.values())


def _rewrite(ground: Ground, change: dict[str, object], *, inside: bool = False) -> None:
    """Every row with more fields than this version knows."""
    file = next(ground.results.glob("*.jsonl"))
    records = [json.loads(line) for line in file.read_text().splitlines()]
    for record in records:
        (record["trial"]["recipe"] if inside else record).update(change)
        record["environment"]["tsxfer"] = "9.9.9"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))


def test_rows_of_a_later_version_count(done: Ground, undisturbed: Ground) -> None:
    """Fields that a later version added beside the trial are passed over."""
    _rewrite(done, {"carbon": {"grams": 3}, "note": "made later"})
    assert f"all {TRIALS} trials are done" in done.here().stderr
    assert_equal(done, undisturbed)


def test_trials_of_a_later_version_are_left_alone(done: Ground, undisturbed: Ground) -> None:
    """Rows of options that this version does not know are kept, named, and not taken for damage."""
    _rewrite(done, {"momentum": 0.5}, inside=True)
    file = next(done.results.glob("*.jsonl"))
    before = file.read_bytes()
    ran = done.here()
    assert ran.returncode == 0, ran.stderr
    assert f"{TRIALS} row(s) of another version of tsxfer are left as they are" in ran.stderr
    assert "damaged" not in ran.stderr
    assert file.read_bytes() == before
    assert_equal(done, undisturbed)


def test_rows_of_an_earlier_version_count(done: Ground, undisturbed: Ground) -> None:
    """Rows without what was added since (alignment, threads) pair with new ones."""
    file = next(done.results.glob("*.jsonl"))
    records = [json.loads(line) for line in file.read_text().splitlines()]
    for record in records[:-2]:
        record.pop("alignment", None)  # pretrainings that were kept have it too
        del record["environment"]["threads"]
    text = [json.dumps(record) + "\n" for record in records[:-2]]
    file.write_text("".join(text))
    kept = done.rows()
    ran = done.here()
    assert ran.returncode == 0, ran.stderr
    assert_kept(done, kept)
    scores = {key: row.scores for key, row in done.rows().items()}
    assert scores == {key: row.scores for key, row in undisturbed.rows().items()}


def test_two_versions_over_one_store(begun: Ground, undisturbed: Ground) -> None:
    """One version begins, another completes; the rows are one study."""
    process = begun.start(inject="version")
    while len(begun.rows()) < 3 and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    kept = begun.rows()
    assert {row.environment["tsxfer"] for row in kept.values()} == {"9.9.9"}
    ran = begun.here()
    assert ran.returncode == 0, ran.stderr
    assert_kept(begun, kept)
    assert_equal(begun, undisturbed)


def test_a_declaration_of_a_later_version_is_told(done: Ground, undisturbed: Ground) -> None:
    """An analysis that this version does not understand is refused, not overwritten."""
    lock = done.results / "analysis.lock.toml"
    text = lock.read_text()
    lock.write_text('sequential = "pocock"\n' + text)
    assert_told(done.here(), "sequential", "a later one")
    assert lock.read_text().endswith(text)
    lock.write_text(text)
    assert done.here().returncode == 0
    assert_equal(done, undisturbed)


def test_a_failed_source_costs_its_transfers_only(begun: Ground, undisturbed: Ground) -> None:
    """Where one pretraining fails, everything else is trained, and the rerun completes."""
    broken = begun.run("run", "tiny.toml", "--workers", "2", inject="source")
    assert broken.returncode == 1, broken.stderr
    assert "has no weights: that training failed" in broken.stderr
    kept = begun.rows()
    assert len(kept) == TRIALS - 2  # one pretraining and the transfer of repeat 1
    assert begun.here().returncode == 0
    assert_kept(begun, kept)
    assert_equal(begun, undisturbed)


def test_memory_that_runs_out_is_told(done: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused allocation of host memory gets a message with a mend (a device's: test_runner)."""
    next(done.results.glob("*.jsonl")).unlink()

    def refuse(*_: object) -> None:
        np.empty(1 << 58, np.uint8)

    monkeypatch.setattr("tsxfer.running.setup.load_task", refuse)
    assert_told(done.here(), "out of memory", "Unable to allocate", "--workers")
