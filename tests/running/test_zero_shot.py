"""A source's own head answers for a target: the same classes, no label, and no other network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.rows import study
from tests.small import filled, job
from tests.study import here
from tsxfer.api.asked import flags_of
from tsxfer.core.cautions import Caution
from tsxfer.core.expansion import expand
from tsxfer.core.results import Result
from tsxfer.core.specs import CONTROLS, Recipe, Reuse, Trial
from tsxfer.core.strategy import Strategy, named
from tsxfer.core.study import HEADED, Study
from tsxfer.core.study_files import parse_study, study_toml
from tsxfer.data import matching
from tsxfer.errors import DataError, SpecError
from tsxfer.own.description import Description
from tsxfer.report.answer import _phrase
from tsxfer.running.runner import run
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import compare
from tsxfer.stats.controls import with_controls
from tsxfer.stats.gain import judged
from tsxfer.store.workspace import Workspace
from tsxfer.train.zero_shot import Adopted

RECIPE = Recipe(epochs=2)
SOURCE = Trial(dataset="emg+sim@1", model="convnetquake", size="300", repeat=0, recipe=RECIPE)
ZERO = replace(SOURCE, reuse=Reuse(SOURCE, strategy=named("zero_shot")))
STUDY = Study("s", ("a@1",), ("x@1",), models=("tcn",), strategies=(named("zero_shot"),))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with gestures, and with prices, whose labels are numbers."""
    folder: Path = tmp_path_factory.mktemp("workspace")
    return filled(Workspace(folder), 1200, ("emg+sim", "finance+sim"))


def test_the_network_of_a_source_answers_as_the_source_did(place: Workspace) -> None:
    """On the source's own windows the scores are the source's, to the bit, after no step."""
    source: Result = run(job(place, SOURCE, keep=True))
    row = run(job(place, ZERO))
    assert row.status == "done"
    assert row.scores == source.scores
    assert row.chance == source.chance
    assert (row.cost["steps"], row.cost["samples"], row.loss) == (0, 0, "none")
    assert row.audit["renewed"] == []
    assert any(name.startswith("head.") for name in row.audit["copied"])
    assert Caution.ZERO_SHOT in row.labels
    assert Caution.ZERO_SHOT not in source.labels


def test_outputs_stand_in_the_order_of_the_target() -> None:
    """A class of the target gets the output of the class of that name, wherever it stood."""
    head = nn.Identity()
    answered = Adopted(head, [[2], [0], [1]])(torch.tensor([[10.0, 20.0, 30.0]]))
    assert answered.tolist() == [[30, 10, 20]]


def test_probabilities_of_classes_that_stand_for_one_are_added() -> None:
    """The softmax of the answer is the sum of the source's, without those that are left out."""
    given = torch.tensor([[1.0, 2.0, 0.5, 9.0]])
    answered = Adopted(nn.Identity(), [[0, 2], [1]])(given).softmax(1)
    likely = given[:, :3].softmax(1)
    assert torch.allclose(answered, torch.stack([likely[:, 0] + likely[:, 2], likely[:, 1]], 1))


def test_other_classes_and_numbers_are_refused_before_training(place: Workspace) -> None:
    """The message lists the classes of both sides; labels that are numbers have none."""
    emg, finance = (matching.task.prepared(place, f"{n}+sim@1") for n in ("emg", "finance"))
    turned = replace(emg, classes=emg.classes[::-1])
    assert matching.places(emg, turned, {}) == ((3,), (2,), (1,), (0,))
    other = replace(emg, classes=(*emg.classes[:3], "fist"))
    with pytest.raises(DataError, match=rf"{emg.classes[3]}\) cannot .*fist\)"):
        matching.places(emg, other, {})
    with pytest.raises(DataError, match="are numbers"):
        matching.refuse(place, [replace(ZERO, dataset="finance+sim@1")])
    assert finance.classes == ()


def test_classes_with_other_names_are_mapped(place: Workspace) -> None:
    """Each class of the target gets those that are said to stand for it; "" leaves one out."""
    emg = matching.task.prepared(place, "emg+sim@1")
    a, b, c, d = emg.classes
    two = replace(emg, classes=("some", b))
    said = {a: "some", c: "some", d: ""}
    assert matching.places(emg, two, said) == ((0, 2), (1,))
    with pytest.raises(DataError, match=f"{d} of the source stands for none"):
        matching.places(emg, two, {a: "some", c: "some"})
    with pytest.raises(DataError, match="none stands for some"):
        matching.places(emg, two, {a: "", c: "", d: ""})
    for wrong in ({a: "sme", c: "some", d: ""}, {"fisst": "some"}):
        with pytest.raises(DataError, match="is no class of") as caught:
            matching.places(emg, two, wrong)
        assert "some" in caught.value.mend or a in caught.value.mend


