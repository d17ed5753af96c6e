"""Every door: written by `new`, tried by `check`, and its faults named with file and line."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.doors.conftest import TRIAL, Write, rows, transfer
from tsxfer.cli.new import check_file, write_new
from tsxfer.core import guard
from tsxfer.core.doors import DOORS
from tsxfer.core.plugins import PLUGINS
from tsxfer.data.card import Card
from tsxfer.data.task import judged_card
from tsxfer.errors import SpecError, TsxferError
from tsxfer.running.ending import refuse_nan
from tsxfer.store.workspace import Workspace

NOUNS = tuple(DOORS)


@pytest.mark.parametrize("noun", NOUNS)
def test_what_new_writes_passes_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noun: str
) -> None:
    """A file of 10 to 40 lines for each door, which passes as it is and says what was tried."""
    monkeypatch.setenv(PLUGINS, "")
    path = write_new(noun, f"my_{noun}", tmp_path)
    assert 10 <= len(path.read_text().splitlines()) <= 40
    assert check_file(path, None)[0].startswith(f"my_{noun}: ")
    with pytest.raises(SpecError, match="already"):
        write_new(noun, DOORS[noun].own_names()[0], tmp_path)


@pytest.mark.parametrize("noun", NOUNS)
def test_the_packages_own_come_through_the_same_door(noun: str) -> None:
    """Names are read from the file that defines them, and what they name can be had."""
    names = DOORS[noun].own_names()
    assert names
    assert all(DOORS[noun].get(name) is not None for name in names)
    assert all(DOORS[noun].plugin_digest(name) == "" for name in names)
    with pytest.raises(SpecError, match=f"unknown {noun}") as caught:
        DOORS[noun].get(names[0] + "x")
    assert names[0] in caught.value.mend


IMPORTS = {
    "objective": "import torch\nfrom tsxfer.train.pretext import objective\n\n\n"
    "@objective(metric='rmse', loss='squared error')\nclass Bad:\n",
    "metric": "import numpy as np\nfrom tsxfer.metrics import metric\n\n\n@metric(title='B', "
    "task='classification', higher_is_better=True, span=(0, 1))\ndef bad(truth, predicted):\n",
    "ranker": "import numpy as np\nfrom tsxfer.ranking.rankers import ranker\n\n\n"
    "@ranker(higher_is_better=True)\ndef bad(seen):\n",
    "split": "import numpy as np\nfrom tsxfer.data.rules import split\n\n\n@split()\n"
    "def bad(instances, draw):\n",
    "head": "import torch\nfrom tsxfer.models.heads import head\n\n\n@head()\n"
    "def bad(width, outputs):\n",
    "statistic": "import numpy as np\nfrom tsxfer.stats.statistics import statistic\n\n\n"
    "@statistic(title='B')\ndef bad(scratch, transfer):\n",
}
OBJECTIVE = (
    "    def __init__(self, channels, length):\n        pass\n\n    def head(self, width):\n"
    "        return torch.nn.Linear(width, 1)\n\n    def pretext(self, part, seed):\n"
    "        return part, lambda output: (0.0, {score}), 1.0\n\n    def objective(self):\n"
    "        return lambda m, p, rows, random: {loss}\n"
)
GOOD_LOSS = "m(p.x[rows], p.extra[rows]).square().mean()"
FAULTS = {
    ("objective", "raises"): (OBJECTIVE.format(loss="1 / 0", score=1.0), "ZeroDivision"),
    ("objective", "shape"): (OBJECTIVE.format(loss="p.x[rows]", score=1.0), "no scalar"),
    ("objective", "nan"): (OBJECTIVE.format(loss=GOOD_LOSS, score="float('nan')"), "score gives"),
    ("objective", "chance"): (
        OBJECTIVE.format(loss=GOOD_LOSS + " * torch.rand(1).mean()", score=1.0),
        "global stream",
    ),
    ("metric", "raises"): ("    return truth / None\n", "TypeError"),
    ("metric", "shape"): ("    return truth\n", "no finite number"),
    ("metric", "nan"): ("    return float('nan')\n", "no finite number"),
    ("metric", "span"): ("    return 2.0\n", "from 0 to 1"),
    ("metric", "chance"): ("    return np.random.rand()\n", "global stream"),
    ("ranker", "raises"): ("    return seen.nothing\n", "AttributeError"),
    ("ranker", "shape"): ("    return seen.features\n", "neither a finite number"),
    ("ranker", "nan"): ("    return float('nan')\n", "neither a finite number"),
    ("ranker", "chance"): ("    return np.random.rand()\n", "global stream"),
    ("split", "raises"): ("    return instances.devices\n", "AttributeError"),
    ("split", "shape"): ("    return np.zeros(3, int)\n", "for 120 instances"),
    ("split", "sides"): ("    return np.zeros(len(instances.group), int)\n", "some of each"),
    ("split", "groups"): ("    return np.arange(len(instances.group)) % 3\n", "on two sides"),
    ("split", "chance"): (
        "    return np.random.default_rng().permutation(len(instances.group)) % 3\n",
        "asked again",
    ),
    ("head", "raises"): ("    return torch.nn.Linear(width)\n", "TypeError"),
    ("head", "shape"): ("    return torch.nn.Linear(width, 2)\n", "for two rows"),
    ("statistic", "raises"): ("    return np.nothing\n", "AttributeError"),
    ("statistic", "shape"): ("    return transfer - scratch\n", "no finite number"),
    ("statistic", "nan"): ("    return float('inf')\n", "no finite number"),
    ("statistic", "chance"): ("    return np.random.rand()\n", "global stream"),
}


@pytest.mark.parametrize(("noun", "kind"), FAULTS, ids=lambda part: part)
def test_check_names_the_file_and_line_of_a_fault(write: Write, noun: str, kind: str) -> None:
    """Raising, wrong shapes, NaN and shared chance are refused at each door."""
    body, said = FAULTS[noun, kind]
    path = write("bad", IMPORTS[noun] + body)
    with pytest.raises(TsxferError) as caught:
        check_file(path, None)
    assert said in str(caught.value)
    assert f"{path}, line " in caught.value.where
    assert caught.value.mend


def test_a_metric_of_ones_own_judges_a_trial_and_its_fault_fails_that_alone(
    place: Workspace, write: Write
) -> None:
    """Selected and scored on it, with the card's beside; a faulty one fails its own rows."""
    write("good", IMPORTS["metric"].replace("bad", "good") + "    return np.mean(truth == 0)\n")
    path = write("bad", IMPORTS["metric"] + "    return 3.0\n")
    row = rows(place, replace(TRIAL, metric="good"))[0]
    assert (row.status, row.metric) == ("done", "good"), row.error
    assert "macro_f1" in row.scores
    assert "metric good.py" in row.data
    bad = rows(place, replace(TRIAL, metric="bad"))[0]
    assert bad.status == "failed"
    assert f"{path}, line" in bad.error


