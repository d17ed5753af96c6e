"""How steps are taken is said by rows, and changes no number beyond rounding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.running.test_runner import SCRATCH, SOURCE, place
from tests.small import job
from tsxfer.api.engine import WAYS, How
from tsxfer.core.specs import Recipe, Reuse
from tsxfer.core.strategy import named as named_strategy
from tsxfer.errors import SpecError
from tsxfer.running import ending
from tsxfer.running.runner import run, run_pack
from tsxfer.running.setup import Uploaded, begin
from tsxfer.running.steppers import named, stepper_of
from tsxfer.running.supply import packs
from tsxfer.store.workspace import Workspace

__all__ = ["place"]  # a fixture


WORDS = ("copy", "lora", "probe")


def test_a_stacked_pack_says_so_and_gives_the_scores_in_turns(place: Workspace) -> None:
    """On a CPU too, with ``--steps stacked``; by default a CPU takes turns, bit for bit."""
    trials = [replace(SCRATCH, size="n=60", repeat=i) for i in range(2)]
    jobs = [job(place, trial) for trial in trials]
    stacked = run_pack([replace(one, steps="stacked") for one in jobs])
    turns = run_pack(jobs)
    assert [row.cost["way"] for row in (*stacked, *turns)] == ["stacked"] * 2 + ["turns"] * 2
    for a, b in zip(stacked, turns, strict=True):
        assert a.curve["score"] == pytest.approx(b.curve["score"], abs=0.05)
        assert a.key == b.key


def test_what_is_chosen_where() -> None:
    """Stacked on CUDA, turns elsewhere; an unknown way is refused."""
    assert [named(stepper_of(way, "cpu")) for way in WAYS] == ["turns"] * 4  # none has begun
    kinds = [type(stepper_of(way, "cuda")).__name__ for way in WAYS]
    assert kinds == ["Stacked", "function", "Graphs", "Stacked"]
    with pytest.raises(SpecError, match="--steps 'stack' is not known"):
        How(steps="stack")


def test_scratch_joins_transfers_in_a_pack(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrays of a subset and of a test set are uploaded once; bits are those of each alone."""
    source = replace(SOURCE, size="n=60")
    run(job(place, source, keep=True))
    small = replace(SCRATCH, size="n=60", recipe=Recipe(epochs=1))
    trials = [
        small,
        *(replace(small, reuse=Reuse(source, strategy=named_strategy(n))) for n in WORDS),
    ]
    jobs = [job(place, trial) for trial in trials]
    assert [len(pack) for pack in packs(jobs, 64)] == [3, 1]  # a probe takes no steps
    made = list[int]()
    real = ending.test_windows
    monkeypatch.setattr(ending, "test_windows", lambda task: made.append(1) or real(task))
    again = replace(jobs[0], trial=replace(small, repeat=1))
    together = run_pack([jobs[0], again, *jobs[1:3]])
    assert len(made) == 2  # a test set each of two repeats, though their trials alternate
    assert together.pop(1).trial.repeat == 1
    assert [row.scores for row in together] == [run(one).scores for one in jobs[:3]]
    uploaded: Uploaded = {}
    begun = [begin(trial, place, "cpu", uploaded) for trial in trials]
    assert len(uploaded) == 1
    assert len({id(b.replicas[0].train.x) for b in begun}) == 1
