"""A stranger's data set and model: written, checked and run from an empty folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.study import here
from tsxfer.core.plugins import PLUGINS


def tsxfer(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder; in this process, unless workers or variables are asked for."""
    if not variables and words[-2:] != ("--workers", "2"):
        return here(folder, *words)
    return subprocess.run(
        [sys.executable, "-m", "tsxfer", *words], cwd=folder, capture_output=True, text=True,
        timeout=280, env={**os.environ, **variables},
    )  # fmt: skip


RUN = (
    "run", "--plugins", ".", "--source", "pump", "--target", "valve", "--model", "blip",
    "--size", "60", "--repeats", "2", "--workers", "2",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder in which two data sets, a model and a recipe were made."""
    made = tmp_path_factory.mktemp("plugins")
    for words in (("dataset", "pump"), ("dataset", "valve"), ("model", "blip"), ("recipe", "mine")):
        done = tsxfer(made, "new", *words)
        assert done.returncode == 0, done.stderr
    for name in ("pump", "valve"):  # simulators of the template are larger than a test needs
        path = made / f"{name}.py"
        path.write_text(path.read_text().replace("count=3000", "count=300"))
    return made


@pytest.mark.parametrize("name", ["pump.py", "blip.py", "mine.toml"])
def test_what_new_writes_passes_check(folder: Path, name: str) -> None:
    """Each kind passes as it is."""
    done = tsxfer(folder, "check", name)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("passes\n")


def test_check_reads_files_where_they_are_given(folder: Path, tmp_path: Path) -> None:
    """The reader of the template is tried on files, and a fault in them is told."""
    draw = np.random.default_rng(0)
    for name in ("a", "b"):
        np.savez(
            tmp_path / name, x=draw.normal(size=(5, 2, 128)), y=np.array(["u", "v"] * 2 + ["u"])
        )
    done = tsxfer(folder, "check", "pump.py", "--from", str(tmp_path))
    assert "pump@1: 10 windows in 2 groups" in done.stdout
    np.savez(tmp_path / "b", x=draw.normal(size=(5, 3, 128)), y=np.array(["u"] * 5))
    done = tsxfer(folder, "check", "pump.py", "--from", str(tmp_path))
    assert done.returncode == 2
    assert "channels are not the card's 2" in done.stderr
    done = tsxfer(folder, "check", "pump.py", "--from", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "finds nothing to read" in done.stderr


def _rows(folder: Path) -> list[dict]:
    files = (folder / "tsxfer-workspace" / "results").rglob("*.jsonl")
    return [json.loads(line) for f in files for line in f.read_text().splitlines()]


def test_plugins_run_in_worker_processes_and_an_edit_trains_again(folder: Path) -> None:
    """Data sets and model are found in the pool; a changed model makes its rows undone."""
    done = tsxfer(folder, *RUN)
    assert done.returncode == 0, done.stderr
    assert "verdict" in done.stdout
    rows = _rows(folder)
    assert {row["trial"]["model"] for row in rows} == {"blip"}
    assert all(row["status"] == "done" and "blip.py" in row["data"] for row in rows)
    alone = (*RUN[:-1], "1")  # one worker, in this process
    assert "trials are done" in tsxfer(folder, *alone).stderr
    path = folder / "blip.py"
    path.write_text(path.read_text().replace("32, 64, 5", "32, 48, 5").replace("d(64)", "d(48)"))
    again = tsxfer(folder, *alone)
    assert again.returncode == 0, again.stderr
    assert "0 done before" in again.stderr


def test_the_folder_can_stand_in_the_environment(folder: Path) -> None:
    """`list` and `show` know what is there without running a model's code."""
    said = {PLUGINS: str(folder)}
    listed = json.loads(tsxfer(folder, "list", "--json", **said).stdout)
    assert "pump@1" in [one["id"] for one in listed["datasets"]]
    assert str(folder / "blip.py") in listed["models"]["blip"]
    assert "recording" in tsxfer(folder, "show", "pump", **said).stdout


def test_an_installed_package_registers_by_entry_points(folder: Path, tmp_path: Path) -> None:
    """A data set and a backbone of a package are found by name, in worker processes too."""
    site = tmp_path / "site"
    info = site / "stranger-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[tsxfer.datasets]\nvalve = stranger_data:valve\npump = stranger_pump:pump\n"
        "[tsxfer.models]\nblip = stranger_net:blip\n"
    )
    (site / "stranger_data.py").write_text((folder / "valve.py").read_text())
    (site / "stranger_pump.py").write_text((folder / "pump.py").read_text())
    (site / "stranger_net.py").write_text((folder / "blip.py").read_text())
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    (tmp_path / "work").mkdir()
    words = [word for word in RUN if word not in ("--plugins", ".")]
    words += ["--save-study", "s.toml"]
    saved = tsxfer(tmp_path / "work", *words, PYTHONPATH=path)
    assert saved.returncode == 0, saved.stderr
    study = tmp_path / "work" / "s.toml"
    text = study.read_text().replace('source_size = "all"', 'source_size = "n=60"')
    study.write_text(text.replace("epochs = 30", "epochs = 1").replace("epochs = 15", "epochs = 1"))
    done = tsxfer(tmp_path / "work", "run", "s.toml", "--workers", "2", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert {row["trial"]["model"] for row in _rows(tmp_path / "work")} == {"blip"}


BAD = {
    "syntax": ("def blip(:\n", "blip.py is not Python"),
    "raises": (
        "from tsxfer.models import backbone\nimport nowhere\n@backbone()\ndef blip(c, t): ...\n",
        "No module named 'nowhere'",
    ),
    "nothing": ("x = 1\n", "defines nothing that tsxfer knows"),
    "ours": (
        "from tsxfer.models import Backbone\nclass Tcn(Backbone): ...\nclass B(Backbone): ...\n",
        "defines 2 backbones",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_gets_one_message(tmp_path: Path, case: str) -> None:
    """Faults of a stranger's code are named with their place, never as a traceback."""
    text, message = BAD[case]
    (tmp_path / "blip.py").write_text(text)
    done = tsxfer(tmp_path, "check", "blip.py")
    assert done.returncode == 2
    assert message in done.stderr
    assert "blip" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("new", "dataset", "Bad-Name"), "cannot be the name"),
        (("new", "dataset", "speech"), "called speech already"),
        (("new", "modl", "x"), "did you mean model"),
        (("check", "nowhere.py"), "no file nowhere.py"),
        (("list", "--plugins", "nowhere"), "no folder"),
    ],
)
def test_bad_words_get_one_message(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    """Exit code 2, one message, and nothing written."""
    done = tsxfer(tmp_path, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_and_nothing_shadows_ours(tmp_path: Path) -> None:
    """A file in the way stays; a plugin with the name of a data set of ours is refused."""
    (tmp_path / "mine.py").write_text("kept")
    done = tsxfer(tmp_path, "new", "model", "mine")
    assert done.returncode == 2
    assert (tmp_path / "mine.py").read_text() == "kept"
    (tmp_path / "emg.py").write_text(
        "from tsxfer.data import dataset\n@dataset()\ndef emg(f): ...\n"
    )
    done = tsxfer(tmp_path, "list", "--plugins", ".")
    assert done.returncode == 2
    assert "two files define the data set emg" in done.stderr