def test_a_split_and_a_head_of_ones_own_are_in_both_arms(place: Workspace, write: Write) -> None:
    """Scratch and transfer share them, rows carry their code, and the proof names the rule."""
    write(
        "mine",
        IMPORTS["head"].replace("bad", "mine") + "    return torch.nn.Linear(width, outputs)\n",
    )
    body = (
        "    names = draw.permutation(np.unique(instances.group))\n"
        "    side = {n: (2, 1, 0)[min(i, 2)] for i, n in enumerate(names)}\n"
        "    return np.array([side[n] for n in instances.group])\n"
    )
    write("whole", IMPORTS["split"].replace("bad", "whole") + body)
    recipe = replace(TRIAL.recipe, head="mine")
    both = [replace(t, split="whole", recipe=recipe, size="20") for t in (TRIAL, transfer("copy"))]
    twin, moved = (rows(place, trial)[0] for trial in both)
    assert (twin.status, moved.status) == ("done", "done"), (twin.error, moved.error)
    assert twin.split == moved.split
    assert twin.split["rule"] == "whole"
    assert {"head mine.py", "split whole.py"} <= moved.data.keys()
    assert moved.trial.twin() == twin.trial


def test_a_split_that_fails_fails_its_rows_alone(place: Workspace, write: Write) -> None:
    """The row has no data, and says why with file and line."""
    path = write("bad", IMPORTS["split"] + "    return np.zeros(2, int)\n")
    row = rows(place, replace(TRIAL, split="bad"))[0]
    assert row.status == "failed"
    assert f"{path}, line" in row.error


LATE_HEAD = (
    "    class Late(torch.nn.Linear):\n        def forward(self, x):\n"
    "            out = super().forward(x)\n            return out if len(x) < 3 else {out}\n"
    "    return Late(width, outputs)\n"
)
LATE = {
    "raising": ("out.nothing", "AttributeError", 10),
    "narrow": ("out[:, :1]", "gives (", 6),
    "nan": ("out * float('nan')", "not finite (NaN)", 6),
}


