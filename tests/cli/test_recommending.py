"""Sources ranked before training, for a user: a table, a sentence, one message where it is bad."""

import json
from pathlib import Path

import pytest

from tests.cli.test_own_run import write_waves
from tests.study import tsxfer

ABC = ("--source", "a.csv,b,c")
SAID = ("--label", "y", "--group", "who", "--rate", "50")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which three files were sources of two others."""
    folder = tmp_path_factory.mktemp("ranked")
    for name, length in (("a", 64), ("b", 48), ("c", 80), ("d", 72), ("e", 56)):  # no two alike
        write_waves(folder / f"{name}.csv", 100, length)
        (folder / f"{name}.toml").write_text('label = "y"\ngroup = "who"\nrate = 50\n')
    (folder / "study.toml").write_text(
        'name = "own"\nsources = ["a.csv", "b.csv", "c.csv"]\ntargets = ["d.csv", "e.csv"]\n'
        "sizes = [40]\nrepeats = 2\npretrainings = 1\n"
        "[recipe]\nepochs = 3\n[pretraining]\nepochs = 2\n"
    )
    done = tsxfer(folder, "run", "study.toml", "--controls", "shuffled")
    assert done.returncode == 0, done.stderr
    write_waves(folder / "mine.csv", 90, 60)  # of yet another length: no source has seen it
    return folder


def test_sources_are_ranked_for_a_file_and_the_record_is_told(ran: Path) -> None:
    """Three sources and the zoo, best first; two cells of two targets are judged, no control."""
    done = tsxfer(ran, "recommend", "--target", "mine.csv", *SAID, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    ours = {s["source"][0] for s in found["sources"] if "+own@" in s["source"]}
    assert ours == set("abc")
    assert {s["source"] for s in found["sources"]} >= {"speech_test_list+zoo@1"}
    scores = [s[found["method"]] for s in found["sources"]]
    assert scores == sorted(scores, reverse=True)
    assert found["size"] == "all"
    record = {one["ranker"]: one for one in found["record"]}
    assert (record["probe"]["cells"], record["probe"]["targets"]) == (2, 2)
    assert record["probe"]["first"]["hit"]["low"] is None  # two targets are too few
    assert -1 <= record["probe"]["tau"]["value"] <= 1
    assert record["domain"]["saved"]["value"] == 0  # all are files of one's own: a blind pick
    assert found["simulated"] is False
    assert found["left_out"] == 0


def test_a_source_that_has_seen_the_test_is_left_out(ran: Path) -> None:
    """A copy of a source as target: that source is no advice, and which it was is said."""
    (ran / "again.csv").write_bytes((ran / "a.csv").read_bytes())
    done = tsxfer(ran, "recommend", "--target", "again.csv", *SAID, *ABC, "--json")
    assert done.returncode == 0, done.stderr
    assert {s["source"][0] for s in json.loads(done.stdout)["sources"]} == set("bc")
    assert "left out: a+own@" in done.stderr
    assert "windows of the target's test part" in done.stderr


def test_the_page_says_what_it_says_in_words(ran: Path) -> None:
    """The sentence names cells, targets and the blind pick; a size and a repeat can be chosen."""
    words = ("recommend", "--target", "mine.csv", *SAID, "--size", "40", "--repeat", "1")
    done = tsxfer(ran, *words)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "of 2 cells (2 targets; a blind pick:" in said
    assert "Fewer than 6 targets cannot tell that from luck" in said
    assert "that ignores the windows scores" in said
    assert "n=40, by probe (macro F1)" in said
    assert "labels in pretraining; higher is better" in said
    assert "SIMULATED" not in said


def test_without_a_finished_study_it_says_how_to_make_the_evidence(
    ran: Path, tmp_path: Path
) -> None:
    """Weights alone rank sources, and nothing is claimed of how good that is."""
    import shutil

    place = tmp_path / "tsxfer-workspace"
    for part in ("data", "weights"):
        shutil.copytree(ran / "tsxfer-workspace" / part, place / part)
    shutil.copy(ran / "mine.csv", tmp_path)
    done = tsxfer(tmp_path, "recommend", "--target", "mine.csv", *SAID)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "Nothing can be said yet" in said
    assert "tsxfer run --source a,b,c --target x,y" in said
    assert "regret" not in said


BAD = {
    "no target": (("--target", "spech"), "did you mean speech"),
    "not prepared": (("--target", "speech"), "tsxfer prepare speech [--from FOLDER]"),
    "two": (("--target", "speech,emg"), "2 targets are given"),
    "no model": (("--target", "mine.csv", *SAID, "--model", "tcm"), "did you mean tcn"),
    "other model": (("--target", "mine.csv", *SAID, "--model", "resnet"), "--model convnetquake"),
    "too many": (("--target", "mine.csv", *SAID, "--size", "80"), "use a size of at most"),
    "no size": (("--target", "mine.csv", *SAID, "--size", "few"), "is not a label budget"),
    "no repeat": (("--target", "mine.csv", *SAID, "--repeat", "-1"), "is negative"),
    "no source": (("--target", "mine.csv", *SAID, *ABC, "--workspace", "empty"), "zoo:NAME"),
    "no zoo": (("--target", "mine.csv", *SAID, "--source", "zoo:spech"), "did you mean zoo:"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_message(ran: Path, case: str) -> None:
    """Exit code 2 and what mends it, no traceback."""
    words, message = BAD[case]
    done = tsxfer(ran, "recommend", *words)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert "Traceback" not in done.stderr