def test_a_mapping_is_in_key_and_words() -> None:
    """What stands for itself is not in it; without zero_shot it would do nothing."""
    plain = named("zero_shot")
    assert replace(plain, classes={"fist": "fist"}) == plain
    mapped = replace(plain, classes={"wave": "", "fist": "closed", "rest": "rest"})
    assert mapped.words == "zero_shot[fist=closed, wave=]"
    assert replace(ZERO, reuse=Reuse(SOURCE, strategy=mapped)).key != ZERO.key
    study = replace(STUDY, strategies=(plain, mapped))
    assert parse_study(study_toml(study), "s", "s.toml") == study
    with pytest.raises(SpecError, match="classes has no effect"):
        Strategy(classes={"a": "b"})


def test_a_mapping_is_a_dict_or_text_in_python() -> None:
    """Both come out as the flag has them."""
    said = [flags_of({"classes": one}, [], [], Description()) for one in ({"a": "b"}, "a=b")]
    assert said[0].classes == said[1].classes == ["a=b"]


def test_several_classes_for_one_need_probabilities() -> None:
    """A source that learned by squared error gives none that could be added."""
    matching.refuse_sums(((0, 2), (1,)), "task")
    matching.refuse_sums(((0,), (1,)), "squared")
    with pytest.raises(SpecError, match="no probabilities"):
        matching.refuse_sums(((0, 2), (1,)), "squared")


MAPPED = """
sources = ["lab.npz"]
targets = ["home.npz"]
models = ["convnetquake"]
sizes = ["5/class"]
repeats = 1
pretrainings = 1
check_start = false
recipe = {{ epochs = 1 }}
pretraining = {{ epochs = 30, batch = 16 }}
[[strategies]]
copied = "backbone"
learn = "zero_shot"
classes = {{ {0} }}
"""


def test_a_target_with_other_names_is_answered_by_the_mapping(tmp_path: Path) -> None:
    """The classes that are said to stand for the target's are those that answer for them."""
    draw, code = np.random.default_rng(0), np.arange(180) % 3
    for name, words in (("lab", "abc"), ("home", "xyz")):
        tone = (0.2 + 0.8 * code)[:, None] * np.arange(32) + draw.uniform(0, 6, (180, 1))
        x = (np.sin(tone) + draw.normal(0, 0.1, tone.shape))[:, None].astype(np.float32)
        y, group = np.array(list(words))[code], np.array([f"p{n // 12}" for n in range(180)])
        np.savez(tmp_path / f"{name}.npz", x=x, y=y, group=group)
        (tmp_path / f"{name}.toml").write_text("rate = 100\n")
    maps = {"none": "", "right": "a='x', b='y', c='z'", "turned": "a='y', b='z', c='x'"}
    done = {}
    for name, said in maps.items():
        (tmp_path / f"{name}-study.toml").write_text(MAPPED.format(said))
        done[name] = here(tmp_path, "run", f"{name}-study.toml", "--workers", "1")
    assert [one.returncode for one in done.values()] == [2, 0, 0], done["right"].stderr
    assert "--classes SOURCE=TARGET" in done["none"].stderr
    files = (tmp_path / "tsxfer-workspace" / "results").rglob("*.jsonl")
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    held = [(r["trial"].get("reuse", {}).get("strategy", {}), r["scores"]) for r in rows]
    scores = {how["classes"]["a"]: found["accuracy"] for how, found in held if "classes" in how}
    assert scores["x"] > 0.6
    assert scores["y"] < 0.2


def test_what_has_no_head_is_refused() -> None:
    """Sources without labels, several as one, and parts of a network have no head that fits."""
    for more in ({"objectives": ("masked",)}, {"combine": ("pooled",)}):
        with pytest.raises(SpecError, match="source's head"):
            replace(STUDY, **more)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="whole network"):
        Strategy(learn="zero_shot")
    with pytest.raises(SpecError, match="whole network"):
        named("zero_shot+fresh")


def test_averages_and_words_know_that_no_label_was_used() -> None:
    """A zero-shot answer is in no mean of gains, asks for no placebo, and helps or harms nobody."""
    plain = compare(cells(*study(4, [0.5, 0.51, 0.49, 0.5], [0.8, 0.81, 0.8, 0.79])))
    how = plain[0].trial.reuse
    assert how is not None
    zero = replace(plain[0].trial, reuse=replace(how, strategy=named("zero_shot")))
    answered = [replace(plain[0], trial=zero)]
    assert judged(plain) == list(plain)
    assert judged(answered) == []
    assert with_controls(plain, []) != tuple(plain)
    assert with_controls(answered, []) == tuple(answered)
    assert "without any label, is better than scratch" in _phrase("better", answered[0], "1", "x")


def test_controls_are_those_that_have_a_head() -> None:
    """Placebos and noise, whose heads never learned these classes, add no trial."""
    asked = {t.control for t in expand(replace(STUDY, controls=CONTROLS)) if t.reuse}
    assert asked == {"", *HEADED} - {"whole"}  # which is no transfer
