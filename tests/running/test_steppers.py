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


def test_scratch_joins_transfers_in_a_pack(place: Workspace) -> None:
    """One pack, arrays of a subset uploaded once; the bits are those of each one alone."""
    source = replace(SOURCE, size="n=60")
    run(job(place, source, keep=True))
    small = replace(SCRATCH, size="n=60", recipe=Recipe(epochs=1))
    trials = [
        small,
        *(replace(small, reuse=Reuse(source, strategy=named_strategy(n))) for n in WORDS),
    ]
    jobs = [job(place, trial) for trial in trials]
    assert [len(pack) for pack in packs(jobs, 64)] == [3, 1]  # a probe takes no steps
    together = run_pack(jobs[:3])
    assert [row.scores for row in together] == [run(one).scores for one in jobs[:3]]
    uploaded: Uploaded = {}
    begun = [begin(trial, place, "cpu", uploaded) for trial in trials]
    assert len(uploaded) == 1
    assert len({id(b.replicas[0].train.x) for b in begun}) == 1
