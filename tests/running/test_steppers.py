"""How steps are taken is said by rows, and changes no number beyond rounding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.running.test_runner import SCRATCH, place
from tests.small import job
from tsxfer.api.engine import WAYS, How
from tsxfer.errors import SpecError
from tsxfer.running.runner import run_pack
from tsxfer.running.steppers import named, stepper_of
from tsxfer.store.workspace import Workspace

__all__ = ["place"]  # a fixture


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
