"""A source's own head answers for a target: the same classes, no label, and no other network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.rows import study
from tests.small import filled, job
from tsxfer.core.cautions import Caution
from tsxfer.core.specs import CONTROLS, Recipe, Result, Reuse, Trial
from tsxfer.core.strategy import Strategy, named
from tsxfer.core.study import HEADED, Study, expand
from tsxfer.data import matching
from tsxfer.errors import DataError, SpecError
from tsxfer.report.answer import _phrase
from tsxfer.running.runner import run
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import compare
from tsxfer.stats.controls import uncontrolled
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
    assert Adopted(head, [2, 0, 1])(torch.tensor([[10.0, 20.0, 30.0]])).tolist() == [[30, 10, 20]]


def test_other_classes_and_numbers_are_refused_before_training(place: Workspace) -> None:
    """The message lists the classes of both sides; labels that are numbers have none."""
    emg, finance = (matching.task.prepared(place, f"{n}+sim@1") for n in ("emg", "finance"))
    assert matching.places(emg, replace(emg, classes=emg.classes[::-1])) == [3, 2, 1, 0]
    other = replace(emg, classes=(*emg.classes[:3], "fist"))
    with pytest.raises(DataError, match=rf"{emg.classes[3]}\) cannot .*fist\)"):
        matching.places(emg, other)
    with pytest.raises(DataError, match="are numbers"):
        matching.refuse(place, [replace(ZERO, dataset="finance+sim@1")])
    assert finance.classes == ()


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
    assert uncontrolled(plain, []) != tuple(plain)
    assert uncontrolled(answered, []) == tuple(answered)
    assert "without any label, is better than scratch" in _phrase("better", answered[0], "1", "x")


def test_controls_are_those_that_have_a_head() -> None:
    """Placebos and noise, whose heads never learned these classes, add no trial."""
    asked = {t.control for t in expand(replace(STUDY, controls=CONTROLS)) if t.reuse}
    assert asked == {"", *HEADED} - {"whole"}  # which is no transfer