def test_a_head_that_fails_on_real_batches_fails_its_rows_alone(
    place: Workspace, write: Write
) -> None:
    """Right on two rows, wrong on more: named with file and line; the row beside it is the same."""
    alone = rows(place, TRIAL)[0]
    paths = {}
    for name, (out, _, _) in LATE.items():
        body = IMPORTS["head"].replace("bad", name) + LATE_HEAD.format(out=out)
        paths[name] = write(name, body)
    heads = [replace(TRIAL, recipe=replace(TRIAL.recipe, head=name)) for name in LATE]
    *bad, good = rows(place, *heads, TRIAL)
    assert (good.status, good.scores) == ("done", alone.scores)
    for row, (name, (_, said, line)) in zip(bad, LATE.items(), strict=True):
        assert row.status == "failed"
        assert said in row.error
        assert f"{paths[name]}, line {line}" in row.error


def test_a_model_that_fails_on_real_batches_fails_its_rows(place: Workspace, write: Write) -> None:
    """The row has the file and line of the network's code; errors of our own are not hidden."""
    body = (
        "import torch\nfrom tsxfer.models import backbone\n\n\n"
        "class Late(torch.nn.Sequential):\n    def forward(self, x):\n"
        "        return super().forward(x).mean(2) if len(x) < 3 else 1 / 0\n\n\n"
        "@backbone(transferred=('',))\ndef late(channels, length):\n"
        "    return Late(torch.nn.Conv1d(channels, 4, 5))\n"
    )
    path = write("late", body)
    row = rows(place, replace(TRIAL, model="late"))[0]
    assert row.status == "failed"
    assert "ZeroDivisionError" in row.error
    assert f"{path}, line 7" in row.error
    path.write_text(body.replace("1 / 0", "float('nan') * x[:, :4, 0]"))
    row = rows(place, replace(TRIAL, model="late"))[0]
    assert (row.status, "model late makes features" in row.error) == ("failed", True), row.error
    assert guard.accused(ValueError("ours"), [("model late", f"{path}, line 10")]) is None


def test_outputs_of_an_objective_that_are_no_numbers_are_refused(write: Write) -> None:
    """NaN is named before a score may hide it; the package's own objective keeps its message."""
    path = write("bad", IMPORTS["objective"] + OBJECTIVE.format(loss=GOOD_LOSS, score=1.0))
    trial = replace(TRIAL, recipe=replace(TRIAL.recipe, objective="bad"))
    refuse_nan(trial, np.ones((2, 1)))
    refuse_nan(TRIAL, np.full((2, 1), np.nan))
    with pytest.raises(SpecError, match="objective bad makes outputs") as caught:
        refuse_nan(trial, np.full((2, 1), np.nan))
    assert f"{path}, line " in caught.value.where


def test_metrics_of_another_task_are_refused(place: Workspace) -> None:
    """A classification is not judged by an error of numbers, and near names are told."""
    from tsxfer.data import catalogue

    card: Card = catalogue.find("emg+sim").card
    with pytest.raises(SpecError, match="is for regression"):
        judged_card(card, "mae", "")


def test_new_fields_orphan_no_key() -> None:
    """A trial that names no metric, split, head or method has the key that it had."""
    plain = replace(TRIAL, metric="", split="", recipe=replace(TRIAL.recipe, head=""))
    assert plain.key == TRIAL.key
    assert replace(TRIAL, metric="accuracy").key != TRIAL.key


def test_a_failing_ranker_has_no_score_and_the_others_go_on(
    place: Workspace, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names file and line; every other column is filled."""
    from tsxfer.ranking import rankers
    from tsxfer.testing.doors import _seen

    path = write("bad", IMPORTS["ranker"] + "    return 1 / 0\n")
    found = rankers.measured(_seen(True))
    assert found["bad"] is None
    assert found["logme"] is not None
    assert f"{path}, line 7" in capsys.readouterr().err


def test_reading_commands_import_no_torch_for_doors(write: Write, tmp_path: Path) -> None:
    """`list` and `show` tell a method's name and first line without running its file."""
    write(
        "mine",
        "import torch\nfrom tsxfer.train.method import Method, method\n\n\n"
        '@method(copied="backbone")\nclass Mine(Method):\n    """Told."""\n',
    )
    code = (
        "import sys\nfrom tsxfer.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nprint('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "list"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ},
        timeout=120,
    )
    assert done.stdout.strip().endswith("False"), done.stdout + done.stderr
    assert "mine" in done.stdout
