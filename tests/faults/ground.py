"""What faults are tried on: a tiny study, runs of it in their own process, what must be equal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from tests.study import NAME, here, text
from tsxfer.checks.verify import verify
from tsxfer.core.results import Result
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

STUDY = text(repeats=3, pretrainings=2)
TRIALS = 8  # 2 pretrainings, 3 scratch runs, 3 transfers
INJECTED = Path(__file__).parent / "injected"


@dataclass(frozen=True, slots=True)
class Ground:
    """A folder with the study file and its workspace."""

    folder: Path

    @property
    def place(self) -> Workspace:
        """The workspace."""
        return Workspace(self.folder / "tsxfer-workspace")

    @property
    def results(self) -> Path:
        """Where rows and predictions lie."""
        return self.place.results(NAME)

    def rows(self) -> dict[str, Result]:
        """Finished rows that are there."""
        found = Store.of(self.place, NAME).rows()
        return {key: row for key, row in found.items() if row.status == "done"}

    def start(self, *words: str, inject: str = "", workers: int = 1) -> subprocess.Popen[str]:
        """Begin a run, or another command, with a fault injected into it and its workers."""
        words = words or ("run", "tiny.toml", "--workers", str(workers))
        return subprocess.Popen(
            [sys.executable, "-m", "tsxfer", *words],
            cwd=self.folder,
            env=_environment(inject),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *words: str, inject: str = "", workers: int = 1
    ) -> subprocess.CompletedProcess[str]:
        """Begin and wait."""
        process = self.start(*words, inject=inject, workers=workers)
        said = process.communicate(timeout=250)
        return subprocess.CompletedProcess(process.args, process.returncode, *said)

    def here(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in this process, which spares the start of another."""
        words = words or ("run", "tiny.toml", "--workers", "1")
        return here(self.folder, *words)


def _environment(inject: str) -> dict[str, str]:
    paths = [str(INJECTED), os.environ.get("PYTHONPATH", "")] if inject else []
    more = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "TSXFER_INJECT": inject}
    return {**os.environ, **(more if inject else {})}


def fresh(folder: Path, data: Ground | None = None) -> Ground:
    """A ground on which nothing has run; with the prepared data of another, to be quick."""
    folder.mkdir(parents=True)
    (folder / "tiny.toml").write_text(STUDY)
    ground = Ground(folder)
    if data is not None:
        shutil.copytree(data.place.root / "data", ground.place.root / "data")
    return ground


def numbers(row: Result) -> Result:
    """What must be equal: the row without how long it took and with what."""
    return replace(row, cost={**row.cost, "seconds": 0.0}, environment={})


def assert_equal(ground: Ground, reference: Ground, told: tuple[str, ...] = ()) -> None:
    """The study is complete, equals an undisturbed run, and holds together but for what is told."""
    found, wanted = ground.rows(), reference.rows()
    assert found.keys() == wanted.keys()
    assert [key for key in wanted if numbers(found[key]) != numbers(wanted[key])] == []
    checks = [c for c in verify(NAME, ground.place) if c.name not in ("lines", "keys")]
    faults = {c.name: c.faults[:2] for c in checks if c.faults}
    assert set(faults) == set(told), faults


def assert_kept(ground: Ground, before: dict[str, Result]) -> None:
    """No finished row is lost or changed."""
    now = ground.rows()
    assert before.keys() <= now.keys()
    assert [key for key in before if numbers(now[key]) != numbers(before[key])] == []


def assert_told(ran: subprocess.CompletedProcess[str], *messages: str) -> None:
    """One message with a mend and exit code 2, no traceback."""
    assert "Traceback" not in ran.stderr, ran.stderr
    assert ran.returncode == 2, (ran.returncode, ran.stderr)
    for message in ("mend:", *messages):
        assert message in ran.stderr
