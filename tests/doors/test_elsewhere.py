"""Code of the user's own on clusters, and in the commands that are printed: rows come back."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from unittest import mock

import pytest

from tests.doors import clusters
from tests.small import filled
from tests.study import here, text
from tsxfer.core.plugins import plugin_folders, use_plugins, with_plugins
from tsxfer.core.results import Result
from tsxfer.errors import SpecError
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

METHOD = """
from dataclasses import dataclass

from tsxfer.train.method import Method, method


@method(copied="backbone")
@dataclass
class Mine(Method):
    strength: float = 0.1

    def loss(self, step):
        return step.plain() + self.strength * step.features.square().mean()
"""
HEAD = """
import torch

from tsxfer.models.heads import head


@head()
def wide(width, outputs, *, hidden: int = 4):
    return torch.nn.Sequential(torch.nn.Linear(width, hidden), torch.nn.Linear(hidden, outputs))
"""
STUDY = text(repeats=2, sizes=(40,)).replace(
    "[recipe]",
    'strategies = [{}, {method = "mine", options = {strength = 2.0}}]\n'
    '[recipe]\nhead = "wide:hidden=3"',
)
FLAG = ("--plugins", "mine:wide.py")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of methods and a file beside it, and a study with both, run here."""
    folder = tmp_path_factory.mktemp("elsewhere")
    filled(Workspace(folder / "tsxfer-workspace"), 300, ("emg+sim", "finance+sim"))
    (folder / "mine").mkdir()
    (folder / "mine" / "mine.py").write_text(METHOD)
    (folder / "wide.py").write_text(HEAD)
    (folder / "tiny.toml").write_text(STUDY)
    done = here(folder, "run", "tiny.toml", "--workers", "1", *FLAG)
    assert done.returncode == 0, done.stderr
    assert "more:   tsxfer report tiny-simulated --plugins mine:wide.py --format" in done.stderr
    return folder


def rows(folder: Path, name: str = "tiny") -> dict[str, Result]:
    """Rows of a study by key."""
    place = Workspace(folder / "tsxfer-workspace")
    return dict(Store(place.results(f"{name}-simulated"), place).rows())


def numbers(folder: Path, name: str = "tiny") -> dict[str, object]:
    """What must be the same wherever a row was made."""
    found = rows(folder, name)
    assert {row.status for row in found.values()} == {"done"}, [r.error for r in found.values()]
    return {key: (row.scores, row.curve, row.data) for key, row in found.items()}


@pytest.mark.parametrize("engine", ["ray", "slurm"])
def test_a_cluster_gets_the_users_code_with_the_jobs(
    ran: Path, tmp_path: Path, engine: str
) -> None:
    """Tasks that inherit nothing find method, head and options; rows are those made here."""
    fake = clusters.ray(tmp_path) if engine == "ray" else clusters.submitit(tmp_path)
    (ran / f"{engine}.toml").write_text(STUDY.replace('"tiny"', f'"{engine}"'))
    for weights in (ran / "tsxfer-workspace" / "weights").glob("*"):
        weights.unlink()  # the source is trained there too
    with mock.patch.dict(sys.modules, fake):
        done = here(ran, "run", f"{engine}.toml", "--engine", engine, "--device", "cpu", *FLAG)
    assert done.returncode == 0, done.stderr
    assert numbers(ran, engine) == numbers(ran)


def test_the_printed_commands_make_the_rows_again(ran: Path) -> None:
    """The page's command has the flag and gives identical rows; without it, it is said why."""
    page = (ran / "tsxfer-workspace" / "reports" / "tiny-simulated.html").read_text()
    said = [shlex.split(one) for one in re.findall("<code>(tsxfer reproduce [^<]*)", page)]
    words = next(one for one in said if len(one) > 3)
    assert words[-2:] == list(FLAG)
    again = here(ran, *words[1:4], *FLAG)
    assert re.search(r"(\d) row\(s\) trained again: \1 identical\n$", again.stdout), again.stderr
    bare = here(ran, *words[1:4])
    assert bare.returncode == 2
    assert "the user's own head wide, which is not known here" in bare.stderr
    assert "add --plugins FOLDER" in bare.stderr
    assert "tsxfer verify tiny-simulated --plugins mine:wide.py" in page


def test_resuming_and_checking_by_name_need_the_flag_alone(ran: Path) -> None:
    """With it nothing is left to do, and all checks pass; without it, it is asked for."""
    before = numbers(ran)
    done = here(ran, "run", "tiny-simulated", "--workers", "1", *FLAG)
    assert done.returncode == 0, done.stderr
    assert "to do" not in done.stderr
    assert numbers(ran) == before
    assert here(ran, "verify", "tiny-simulated", *FLAG).returncode == 0
    bare = here(ran, "run", "tiny-simulated", "--workers", "1")
    assert bare.returncode == 2
    assert "(of your own: say --plugins FOLDER)" in bare.stderr


def test_an_edited_file_is_told_from_one_that_is_not_there(ran: Path, tmp_path: Path) -> None:
    """Its rows cannot be made again, and the message names the door and both hashes."""
    (tmp_path / "mine.py").write_text(METHOD + "\n# edited\n")
    key = next(k for k, r in rows(ran).items() if r.trial.reuse and r.trial.reuse.strategy.method)
    said = here(ran, "reproduce", key, "--plugins", f"{tmp_path}:wide.py")
    assert said.returncode == 2
    assert "the method mine is another one now: its file has the hash" in said.stderr


def test_plugins_are_folders_or_python_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others are refused; commands name them from here, or by their whole path."""
    monkeypatch.setenv("TSXFER_PLUGINS", "")
    assert with_plugins("tsxfer run s") == "tsxfer run s"
    (tmp_path / "a b").mkdir()
    (tmp_path / "one.py").write_text("")
    (tmp_path / "study.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    use_plugins("a b:one.py")
    assert plugin_folders() == [tmp_path / "a b", tmp_path / "one.py"]
    assert with_plugins("tsxfer run s") == "tsxfer run s --plugins 'a b:one.py'"
    monkeypatch.chdir(tmp_path / "a b")
    assert with_plugins("x") == f"x --plugins .:{tmp_path / 'one.py'}"
    for wrong in ("study.toml", "nothing", "nothing.py"):
        with pytest.raises(SpecError, match="no Python file" if "toml" in wrong else "no folder"):
            use_plugins(str(tmp_path / wrong))
