"""A real Ray cluster on this machine: a head and two workers, one of which dies."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.running.engines.nodes import kill, process
from tests.study import LONG_TRIALS, lines, run, scores, set_up, until

pytest.importorskip("ray", reason='pip install "tsxfer[ray]"')
RAY = str(Path(sys.executable).with_name("ray"))


@dataclass(frozen=True)
class Nodes:
    """A head without CPUs, and workers with one each."""

    address: str
    workers: list[subprocess.Popen]


@pytest.fixture
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Three `ray start` processes."""
    folder = tmp_path_factory.mktemp("r")
    port = random.randrange(20_000, 30_000)  # noqa: S311
    common = ["--block", "--disable-usage-stats", "--object-store-memory=100000000"]
    head = ["--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false"]
    head += [f"--temp-dir={folder}", "--node-ip-address=127.0.0.1"]
    with ExitStack() as stack:
        stack.enter_context(process([RAY, "start", *head, *common], folder / "head.log"))
        until(lambda: "--address=" in (folder / "head.log").read_text(), 60)
        said = (folder / "head.log").read_text()
        address = said.partition("--address='")[2].partition("'")[0]
        join = [RAY, "start", f"--address={address}", "--num-cpus=1", *common]
        workers = []
        for name in ("one.log", "two.log"):
            workers.append(stack.enter_context(process(join, folder / name)))
            until(lambda file=folder / name: "runtime started" in file.read_text(), 60)
        yield Nodes(address, workers)


@pytest.mark.slow
def test_a_node_that_dies_changes_nothing(long_alone: Path, tmp_path: Path, nodes: Nodes) -> None:
    """One of two workers is killed -9 in the middle; each row is there once, as run alone."""
    folder = set_up(tmp_path, long_alone)
    driver = run(
        folder, "--engine", "ray", "--address", nodes.address, "--device", "cpu", workers=0
    )
    until(lambda: len(lines(folder)) >= 10)
    kill(nodes.workers[0].pid)
    before = len(lines(folder))
    said = driver.communicate(timeout=280)[1]
    assert driver.returncode == 0, said
    assert before < LONG_TRIALS
    assert len(lines(folder)) == LONG_TRIALS
    assert scores(folder) == scores(long_alone)
    assert not list((folder / "tsxfer-workspace/leases").glob("*.lease"))


@pytest.mark.slow
def test_without_a_cluster_it_is_said(long_alone: Path, tmp_path: Path) -> None:
    """No Ray at the address: a message with what to do, and nothing trained."""
    folder = set_up(tmp_path, long_alone)
    driver = run(folder, "--engine", "ray", "--address", "127.0.0.1:1", workers=0)
    said = driver.communicate(timeout=280)[1]
    assert driver.returncode == 2
    assert "ray start --head" in said
    assert "Traceback" not in said
    assert lines(folder) == []
