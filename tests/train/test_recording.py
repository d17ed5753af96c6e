"""Recording on a driver that is played by hand: failures, streams and memory."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.train.driver import GIB, Driver, play
from tsxfer.running.deadline import LateError
from tsxfer.train import graphs, recording
from tsxfer.train.recording import STREAMS, Room, SpoiledError, record

CUDA = torch.device("cuda", 0)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    """A device, and a process in which nothing was recorded yet."""
    monkeypatch.setattr(recording, "_reasons", [])
    monkeypatch.setattr(recording, "_lanes", {})
    return play(monkeypatch)


def _fails(driver: Driver, error: BaseException) -> Callable[[], None]:
    def body() -> None:
        driver.failed = True
        raise error

    return body


def test_bodies_run_on_streams_of_their_own(driver: Driver) -> None:
    """Each branch starts after the capture stream, which waits for those that were used."""
    seen: list[int] = []
    bodies = [lambda: seen.append(driver.current.number)] * 3
    record(bodies, [], CUDA)
    ways = recording.lanes(CUDA)
    assert seen == [side.number for side in ways.sides[:3]]
    assert ways.capture.waited == seen
    assert all(ways.capture.number in side.waited for side in ways.sides[:3])
    assert driver.current.number == 0


def test_streams_are_drawn_once(driver: Driver) -> None:
    """Recording again and again never makes the capture stream one of its own branches."""
    for _ in range(5):
        record([lambda: None] * 20, [], CUDA)
    ways = recording.lanes(CUDA)
    assert driver.streams == STREAMS + 1
    assert ways.capture.number not in {side.number for side in ways.sides}


def test_random_streams_are_told_to_the_graph(driver: Driver) -> None:
    """A stream that a graph does not know raises inside its capture, or repeats its numbers."""
    streams = [torch.Generator() for _ in range(3)]
    record([lambda: None], streams, CUDA)
    assert driver.registered == streams


def test_out_of_memory_in_a_capture_stays_that(driver: Driver) -> None:
    """The end of the capture fails too, which must not hide it; the stream is set back."""
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB")
    with pytest.raises(torch.OutOfMemoryError, match="20 MiB"):
        record([_fails(driver, full)], [], CUDA)
    assert driver.current.number == 0
    assert "20 MiB" in recording.spoiled()


@pytest.mark.parametrize("error", [LateError("late"), KeyboardInterrupt()])
def test_what_is_no_fault_of_a_recording_comes_out_of_it(
    driver: Driver, error: BaseException
) -> None:
    """A deadline or Ctrl-C inside a capture is neither lost nor called a refusal."""
    with pytest.raises(type(error)):
        record([_fails(driver, error)], [], CUDA)
    assert driver.current.number == 0
    assert recording.spoiled()


def test_what_cannot_be_captured_says_why(driver: Driver) -> None:
    """The body's words are kept, not those of the end of the capture."""
    with pytest.raises(SpoiledError, match="not permitted when stream is capturing"):
        record([_fails(driver, RuntimeError("not permitted when stream is capturing"))], [], CUDA)
    assert driver.current.number == 0
    assert "not permitted" in recording.spoiled()


def test_recordings_of_a_pack_share_a_pool(driver: Driver) -> None:
    """The last batch is never taken at the same time as a full one."""
    _, pool = record([lambda: None], [], CUDA)
    record([lambda: None], [], CUDA, pool)
    assert driver.pools == [None, pool]


def test_an_earlier_peak_does_not_narrow_a_pack(driver: Driver) -> None:
    """After one pack of 41 GB, 42 replicas of 0.2 GB a step fit."""
    driver.take(41 * GIB)
    room = Room(CUDA, 42)
    driver.take(GIB // 5)
    room.check()


def test_as_many_steps_are_alive_as_there_are_streams(driver: Driver) -> None:
    """64 replicas of 4 GB a step fit 80 GB, since 16 run at a time; of 5 GB they do not."""
    room = Room(CUDA, 64)
    driver.take(4 * GIB)
    room.check()
    driver.take(5 * GIB)
    with pytest.raises(torch.OutOfMemoryError, match="16 steps at a time"):
        room.check()


def test_one_replica_needs_its_own_step_alone(driver: Driver) -> None:
    """A pack of one on a small device."""
    driver.free = 6 * GIB
    room = Room(CUDA, 1)
    driver.take(5 * GIB)
    room.check()


class _Rows(list[int]):
    """The order of an epoch, on a device that is not there."""

    device = CUDA


def _run(driver: Driver, size: int, taken: list[tuple[int, int]]) -> Any:
    def learn(rows: list[int]) -> None:
        taken.append((driver.current.number, len(rows)))
        driver.take(size)

    optimiser = SimpleNamespace(zero_grad=lambda **_: None)
    rules = SimpleNamespace(recipe=SimpleNamespace(batch=8))
    return SimpleNamespace(rows=_Rows(range(20)), rules=rules, learn=learn, optimiser=optimiser)


def test_each_replica_warms_up_on_its_stream_with_each_width(driver: Driver) -> None:
    """Libraries keep plans by stream and shape; the state is set back after each replica."""
    taken, restored = list[tuple[int, int]](), list[int]()
    live = [_run(driver, GIB, taken) for _ in range(2)]
    kept: Any = [SimpleNamespace(restore=lambda: restored.append(1)) for _ in live]
    graphs._warm_up(live, kept, [range(2), range(2, 3)])
    streams = [side.number for side in recording.lanes(CUDA).sides[:2]]
    assert taken == [(stream, width) for stream in streams for width in (8, 4)]
    assert len(restored) == 2
    assert all(0 in side.waited for side in recording.lanes(CUDA).sides[:2])
    assert driver.current.number == 0


def test_the_first_replica_tells_that_a_pack_does_not_fit(driver: Driver) -> None:
    """Before the second one has taken a step, and before anything is recorded."""
    taken = list[tuple[int, int]]()
    live = [_run(driver, 30 * GIB, taken) for _ in range(3)]
    kept: Any = [SimpleNamespace(restore=lambda: None) for _ in live]
    with pytest.raises(torch.OutOfMemoryError, match="3 steps at a time"):
        graphs._warm_up(live, kept, [range(2)])
    assert len(taken) == 1
