"""Slurm: bundles that go on after a requeue, submitit's local executor, and a real Slurm here."""

from __future__ import annotations

import getpass
import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.running.engines.nodes import commands, process
from tests.study import LONG_TRIALS, TRIALS, lines, run, scores, set_up, until
from tsxfer.running.engines.slurm import Bundle

DAEMONS = ("munged", "slurmctld", "slurmd")
HERE = all(shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in DAEMONS)
FLAGS = ("--engine", "slurm", "--device", "cpu", "--engine-option", "memory_gb=1")
CONF = """
ClusterName=tsxfer
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={next_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# A requeued task waits until its old credential expires: two minutes without this.
AuthInfo=socket={folder}/open/munge,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=2
SchedulerParameters=sched_interval=2,bf_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def test_a_bundle_goes_on_where_it_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """What submitit stores at a preemption knows what is done, and does the rest only."""
    pytest.importorskip("submitit")
    worked: list[str] = []

    def work(pack: str) -> str:
        if pack == "b" and worked.count("b") == 0:
            worked.append("b")
            raise KeyboardInterrupt  # the node goes away in the middle of b
        worked.append(pack)
        return pack.upper()

    monkeypatch.setattr("tsxfer.running.engines.slurm.wire.work", work)
    bundle = Bundle(["a", "b", "c"])
    with pytest.raises(KeyboardInterrupt):
        bundle()
    again = bundle.checkpoint()
    assert again.result() == ["A", "B", "C"]
    assert worked == ["a", "b", "b", "c"]


@pytest.mark.slow
def test_a_study_through_the_local_executor(alone: Path, together: Path) -> None:
    """The whole way through submitit, with processes here in place of Slurm's tasks."""
    pytest.importorskip("submitit")
    flags = ("--engine-option", "cluster=local", "--engine-option", "tasks=2")
    driver = run(together, *FLAGS, *flags, workers=0)
    said = driver.communicate(timeout=280)[1]
    assert driver.returncode == 0, said
    assert len(lines(together)) == TRIALS
    assert scores(together) == scores(alone)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One host that is controller and node, with its own keys, ports and folders."""
    if not HERE:
        pytest.skip("no Slurm: apt-get install slurmctld slurmd slurm-client munge")
    folder, port = tmp_path_factory.mktemp("slurm"), random.randrange(20_000, 30_000)  # noqa: S311
    for name in ("open", "state", "spool"):
        (folder / name).mkdir()
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o600)
    for place in (folder, *folder.parents):  # munge wants a socket that all may reach
        if place.stat().st_uid == os.getuid():
            place.chmod(place.stat().st_mode | 0o111)
    facts = {"host": socket.gethostname().partition(".")[0], "user": getpass.getuser()}
    (folder / "slurm.conf").write_text(
        CONF.format(folder=folder, port=port, next_port=port + 1, **facts)
    )
    patch = pytest.MonkeyPatch()
    patch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin")
    patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    munged = ["munged", "--foreground", "--key-file", "key", "--socket", "open/munge"]
    munged += ["--pid-file", "munged.pid", "--seed-file", "seed", "--log-file", "munged.log"]
    munged = [f"{folder}/{w}" if (i > 2 and i % 2 == 1) else w for i, w in enumerate(munged)]
    with ExitStack() as stack:
        stack.callback(patch.undo)
        stack.enter_context(process(munged, folder / "munged.out"))
        until(lambda: (folder / "open/munge").exists(), 20)
        stack.enter_context(process(["slurmctld", "-D"], folder / "slurmctld.log"))
        until(lambda: " UP" in _ask("scontrol", "ping"), 60)
        stack.enter_context(process(["slurmd", "-D", "-N", facts["host"]], folder / "slurmd.log"))
        until(lambda: _ask("sinfo", "-h", "-o", "%T").strip() == "idle", 60)
        yield
        _ask("scancel", "-u", getpass.getuser())
        until(lambda: not _ask("squeue", "-h").strip(), 60)  # its step daemons are no children


def _ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _predictions(folder: Path) -> int:
    """Trials that workers finished; their rows may still be on their way."""
    return len(list((folder / "tsxfer-workspace/results").glob("*/predictions/[!.]*.npz")))


def _running() -> list[str]:
    return _ask("squeue", "-h", "-r", "-t", "R", "-o", "%i").split()


@pytest.mark.slow
def test_tasks_that_are_killed_or_preempted_are_requeued(
    long_alone: Path, tmp_path: Path, cluster: None
) -> None:
    """One task of an array is killed by a requeue, one is told to leave; no number changes."""
    folder = set_up(tmp_path, long_alone)
    driver = run(
        folder, *FLAGS, "--engine-option", "tasks=2", "--engine-option", "bundle=20", workers=0
    )
    until(lambda: _predictions(folder) >= 4 and len(_running()) == 2)
    killed, told = sorted(_running())
    assert killed.partition("_")[0] == told.partition("_")[0], "one array"
    subprocess.run(["scancel", "--signal=USR2", told], check=True)
    subprocess.run(["scontrol", "requeue", killed], check=True)
    said = driver.communicate(timeout=280)[1]
    assert driver.returncode == 0, said
    for task in (killed, told):
        assert "Restarts=1" in _ask("scontrol", "show", "job", task)
    [log] = (folder / "tsxfer-workspace/slurm").glob(f"*/{told}_0_log.*err")
    assert "Requeued job" in log.read_text() + log.with_suffix(".out").read_text()
    assert len(lines(folder)) == LONG_TRIALS
    assert scores(folder) == scores(long_alone)


@pytest.mark.slow
def test_a_task_that_dies_is_sent_again(alone: Path, together: Path, cluster: None) -> None:
    """A kill -9 of a task's process ends it for Slurm; its packs go out in another array."""
    driver = run(together, *FLAGS, "--engine-option", "tasks=2", workers=0)
    until(lambda: _predictions(together) >= 1)
    place = str(together / "tsxfer-workspace/slurm")
    tasks = [
        pid
        for pid, words in commands().items()
        if "submitit.core._submit" in words and "python" in words[0] and place in " ".join(words)
    ]
    os.kill(max(tasks), signal.SIGKILL)
    said = driver.communicate(timeout=280)[1]
    assert driver.returncode == 0, said
    assert len(lines(together)) == TRIALS
    assert scores(together) == scores(alone)
