"""Whole studies with faulty code at every door: each fault is named, other rows are unharmed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.doors import faulty
from tests.doors.faulty import Fault
from tests.small import filled, job
from tests.study import here, text
from tsxfer.core.expansion import expand
from tsxfer.core.plugins import PLUGINS
from tsxfer.core.results import Result
from tsxfer.core.study_files import read_study
from tsxfer.ranking import rankers
from tsxfer.running.runner import run
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace

TOP = text(repeats=1, sizes=(40,)).replace("[recipe]", "{top}\n[recipe]\n{recipe}")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with faulty plugins, small data, and a study without them that ran."""
    folder = tmp_path_factory.mktemp("whole")
    filled(Workspace(folder / "tsxfer-workspace"), 300, ("emg+sim", "finance+sim"))
    (folder / "mine").mkdir()
    (folder / "mine" / "methods.py").write_text(faulty.methods())
    (folder / "mine" / "others.py").write_text(faulty.others())
    assert ran(folder, name="clean").returncode == 0
    return folder


def ran(folder: Path, top: str = "", recipe: str = "", name: str = "tiny"):
    """Run the small study with these lines in its file."""
    made = TOP.format(top=top, recipe=recipe).replace('"tiny"', f'"{name}"')
    (folder / f"{name}.toml").write_text(made)
    return here(folder, "run", f"{name}.toml", "--workers", "1", "--plugins", "mine")


def rows(folder: Path, name: str = "tiny") -> list[Result]:
    """All rows of a study, in the order of its trials."""
    place = Workspace(folder / "tsxfer-workspace")
    held = place.results(f"{name}-simulated")
    found = Store(held, place).rows()
    return [found[trial.key] for trial in expand(read_study(held / "study.toml"))]


def scores(found: list[Result]) -> dict[str, object]:
    """What an unharmed row must hold, by key."""
    return {row.key: (row.scores, row.curve) for row in found if row.status == "done"}


def placed(folder: Path, file: str, one: Fault, said: str) -> bool:
    """Whether a message names the file and a line of that code (of `peek`, which it calls)."""
    lines = (folder / "mine" / file).read_text().splitlines()
    place = f"{folder / 'mine' / file}, line "
    assert place in said, said
    number = int(said.partition(place)[2].rstrip(").").split(")")[0])
    begins = next(n for n, line in enumerate(lines, 1) if one.name in line.lower() and "(" in line)
    return begins <= number <= begins + 8 or "peek()" in one.body


def readable(folder: Path, name: str) -> None:
    """Reports and checks of a study with failed rows say so, with a way out."""
    whole = here(folder, "report", f"{name}-simulated", "--plugins", "mine")
    assert whole.returncode == 2
    assert "add --partial" in whole.stderr
    part = here(folder, "report", f"{name}-simulated", "--plugins", "mine", "--partial")
    assert part.returncode == 0, part.stderr
    checked = here(folder, "verify", f"{name}-simulated", "--plugins", "mine")
    assert "1 of 19 checks failed: cells" in checked.stdout


def test_faulty_methods_fail_their_rows_alone(clean: Path) -> None:
    """Each is named with file and line; the plain transfer beside them has the same numbers."""
    ways = ", ".join(f'{{method = "{one.name}"}}' for one in faulty.METHODS)
    done = ran(clean, f"strategies = [{{}}, {ways}]", name="methods")
    assert done.returncode == 1, done.stderr
    found = {
        row.trial.reuse.strategy.method: row for row in rows(clean, "methods") if row.trial.reuse
    }
    for one in faulty.METHODS:
        assert found[one.name].status == "failed", one.name
        assert one.said in found[one.name].error
        assert f"method {one.name} " in found[one.name].error
        assert placed(clean, "methods.py", one, found[one.name].error)
    assert scores(rows(clean, "methods")) == scores(rows(clean, "clean"))
    readable(clean, "methods")


def test_what_is_done_is_not_done_again_beside_another_way(clean: Path) -> None:
    """Two ways on the same data are made of other code; neither is trained again at a resume."""
    (clean / "mine" / "good.py").write_text(
        "from tsxfer.train.method import Method, method\n\n\n@method()\nclass Good(Method):\n"
        "    pass\n"
    )
    top = 'strategies = [{}, {method = "good"}]'
    assert ran(clean, top, name="resumed").returncode == 0
    before = rows(clean, "resumed")
    assert "to do" not in ran(clean, top, name="resumed").stderr
    assert rows(clean, "resumed") == before


def test_a_file_that_cannot_be_loaded_is_refused_before_anything_trains(clean: Path) -> None:
    """The message has file and line, and no row is written."""
    path = clean / "mine" / "unloaded.py"
    path.write_text(
        "import nowhere\nfrom tsxfer.train.method import Method, method\n\n\n@method()\n"
        "class Unloaded(Method):\n    pass\n"
    )
    done = ran(clean, 'strategies = [{}, {method = "unloaded"}]', name="unloaded")
    path.unlink()
    assert done.returncode == 2
    assert f"{path}, line 1" in done.stderr
    assert not list((clean / "tsxfer-workspace" / "results" / "unloaded-simulated").glob("*.jsonl"))


