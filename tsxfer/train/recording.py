"""Recording steps as a CUDA graph: streams, warming up, memory, and what a failure leaves behind.

A capture that fails may leave a process that cannot capture again: random streams that stay
registered, an allocator that believes a capture is under way (PyTorch 176752, 180395). So it is
noted in `spoiled`, and who runs packs goes on in a fresh process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

STREAMS = 16  # branches at a time; PyTorch's pool has 32, so that none is the capture stream too
Body = Callable[[], None]


class SpoiledError(Exception):
    """A capture failed, and this process must not be used for another; the text says why."""


_reasons: list[str] = []


def spoiled() -> str:
    """Why this process must not record again; empty where nothing failed."""
    return _reasons[0] if _reasons else ""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Streams of a device, drawn once: those drawn anew would come back as each other.

    Attributes:
        device: Where they are.
        capture: On which a recording begins and ends.
        sides: On which its branches run.
    """

    device: torch.device
    capture: Any
    sides: tuple[Any, ...]

    def side(self, place: int) -> Any:
        """The stream of a replica."""
        return self.sides[place % len(self.sides)]


_lanes: dict[torch.device, Lanes] = {}


def lanes(device: torch.device) -> Lanes:
    """The streams of a device."""
    if device not in _lanes:
        stream: Any = torch.cuda.Stream
        with torch.cuda.device(device):
            _lanes[device] = Lanes(device, stream(), tuple(stream() for _ in range(STREAMS)))
    return _lanes[device]


@contextmanager
def lane(device: torch.device, place: int) -> Iterator[None]:
    """The stream of a replica, once it has seen what came before; elsewhere than on CUDA: nothing.

    What is done on it is done when this ends.
    """
    if device.type != "cuda":
        yield
        return
    side = lanes(device).side(place)
    side.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(side):
        yield
    torch.cuda.synchronize(device)


def record(
    bodies: Sequence[Body],
    generators: Sequence[torch.Generator],
    device: torch.device,
    pool: Any = None,
) -> tuple[Body, Any]:
    """A CUDA graph in which the bodies are branches on streams of their own.

    Args:
        bodies: May run beside each other.
        generators: Random streams that they draw from.
        device: Whose streams and memory.
        pool: Memory of another recording, which is never replayed at the same time.

    Returns:
        What replays it, and its memory.

    Raises:
        torch.OutOfMemoryError: If a body ran out of memory.
        SpoiledError: If it cannot be recorded.
        BaseException: What a body raised that is no fault of the recording: a deadline, Ctrl-C.
    """
    ways = lanes(device)
    with torch.cuda.device(device):
        graph = torch.cuda.CUDAGraph()
        for generator in generators:
            graph.register_generator_state(generator)
        with _capturing(graph, ways, pool):
            for place, body in enumerate(bodies):
                with _branch(ways, place):
                    body()
            for side in ways.sides[: len(bodies)]:
                ways.capture.wait_stream(side)
        return graph.replay, graph.pool()


@contextmanager
def _branch(ways: Lanes, place: int) -> Iterator[None]:
    side = ways.side(place)
    side.wait_stream(ways.capture)
    with torch.cuda.stream(side):
        yield


@contextmanager
def _capturing(graph: Any, ways: Lanes, pool: Any) -> Iterator[None]:
    """Capture what is done inside; the exception of a body is kept, and the stream set back.

    `torch.cuda.graph` ends the capture whatever came before, and what that raises hides what a
    body raised; it then leaves the capture stream as the current one.
    """
    before = torch.cuda.current_stream(ways.device)
    raised: BaseException | None = None
    try:
        with torch.cuda.graph(graph, pool, ways.capture, capture_error_mode="thread_local"):
            try:
                yield
            except BaseException as error:
                raised = error
                raise
    except BaseException as error:
        first = raised or error
        _reasons.append(_short(first))
        if isinstance(first, RuntimeError) and not isinstance(first, torch.OutOfMemoryError):
            raise SpoiledError(_short(first)) from first
        raise first from None
    finally:
        torch.cuda.set_stream(before)


def _short(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__


class Room:
    """Whether recordings of many replicas fit, judged by the peak of one replica's step.

    Branches of one stream follow each other and share memory, so that as many steps are alive at a
    time as there are streams. All recordings of a pack share one pool.
    """

    def __init__(self, device: torch.device, count: int) -> None:
        self._device, self._count = device, count
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        self._before = torch.cuda.memory_allocated(device)

    def check(self) -> None:
        """Called after the step of the first replica.

        Raises:
            torch.OutOfMemoryError: If they do not fit.
        """
        device = self._device
        torch.cuda.synchronize(device)
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        alive = min(STREAMS, self._count)
        need = (torch.cuda.max_memory_allocated(device) - self._before) * alive
        if need > 0.9 * (free + cached):
            raise torch.OutOfMemoryError(
                f"{alive} steps at a time need {need:,} bytes beside {free + cached:,}"
            )
