"""A user's own file from an empty folder: one command, a table, and one message where it is bad."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.study import tsxfer
from tsxfer.core.specs import Recipe
from tsxfer.own.budgets import longer

FLAGS = ("--label", "y", "--group", "who", "--rate", "50", "--size", "40", "--repeats", "2")


def write_waves(path: Path, count: int = 120, length: int = 64, seed: int = 1) -> None:
    """Slow and fast waves of twelve people, a window a row."""
    draw = np.random.default_rng(seed)
    y = np.array(["slow", "fast"])[np.arange(count) % 2]
    hertz = np.where(y == "slow", 2.0, 8.0)[:, None]
    x = np.sin(2 * np.pi * hertz * np.arange(length) / 50 + draw.uniform(0, 6, (count, 1)))
    table = pd.DataFrame(x.round(4), columns=[f"x_{t}" for t in range(length)])
    table.assign(y=y, who=[f"p{i}" for i in draw.integers(0, 12, count)]).to_csv(path, index=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a file was the target of another."""
    folder = tmp_path_factory.mktemp("own")
    write_waves(folder / "mine.csv")
    write_waves(folder / "other.csv", 90, seed=2)
    for name in ("mine", "other"):
        (folder / f"{name}.toml").write_text('label = "y"\ngroup = "who"\nrate = 50\n')
    done = tsxfer(
        folder, "run", "--source", "other.csv", "--target", "mine.csv", "--size", "40",
        "--repeats", "2",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "verdict" in done.stdout
    assert "groups: who" in done.stderr
    return folder


def test_an_own_file_is_a_target_and_a_source(ran: Path) -> None:
    """Rows carry the file's versioned name, its groups are kept apart, and nothing is simulated."""
    files = (ran / "tsxfer-workspace" / "results").rglob("*.jsonl")
    rows = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    target = [r for r in rows if r["trial"]["dataset"].startswith("mine+own@")]
    assert len(target) == 4
    assert all(r["split"]["shared_groups"] == 0 for r in target)
    assert not [label for r in target for label in r.get("labels", ()) if "simulated" in label]


def test_the_same_file_is_listed_and_not_trained_again(ran: Path) -> None:
    """A second run is all done; `list` and `show` know the file; touching it changes nothing."""
    (ran / "mine.csv").touch()
    again = tsxfer(
        ran, "run", "--source", "other.csv", "--target", "mine.csv", "--size", "40",
        "--repeats", "2",
    )  # fmt: skip
    assert "trials are done" in again.stderr
    listed = tsxfer(ran, "list", "--json")
    own = json.loads(listed.stdout)["own"]
    assert [name.partition("@")[0] for name in own] == ["mine+own", "other+own"]
    assert "own file mine.csv" in tsxfer(ran, "show", own[0]).stdout


def test_subsets_of_an_own_file_are_verified_too(ran: Path) -> None:
    """`verify` finds the file's prepared arrays and draws every subset again."""
    name = next((ran / "tsxfer-workspace" / "results").iterdir()).name
    checks = {
        c["name"]: c for c in json.loads(tsxfer(ran, "verify", name, "--json").stdout)["checks"]
    }
    assert not any(check["faults"] for check in checks.values())
    assert checks["subsets"]["checked"] > 0
    assert checks["subsets"]["skipped"] == 0


def test_few_windows_get_enough_steps_and_both_arms_the_same(ran: Path) -> None:
    """A recipe made for thousands of labels is made longer for a small file."""
    files = (ran / "tsxfer-workspace" / "results").rglob("*.jsonl")
    rows = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    target = [r for r in rows if r["trial"]["dataset"].startswith("mine+own@")]
    assert {json.dumps(r["trial"]["recipe"], sort_keys=True) for r in target} == {
        json.dumps({"batch": 16, "epochs": 250, "patience": 62, "plateau_patience": 31})
    }
    assert all(r["ledger"]["steps"] == 500 for r in target)
    assert longer(Recipe(), 1200, 500) == Recipe()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--label", "why"), "no label column 'why'"),
        (("--size", "5000"), "use a size of at most"),
        (("--rate", "-1"), "rate = -1.0 is no number of 0 or more"),
        (("--task", "cluster"), "--task 'cluster' is not known"),
    ],
)
def test_bad_flags_give_one_message(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    """The message comes before anything is trained, with exit code 2."""
    write_waves(tmp_path / "mine.csv")
    given = [*FLAGS, *words] if words[0] != "--size" else [*FLAGS[:6], *words]
    done = tsxfer(tmp_path, "run", "--source", "speech", "--target", "mine.csv", *given)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "mend:" in done.stderr