def test_a_method_that_counts_is_found_by_training_again(clean: Path) -> None:
    """What no row can show, `reproduce` and `check` do: it gives other numbers each time."""
    path = clean / "mine" / "counting.py"
    path.write_text(
        "import itertools\nimport torch\nfrom tsxfer.train.method import Method, method\n\n"
        "COUNT = itertools.count(1)\n\n\n@method()\nclass Counting(Method):\n"
        "    def finish(self, model):\n        for p in model.head.parameters():\n"
        "            p.add_(next(COUNT))\n"
    )
    assert ran(clean, 'strategies = [{method = "counting"}]', name="counting").returncode == 0
    key = rows(clean, "counting")[-1].key
    again = here(clean, "reproduce", key, "--plugins", "mine")
    assert (again.returncode, "1 differs" in again.stdout) == (1, True), again.stderr
    checked = here(clean, "check", "mine/counting.py")
    assert "gives other weights when it trains again" in checked.stderr
    assert f"{path}, line " in checked.stderr


def test_faulty_objectives_fail_what_starts_from_them(clean: Path) -> None:
    """The pretraining says why, transfers say which; a finite score hides no NaN."""
    names = ", ".join(f'"{one.name}"' for one in faulty.OBJECTIVES)
    done = ran(clean, f'objectives = ["labels", {names}]', name="objectives")
    assert done.returncode == 1, done.stderr
    found = rows(clean, "objectives")
    sources = {row.trial.recipe.objective: row for row in found if not row.trial.reuse}
    for one in faulty.OBJECTIVES:
        row = sources[one.name]
        assert row.status == "failed", one.name
        assert one.said in row.error
        assert f"objective {one.name} " in row.error
        assert placed(clean, "others.py", one, row.error)
        transfer = next(r for r in found if r.trial.reuse and r.trial.reuse.source == row.trial)
        assert row.key in transfer.error
    assert scores(found) == scores(rows(clean, "clean"))
    readable(clean, "objectives")


WAYS = {"metric": faulty.METRICS, "split": faulty.SPLITS, "head": faulty.HEADS}
JUDGES = [(noun, one) for noun, held in WAYS.items() for one in held]


@pytest.mark.parametrize(("noun", "one"), JUDGES, ids=lambda part: getattr(part, "name", part))
def test_a_faulty_metric_split_or_head_is_named_in_its_row(
    clean: Path, monkeypatch: pytest.MonkeyPatch, noun: str, one: Fault
) -> None:
    """The row says what, where and why; so it is of scratch, and of all that is judged so."""
    monkeypatch.chdir(clean)
    monkeypatch.setenv(PLUGINS, str(clean / "mine"))
    trial = rows(clean, "clean")[1].trial
    headed = replace(trial.recipe, head=one.name if noun == "head" else "")
    judged = {noun: one.name} if noun != "head" else {}
    faulty_one = replace(trial, recipe=headed, **judged)
    row = run(job(Workspace(clean / "tsxfer-workspace"), faulty_one))
    assert row.status == "failed"
    assert row.error.startswith(f"{noun} {one.name} ")
    assert one.said in row.error
    assert placed(clean, "others.py", one, row.error)


@pytest.mark.parametrize("line", ['metric = "k_late"', 'split = "s_raises"', 'head = "h_nan"'])
def test_a_study_whose_judge_or_head_fails_can_be_read(clean: Path, line: str) -> None:
    """Both arms fail, the source's row is as it was, and reports and checks go on."""
    name = line.split('"')[1]
    done = ran(clean, *(("", line) if "head" in line else (line, "")), name=name)
    assert done.returncode == 1, done.stderr
    found = rows(clean, name)
    assert [row.status for row in found] == ["done", "failed", "failed"]
    assert scores(found[:1]).items() <= scores(rows(clean, "clean")).items()
    readable(clean, name)


def test_faulty_statistics_have_no_number_and_the_table_stands(clean: Path) -> None:
    """Each says why with file and line in its own line of the report."""
    names = ",".join(one.name for one in faulty.STATISTICS)
    words = ("report", "clean-simulated", "--plugins", "mine", "--statistics")
    told = here(clean, *words, f"{names},median_difference", "--format", "markdown")
    assert told.returncode == 0, told.stderr
    lines = told.stdout.replace("\\_", "_").splitlines()
    for one in faulty.STATISTICS:
        line = next(line for line in lines if f"statistic {one.name} " in line)
        assert one.said in line
        assert f"{clean / 'mine' / 'others.py'}, line " in line
    assert here(clean, "verify", "clean-simulated", "--plugins", "mine").returncode == 0


def test_faulty_rankers_have_no_score_and_are_not_kept(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others' scores are as without them, and nothing of a faulty one is kept."""
    place = Workspace(clean / "tsxfer-workspace")
    source, _, transfer = rows(clean, "clean")
    monkeypatch.chdir(clean)
    quick = ("logme", "h_score")  # the others take seconds
    monkeypatch.setattr(rankers, "known", lambda: tuple(map(rankers.get, quick)))
    before = rankers.scores_of(place, transfer.trial, source)
    (tmp_path / "asked.py").write_text(faulty.rankers())
    monkeypatch.setenv(PLUGINS, str(tmp_path))
    asked = (*quick, *(one.name for one in faulty.RANKERS))
    monkeypatch.setattr(rankers, "known", lambda: tuple(map(rankers.get, asked)))
    found = rankers.scores_of(place, transfer.trial, source)
    told = capsys.readouterr().err
    for one in faulty.RANKERS:
        assert found.pop(one.name) is None
        assert f"ranker {one.name} " in told
        assert one.said in told
    assert told.count(f"{tmp_path / 'asked.py'}, line ") == len(faulty.RANKERS)
    assert found == before
    kept = [path.read_text() for path in (place.root / "ranking").glob("*.json")]
    assert len(kept) == 1
    assert "r_raises" not in kept[0]
