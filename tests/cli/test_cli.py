"""The command line as a user meets it: whole runs, resuming, bad input, and quick answers."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.study import here, text, tsxfer

STUDY = text(sizes=(60, 120), repeats=3, pretrainings=2)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the tiny study has run."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "tiny.toml").write_text(STUDY)
    ran = tsxfer(folder, "run", "tiny.toml")
    assert ran.returncode == 0, ran.stderr
    assert "SIMULATED DATA" in ran.stdout.splitlines()[0]
    assert "verdict" in ran.stdout
    assert "left" in ran.stderr
    return folder


def _rows(folder: Path) -> list[dict]:
    files = (folder / "tsxfer-workspace" / "results").rglob("*.jsonl")
    return [
        json.loads(line) for f in files for line in f.read_text().splitlines() if line.endswith("}")
    ]


def test_a_second_run_trains_nothing(done: Path) -> None:
    """All rows are there, so nothing is trained and the same table comes out."""
    before = len(_rows(done))
    again = here(done, "run", "tiny.toml")
    assert "all 14 trials are done" in again.stderr
    assert len(_rows(done)) == before == 14


def test_changed_data_is_trained_again(done: Path, tmp_path: Path) -> None:
    """Rows made from other data than is there now do not count as done."""
    import shutil

    import numpy as np

    shutil.copytree(done, tmp_path / "copy")
    meta = tmp_path / "copy/tsxfer-workspace/data/finance+sim@1/meta.json"
    meta.write_text(meta.read_text().replace('"fingerprint": "', '"fingerprint": "0'))
    again = here(tmp_path / "copy", "run", "tiny.toml", "--workers", "1")
    assert "12 trials to do, 2 done before" in again.stderr
    assert np.isfinite(_rows(tmp_path / "copy")[-1]["scores"]["mae"])


@pytest.mark.parametrize("form", ["terminal", "markdown", "csv", "latex", "html"])
def test_reports_come_in_every_format(done: Path, form: str) -> None:
    """Each format shows both sizes and says simulated."""
    page = tsxfer(done, "report", "tiny-simulated", "--format", form)
    assert page.returncode == 0, page.stderr
    assert "simulated" in page.stdout.lower()
    assert "60" in page.stdout
    assert "120" in page.stdout


def test_a_study_file_names_what_ran_from_it(done: Path, tmp_path: Path) -> None:
    """A report finds the rows by the name that the file states, whatever the file is called."""
    other = tmp_path / "renamed.toml"
    other.write_text((done / "tsxfer-workspace/results/tiny-simulated/study.toml").read_text())
    by_name = tsxfer(done, "report", "tiny-simulated", "--format", "csv")
    for file in (str(other), "tiny.toml"):
        assert tsxfer(done, "report", file, "--format", "csv").stdout == by_name.stdout != ""


def test_status_and_plan_count(done: Path) -> None:
    """Status and plan agree that 14 trials are done; machine output is JSON."""
    assert json.loads(tsxfer(done, "status", "--json").stdout)[0]["done"] == 14
    plan = json.loads(tsxfer(done, "plan", "tiny.toml", "--json").stdout)
    assert (plan["trials"], plan["done"], plan["to_do"], plan["pretrainings"]) == (14, 14, 0, 2)


def test_rows_say_what_a_group_is_and_plan_what_new_ones_allow(done: Path) -> None:
    """A row names its groups and the rule of its split; plan counts the groups that are tested."""
    split = next(row["split"] for row in _rows(done) if row["trial"].get("reuse"))
    assert (split["group"], split["rule"]) == ("calendar year of the label day", "time")
    ahead = json.loads(tsxfer(done, "plan", "tiny.toml", "--json").stdout)["new_groups"][0]
    assert ahead["tested"] == split["groups"]["test"]
    said = tsxfer(done, "plan", "tiny.toml").stdout
    assert f"{ahead['tested']} test calendar years of the label day" in said
    report = tsxfer(done, "report", "tiny-simulated").stdout
    assert "new calendar years of the label day of the same later time" in " ".join(report.split())


def test_the_analysis_is_declared_before_the_first_row(done: Path) -> None:
    """The declaration lies beside the rows, each row carries its hash, and plan shows it."""
    folder = done / "tsxfer-workspace/results/tiny-simulated"
    assert "margins" in (folder / "analysis.lock.toml").read_text()
    hashes = {row["analysis"] for row in _rows(done)}
    assert len(hashes) == 1
    plan = tsxfer(done, "plan", "tiny.toml")
    assert hashes.pop() in plan.stdout
    assert "80 % power" in plan.stdout


def test_more_repeats_than_declared_are_exploratory(done: Path, tmp_path: Path) -> None:
    """A study that grows under its name is told so, and its report says exploratory."""
    import shutil

    shutil.copytree(done, tmp_path / "copy")
    grown = (done / "tiny.toml").read_text().replace("repeats = 3", "repeats = 4")
    assert "repeats = 4" in grown
    (tmp_path / "copy/tiny.toml").write_text(grown)
    again = here(tmp_path / "copy", "run", "tiny.toml", "--workers", "1")
    assert "labelled exploratory" in again.stderr
    assert "EXPLORATORY" in again.stdout


def test_figures_and_parquet_are_written(done: Path, tmp_path: Path) -> None:
    """Both exports leave files, and parquet without --out says what to do."""
    made = tsxfer(done, "report", "tiny-simulated", "--figures", str(tmp_path / "f"))
    assert made.returncode == 0, made.stderr
    assert len(list((tmp_path / "f").glob("*.pdf"))) >= 5
    table = tmp_path / "rows.parquet"
    tsxfer(done, "report", "tiny-simulated", "--format", "parquet", "--out", str(table))
    assert table.read_bytes()[:4] == b"PAR1"
    refused = tsxfer(done, "report", "tiny-simulated", "--format", "parquet")
    assert refused.returncode == 2
    assert "--out" in refused.stderr


def test_reading_commands_never_import_torch(done: Path) -> None:
    """list, show, plan, status, report and doctor work where torch cannot be imported."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from tsxfer.cli import main\nsys.argv = ['tsxfer', *{words!r}]\nmain()"
    )
    for words in (
        ["list"], ["show", "speech"], ["plan", "tiny.toml"], ["status"],
        ["report", "tiny-simulated"], ["report", "tiny-simulated", "--format", "html"], ["doctor"],
    ):  # fmt: skip
        ran = subprocess.run(
            [sys.executable, "-c", code.format(words=words)],
            cwd=done,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, (words, ran.stderr)


BAD = {
    "source": (["run", "--source", "globl_eq", "--target", "emg"], "global_eq"),
    "model": (["run", "--source", "emg", "--target", "speech", "--model", "magnett"], "magnet"),
    "size": (["run", "--source", "emg", "--target", "speech", "--size", "15OO"], "label budget"),
    "same": (["run", "--source", "emg", "--target", "emg"], "source that is not the target"),
    "no target": (["run", "--source", "emg"], "--target is missing"),
    "real": (
        ["run", "--source", "emg", "--target", "speech", "--data", "real"],
        "tsxfer prepare emg",
    ),
    "mode": (["run", "--source", "emg", "--target", "speech", "--data", "fake"], "real"),
    "file": (["run", "nowhere.toml"], "cannot be read"),
    "key": (["run", "misspelt.toml"], "did you mean repeats"),
    "toml": (["run", "broken.toml"], "not valid TOML"),
    "type": (["run", "type.toml"], "is not int"),
    "study": (["report", "nothing"], "no study called"),
    "from": (["prepare", "emg", "--from", "nowhere"], "does not exist"),
    "manual": (["prepare", "fr_aseaf"], "--from"),
    "device": (["run", "misfit.toml", "--device", "gpu"], "--device 'gpu' is not known"),
    "large": (["run", "large.toml"], "use a size of at most"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_message_and_exit_2(done: Path, case: str) -> None:
    """Each mistake is told with a mend, without a traceback, and rows stay."""
    (done / "misspelt.toml").write_text(STUDY.replace("repeats", "repeets"))
    (done / "broken.toml").write_text("name = [")
    (done / "type.toml").write_text(STUDY.replace("repeats = 3", 'repeats = "three"'))
    (done / "misfit.toml").write_text(STUDY)
    (done / "large.toml").write_text(STUDY.replace("120", "90000").replace("tiny", "large"))
    before = len(_rows(done))
    words, message = BAD[case]
    ran = tsxfer(done, *words)
    assert ran.returncode == 2, ran.stderr
    assert message in ran.stderr
    assert "mend:" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert len(_rows(done)) >= before


def test_a_saved_study_runs_as_the_flags_did(done: Path) -> None:
    """--save-study writes TOML whose plan equals that of the flags."""
    flags = ["--source", "emg,speech", "--target", "finance", "--size", "100", "--repeats", "2"]
    assert tsxfer(done, "run", *flags, "--save-study", "saved.toml").returncode == 0
    a = json.loads(tsxfer(done, "plan", *flags, "--json").stdout)
    b = json.loads(tsxfer(done, "plan", "saved.toml", "--json").stdout)
    assert a == b
    assert a["comparisons"] == 2


@pytest.mark.parametrize(
    "blow",
    [pytest.param(signal.SIGKILL, marks=pytest.mark.slow), signal.SIGINT],  # kills: tests/faults
)
def test_a_stopped_study_loses_no_finished_row(tmp_path: Path, blow: signal.Signals) -> None:
    """After kill -9 or ctrl-C in the middle, the next run completes it to the same scores."""
    long = text(sizes=(60, 120), repeats=5, pretrainings=2, epochs=60, patience=60)
    (tmp_path / "tiny.toml").write_text(long)
    command = [sys.executable, "-m", "tsxfer", "run", "tiny.toml", "--workers", "2"]
    running = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # shells' & ignores it
    )  # fmt: skip
    while len(_rows(tmp_path)) < 4 and running.poll() is None:
        time.sleep(0.05)
    os.kill(running.pid, blow)
    said = running.communicate(timeout=60)[1]
    if blow is signal.SIGINT:
        assert running.returncode == 130
        assert "finished rows are kept" in said
        assert "Traceback" not in said
    kept = {row["key"]: row["scores"] for row in _rows(tmp_path)}
    assert 4 <= len(kept) < 22
    # One thread each: two that wait for each other crawl where others want the cores too.
    assert tsxfer(tmp_path, "run", "tiny.toml", "--workers", "2").returncode == 0
    rows = _rows(tmp_path)
    assert len(rows) == 22
    assert all(row["scores"] == kept[row["key"]] for row in rows if row["key"] in kept)
    assert tsxfer(tmp_path, "report", "tiny-simulated").returncode == 0


def test_prepare_imports_real_files(tmp_path: Path, real_data: Path) -> None:
    """The EMG archive's own files become a prepared set, and list shows it."""
    place = real_data / "emg" / "roshambo_zenodo3194792"
    made = tsxfer(tmp_path, "prepare", "emg", "--from", str(place))
    assert made.returncode == 0, made.stderr
    assert "14,393 of 8 x 80" in made.stdout
    assert "incomplete data: emg@1 has 3 of 4 classes" in made.stdout
    assert "paper 4,805, rock 4,778, scissor 4,810" in made.stdout
    mixed = tsxfer(tmp_path, "run", "--source", "emg", "--target", "speech")
    assert mixed.returncode == 2
    assert "not prepared: speech" in mixed.stderr


def test_the_published_study_is_imported_and_reported(tmp_path: Path, real_data: Path) -> None:
    """Raw metrics become rows; the study's tables, a choice of ours and the claims come out."""
    place = real_data / "paper_results"
    made = tsxfer(tmp_path, "import-results", str(place))
    assert made.returncode == 0, made.stderr
    assert "17,136 rows" in made.stdout
    table = tsxfer(tmp_path, "report", "published", "--method", "study")
    assert table.returncode == 0, table.stderr
    assert "871▲" in table.stdout
    assert "repeat 6 at chance" in table.stdout
    ours = tsxfer(
        tmp_path, "report", "published", "--multiplier", "1.0", "--drop-repeat", "6",
        "--format", "csv",
    )  # fmt: skip
    assert ours.returncode == 0, ours.stderr
    assert len(ours.stdout.splitlines()) == 241
    claims = tsxfer(tmp_path, "claims", "published")
    assert "SUPPORTED" in claims.stdout
    assert "UNDECIDED" in claims.stdout
    again = tsxfer(tmp_path, "import-results", str(place))
    assert again.returncode == 2
    assert "--name" in again.stderr
