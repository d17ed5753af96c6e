"""After a failed recording, or out of memory: another way, from a clean state, the same numbers."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.running.test_runner import SCRATCH, place
from tests.small import job
from tsxfer.core.results import Result
from tsxfer.errors import TsxferError
from tsxfer.keep import fit as keeping
from tsxfer.running import checkup, runner
from tsxfer.running.runner import Job, run_pack
from tsxfer.running.successor import Successor
from tsxfer.store.workspace import Workspace
from tsxfer.train import loop, recording
from tsxfer.train.graphs import Graphs
from tsxfer.train.stacked.stepper import Stacked

__all__ = ["place"]  # a fixture
TINY = replace(SCRATCH, size="n=60", recipe=replace(SCRATCH.recipe, epochs=1))


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in which nothing was recorded yet."""
    monkeypatch.setattr(recording, "_reasons", [])
    monkeypatch.setattr(runner, "_REFUSED", {})


class _Fresh:
    """A fresh process, played here: nothing is spoiled in it."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, str]] = []

    def call(self, work: Any, pack: Sequence[Job], refused: str) -> list[Result]:
        self.calls.append((len(pack), refused))
        reasons, recording._reasons[:] = list(recording._reasons), []
        found: list[Result] = work(pack, refused)
        recording._reasons[:] = reasons
        return found


def _first(error: Exception, monkeypatch: pytest.MonkeyPatch, spoils: bool = True) -> _Fresh:
    """The first training fails so; the fresh process is played."""
    fit, fresh, tries = loop.fit, _Fresh(), []

    def once(pack: Any, rules: Any, stepper: Any) -> list[loop.Fit]:
        if not tries:
            tries.append(1)
            if spoils:
                recording._reasons.append(str(error))
            raise error
        return fit(pack, rules, stepper)

    monkeypatch.setattr(loop, "fit", once)
    monkeypatch.setattr(runner, "SUCCESSOR", fresh)
    return fresh


def test_a_failed_recording_goes_on_in_a_fresh_process(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the steps are taken in turns; the numbers are those of a run without a fault."""
    jobs = [job(place, replace(TINY, repeat=i)) for i in range(2)]
    plain = run_pack(jobs)
    fresh = _first(recording.SpoiledError("not permitted"), monkeypatch)
    assert [row.scores for row in run_pack(jobs)] == [row.scores for row in plain]
    assert fresh.calls == [(2, "not permitted")]
    run_pack([job(place, replace(TINY, repeat=3))])
    assert fresh.calls[1:] == [(1, "not permitted")]


def test_a_model_to_keep_goes_on_in_a_fresh_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its own failed recording, and in a process that another one spoiled."""
    calls: list[str] = []

    class Fresh:
        def call(self, work: Any, *given: Any) -> str:
            assert work is keeping.fit
            calls.append(given[-1])
            return "fitted there"

    def spoils(*_: object) -> None:
        recording._reasons.append("not permitted")
        raise recording.SpoiledError("not permitted")

    monkeypatch.setattr(keeping, "SUCCESSOR", Fresh())
    monkeypatch.setattr(keeping, "_fit", spoils)
    nothing: Any = None
    for _ in range(2):
        assert keeping.fit(nothing, keeping.Terms(model="tcn")) == "fitted there"
    assert calls == ["not permitted", ""]


def test_out_of_memory_in_a_capture_halves_in_a_fresh_process(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each half may be recorded there."""
    jobs = [job(place, replace(TINY, repeat=i)) for i in range(3)]
    fresh = _first(torch.OutOfMemoryError("CUDA out of memory"), monkeypatch)
    assert [row.status for row in run_pack(jobs)] == ["done"] * 3
    assert fresh.calls == [(1, ""), (2, "")]


# What PyTorch says on Apple's, Intel's and NVIDIA's devices and on a CPU, of types of their own.
SHORT = (
    "MPS backend out of memory (MPS allocated: 7.64 GiB, other allocations: 68.91 GiB, max "
    "allowed: 88.13 GiB). Tried to allocate 33.92 GiB on private pool.",
    "Invalid buffer size: 20.00 GiB",
    "Native API failed. Native API returns: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)",
    "CUDA error: out of memory",
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory",
)


@pytest.mark.parametrize("said", SHORT)
def test_each_device_says_in_its_own_words_that_memory_is_short(
    place: Workspace, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """A pack is halved; a trial alone is a failed row; neither ends the study."""
    widths = list[int]()

    def small(pack: Any, rules: Any, stepper: Any) -> list[loop.Fit]:
        widths.append(len(pack))
        raise RuntimeError(said)

    monkeypatch.setattr(loop, "fit", small)
    found = run_pack([job(place, replace(TINY, repeat=i)) for i in range(2)])
    assert widths == [2, 1, 1]
    assert [row.status for row in found] == ["failed"] * 2
    assert all(said in row.error for row in found)


def test_another_fault_of_pytorch_is_no_shortage(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes out as it is, and no pack is halved for it."""

    def wrong(*_: Any) -> list[loop.Fit]:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(loop, "fit", wrong)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        run_pack([job(place, TINY)])


@pytest.mark.parametrize("stepper", [Graphs(lambda *_: _short()), Stacked(lambda *_: _short())])
def test_a_stepper_does_not_take_a_shortage_for_steps_that_cannot_be_made(
    stepper: loop.Stepper,
) -> None:
    """It reaches who halves the pack, whatever its type."""
    pack = [checkup._replica("cpu", "convnetquake", "labels", i, lambda _: (0, 0)) for i in (0, 1)]
    with pytest.raises(RuntimeError, match="MPS backend"):
        loop.fit(pack, loop.Rules(replace(TINY.recipe, batch=8)), stepper)


def _short() -> tuple[Any, Any]:
    raise RuntimeError(SHORT[0])


def test_halves_begin_when_the_whole_is_gone(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No network of a try that did not fit is alive when the next one starts."""
    fit, held, alive, freed = loop.fit, list[Any](), list[int](), list[str]()
    release = runner.memory.release
    monkeypatch.setattr(runner.memory, "release", lambda d: freed.append(d) or release(d))

    def small(pack: Any, rules: Any, stepper: Any) -> list[loop.Fit]:
        alive.append(sum(ref() is not None for ref in held))
        held.extend(weakref.ref(replica.model) for replica in pack)
        if len(pack) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return fit(pack, rules, stepper)

    monkeypatch.setattr(loop, "fit", small)
    run_pack([job(place, replace(TINY, repeat=i)) for i in range(4)])
    gc.collect()
    assert alive[1] == alive[2] == 0
    assert freed == ["cpu"] * 3  # the whole and its halves, each before what comes after it


def test_a_successor_is_kept_until_it_is_spent() -> None:
    """Two works share a process; one that ends without a message is an error that says so."""
    kept = Successor(str)
    first = kept.call(os.getpid)
    assert first == kept.call(os.getpid) != os.getpid()
    with pytest.raises(TsxferError, match="ended without a message"):
        kept.call(os._exit, 3)
    assert kept.call(os.getpid) != first
    kept.close()
    spent = Successor(os.getcwd)  # never empty
    assert spent.call(os.getpid) != spent.call(os.getpid)
