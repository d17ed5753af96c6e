"""Several workers over one folder, without any engine: real processes, one of them killed."""

import signal
from pathlib import Path

import pytest

from tests.study import TRIALS, lines, run, scores, until


@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_workers_share_a_study(alone: Path, together: Path, count: int) -> None:
    """Each trial is trained once, by several workers, with the numbers of one worker alone."""
    workers = [run(together) for _ in range(count)]
    said = [worker.communicate(timeout=280)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * count, said
    assert len(lines(together)) == TRIALS
    assert len({writer for writer, _ in lines(together)}) == count
    assert scores(together) == scores(alone)
    assert not list((together / "tsxfer-workspace/leases").glob("*.lease"))


def test_a_killed_worker_loses_no_row(alone: Path, together: Path) -> None:
    """Of two workers one is killed with a row unfinished; the other does that one again."""
    workers = [run(together) for _ in range(2)]
    until(lambda: bool(lines(together)))  # a pack's rows come at once: whose they are is chance
    workers[0].send_signal(signal.SIGKILL)
    workers[0].communicate()
    before = {row["key"] for _, row in lines(together)}
    assert len(before) < TRIALS
    said = [worker.communicate(timeout=280)[1] for worker in workers[1:]]
    assert [worker.returncode for worker in workers[1:]] == [0], said
    found = lines(together)
    assert scores(together) == scores(alone)
    assert len(found) <= TRIALS + 1
    assert before <= {row["key"] for _, row in found}


@pytest.mark.slow
def test_workers_wait_for_a_shared_pretraining(alone: Path, together: Path) -> None:
    """Two workers that both need it start together; it is trained once."""
    text = (together / "study.toml").read_text().replace("pretrainings = 2", "pretrainings = 1")
    (together / "study.toml").write_text(text.replace("epochs = 3", "epochs = 40"))
    workers = [run(together) for _ in range(2)]
    said = [worker.communicate(timeout=280)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    made = [row["trial"]["dataset"] for _, row in lines(together)]
    assert made.count("emg+sim@1") == 1
    assert len(made) == TRIALS - 1


@pytest.mark.slow
def test_a_pool_shares_too(alone: Path, together: Path) -> None:
    """Workers with two processes each do nothing twice either."""
    workers = [run(together, workers=2) for _ in range(2)]
    said = [worker.communicate(timeout=280)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    assert len(lines(together)) == TRIALS
    assert scores(together) == scores(alone)
