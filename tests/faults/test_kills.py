"""Kill -9 at random moments, requests to stop: no finished row is lost, the end is the same."""

import contextlib
import os
import random
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.ground import Ground, assert_equal, assert_kept, fresh, numbers
from tests.study import text
from tsxfer.core.results import Result


def _changes(ground: Ground) -> int:
    """A number that grows with whatever is written."""
    found = 0
    for folder, _, files in os.walk(ground.place.root):
        for name in files:
            try:
                found += 1 + (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue
    return found


def _wait_by_time(draw: random.Random, process: subprocess.Popen[str], longest: float) -> None:
    """Any moment, starting and reporting included."""
    end = time.monotonic() + draw.uniform(0, longest)
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.005)


def _wait_by_writes(draw: random.Random, process: subprocess.Popen[str], ground: Ground) -> None:
    """The moment after something was written, when files are most likely half done."""
    left, seen = draw.randint(1, 12), _changes(ground)
    while left and process.poll() is None:
        now = _changes(ground)
        left -= now != seen
        seen = now
    time.sleep(draw.uniform(0, 0.01))


def _kill_often(folder: Path, undisturbed: Ground, kills: int, seed: int) -> int:
    """Kill runs of a study until so many died; each time it completes, compare and begin anew."""
    draw, died, finished = random.Random(seed), 0, 0  # noqa: S311
    ground, longest = fresh(folder / "0"), 8.0
    while died < kills:
        before, began = ground.rows(), time.monotonic()
        process = ground.start(workers=draw.choice((1, 1, 2)))
        if draw.random() < 0.5:
            _wait_by_time(draw, process, longest)
        else:
            _wait_by_writes(draw, process, ground)
        process.kill()
        said = process.communicate()[1]
        assert_kept(ground, before)
        if process.returncode == -signal.SIGKILL:
            died += 1
            continue
        assert process.returncode == 0, said
        assert_equal(ground, undisturbed)
        finished, longest = finished + 1, max(2.0, time.monotonic() - began)
        ground = fresh(folder / str(finished))
    ran = ground.here()
    assert ran.returncode == 0, ran.stderr
    assert_equal(ground, undisturbed)
    return finished + 1


def test_killed_five_times(tmp_path: Path, undisturbed: Ground) -> None:
    """Five kills at random moments cost no finished row and change no number."""
    assert _kill_often(tmp_path, undisturbed, 5, seed=1) >= 1


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_a_hundred_times(tmp_path: Path, undisturbed: Ground) -> None:
    """A hundred kills do not either."""
    studies = _kill_often(tmp_path, undisturbed, 100, seed=2)
    print(f"100 kills, {studies} studies completed equal, 0 rows lost")  # noqa: T201


@pytest.mark.parametrize(
    ("workers", "group"),
    [
        (2, True),
        pytest.param(1, True, marks=pytest.mark.slow),
        pytest.param(1, False, marks=pytest.mark.slow),
        pytest.param(2, False, marks=pytest.mark.slow),
    ],
)
def test_sigterm_stops_as_ctrl_c_does(
    begun: Ground, undisturbed: Ground, workers: int, group: bool
) -> None:
    """Asked to end (the process alone or its whole group), rows are kept and the code is 143."""
    process = begun.start(workers=workers)
    while len(begun.rows()) < 3 and process.poll() is None:
        time.sleep(0.02)
    kept = begun.rows()
    send = os.killpg if group else os.kill
    send(process.pid, signal.SIGTERM)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 143, said
    assert "finished rows are kept" in said
    assert "Traceback" not in said
    assert_kept(begun, kept)
    assert begun.here().returncode == 0
    assert_equal(begun, undisturbed)


def test_sigterm_while_preparing(tmp_path: Path, undisturbed: Ground) -> None:
    """Before the first row the code is the same, and the rerun is whole."""
    ground = fresh(tmp_path / "study")
    process = ground.start()
    while not (ground.place.root / "data").exists() and process.poll() is None:
        time.sleep(0.005)
    process.terminate()
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 143, said
    assert "Traceback" not in said
    assert ground.here().returncode == 0
    assert_equal(ground, undisturbed)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_training_that_was_killed_goes_on_in_its_middle(tmp_path: Path) -> None:
    """Killed again and again between epochs, each trial is taken up; the rows are the same."""
    study = 'models = ["mlstm_fcn"]' + text(repeats=1, epochs=12, patience=12, source_epochs=12)
    whole, killed = fresh(tmp_path / "whole"), fresh(tmp_path / "killed")
    for ground in (whole, killed):
        (ground.folder / "tiny.toml").write_text(study)
    assert whole.run().returncode == 0
    kills = 0
    while kills < 200:
        process = killed.start(
            "run", "tiny.toml", "--workers", "1", "--checkpoint-minutes", "0.00001"
        )
        _wait_by_states(process, killed, 3)
        process.kill()
        said = process.communicate()[1]
        if process.returncode != -signal.SIGKILL:
            break
        kills += 1
    assert process.returncode == 0, said
    rows = killed.rows()
    taken_up = [str(row.cost.get("state", "")) for row in rows.values()]
    assert all(words.startswith("resumed after epoch ") for words in taken_up), taken_up
    assert kills >= len(rows) == 3
    stateless = {key: _stateless(row) for key, row in rows.items()}
    assert stateless == {key: _stateless(row) for key, row in whole.rows().items()}
    assert not list((killed.place.root / "unfinished").iterdir())
    print(f"{kills} kills: {taken_up}")  # noqa: T201


def _stateless(row: Result) -> Result:
    row = numbers(row)
    return replace(row, cost={n: v for n, v in row.cost.items() if n != "state"})


def _wait_by_states(process: subprocess.Popen[str], ground: Ground, count: int) -> None:
    """Until so many states were written."""
    seen = 0.0
    while count and process.poll() is None:
        times = [0.0]
        for path in (ground.place.root / "unfinished").glob("*.state"):
            with contextlib.suppress(FileNotFoundError):
                times.append(path.stat().st_mtime)
        count -= seen not in (0.0, max(times))
        seen = max(times)
        time.sleep(0.001)
