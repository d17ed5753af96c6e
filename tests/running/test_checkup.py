"""`tsxfer doctor --gpu`: its dry run on a CPU, and what it says of faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from tests.train.driver import Driver, play
from tsxfer.models import draws
from tsxfer.running import chance, checkup, whole
from tsxfer.running.checkup import Finding
from tsxfer.train import recording
from tsxfer.train.stacked import scores
from tsxfer.train.stacked.play import Play
from tsxfer.train.stacked.stack import Stack


def test_a_dry_run_finds_nothing_wrong() -> None:
    """Stacked and in turns agree in each precision; a replica stops early meanwhile."""
    found = list(checkup.checkup("cpu", ["magnet"], ["labels"]))
    assert [finding.what for finding in found[:2]] == [
        "magnet, float32, labels",
        "magnet, bf16, labels",
    ]
    assert all(finding.good for finding in found)
    assert "stacked" in found[0].said
    assert found[2].what == "random streams"
    assert [one.what for one in found[3:-1]] == [
        f"scores, best states and epochs, {metric}" for metric in whole.MODELS
    ]
    assert all("graph: nothing recorded, scores on the device" in one.said for one in found[3:-1])
    assert "not tried" in found[-1].said


def test_a_best_state_of_another_moment_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the masked copy keeps nothing, the best state is not the one that was scored."""
    monkeypatch.setattr(Stack, "keep", lambda *_: None)
    found = checkup._together("cpu", "mae")
    assert str(found).startswith("FAIL scores, best states and epochs, mae: a best state does not")


def test_scores_that_the_device_makes_otherwise_are_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A median that is a mean, say."""
    monkeypatch.setattr(scores, "_median", lambda x: x.mean(dim=1, keepdim=True))
    assert not checkup._together("cpu", "medae").good


def test_an_epoch_that_is_not_its_steps_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The incomplete last batch left out of a whole epoch, say."""

    def short(self: Play) -> None:
        for place in range(2):
            self.stack.step(self._shapes[0].order[:, place])

    monkeypatch.setattr(Play, "_steps", short)
    assert "an epoch is not its steps" in checkup._together("cpu", "mae").said


def test_what_a_recorded_epoch_saves_is_timed() -> None:
    """On a CPU with a recorder that plays; three steps of three replicas."""
    saved = whole.gap(checkup._judged("cpu", "mae"), checkup.BATCH, lambda b, *_: (b[0], None))
    assert abs(saved) < 1.0


def test_other_numbers_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack whose gradient is wrong is found out."""
    right = Stack.gradient
    monkeypatch.setattr(Stack, "gradient", lambda self, rows: -right(self, rows))
    finding = next(checkup.checkup("cpu", ["convnetquake"], ["labels"]))
    assert not finding.good
    assert str(finding).startswith("FAIL convnetquake, float32, labels")


def test_a_network_that_amplifies_rounding_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves may differ by some times what a rounding error of the start does, which is said."""
    monkeypatch.setattr(checkup, "NEAR", {"float32": 0.0, "bf16": 0.0})
    monkeypatch.setattr(checkup, "EPSILON", 1e-3)
    finding = next(checkup.checkup("cpu", ["convnetquake"], ["labels"]))
    assert finding.good
    assert "a rounding error moves turns" in finding.said


def test_what_is_not_stacked_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason is shown."""

    def refuse(*_: object) -> None:
        raise RuntimeError("no rule for it")

    monkeypatch.setattr(Stack, "outputs", refuse)
    finding = next(checkup.checkup("cpu", ["convnetquake"], ["labels"]))
    assert not finding.good
    assert "no rule for it" in finding.said


def test_a_stack_that_draws_otherwise_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams in another order, or one stream for all replicas, are found out."""
    right = draws._Draw.vmap
    wrongs: dict[str, Callable[[Sequence[Any]], tuple[Any, ...]]] = {
        "in reverse": lambda each: tuple(reversed(each)),
        "one for all": lambda each: (each[0],) * len(each),
    }
    for wrong in wrongs.values():

        def drawn(*given: Any, wrong: Any = wrong) -> Any:
            return right(*given[:-1], wrong(given[-1]))

        monkeypatch.setattr(draws._Draw, "vmap", staticmethod(drawn))
        finding = checkup._chance("cpu")
        assert str(finding) == "FAIL random streams: dropout of step 1 is not that of turns"
    monkeypatch.setattr(draws._Draw, "vmap", staticmethod(right))
    assert checkup._chance("cpu").good


def test_a_replay_leaves_streams_where_turns_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial before a recording leaves no trace; one that does is found out."""
    monkeypatch.setattr(recording, "record", lambda bodies, *_: (bodies[0], None))
    there, streams = torch.device("cpu"), chance._streams(torch.device("cpu"))
    before = [stream.get_state() for stream in streams]

    def body() -> None:
        chance._alone(there, streams)

    chance._replayed(body, streams, there)
    after = [stream.get_state() for stream in streams]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_memory_that_is_not_there_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside a capture, on a driver that is played by hand; the process counts as spoiled."""
    monkeypatch.setattr(recording, "_reasons", [])
    monkeypatch.setattr(recording, "_lanes", {})
    driver: Driver = play(monkeypatch)

    def short(*_: object, **__: object) -> None:
        driver.failed = True
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch, "empty", short)
    assert checkup.fail("memory", "cpu") == "OutOfMemoryError"
    assert recording.spoiled()


def test_a_finding_is_one_line() -> None:
    """Good or not, what, and what was found."""
    assert str(Finding("a", True, "b")) == "ok   a: b"
    assert checkup._apart([1.0], [1.0, 2.0]) == np.inf
