"""A CUDA driver played by hand, around PyTorch's own `torch.cuda.graph` and stream contexts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

GIB = 2**30


@dataclass
class Stream:
    """A stream that remembers for whom it waited."""

    number: int
    device: torch.device = field(default_factory=lambda: torch.device("cuda", 0))
    waited: list[int] = field(default_factory=list)

    def wait_stream(self, other: Stream) -> None:
        """Order after what the other was given so far."""
        self.waited.append(other.number)


@dataclass
class Driver:
    """What a test may set, and what happened.

    Attributes:
        free: Bytes that no process has.
        now: Bytes that tensors of this process hold.
        peak: The most they held since the last reset.
        torn: Ending a capture whose body failed fails too, as on a device.
        current: The stream that work goes to.
        pools: Of each capture: the pool it was given.
        registered: Random streams that a graph was told of before its capture began.
        capturing: A capture is under way.
    """

    free: int = 80 * GIB
    now: int = 0
    peak: int = 0
    torn: bool = True
    current: Stream = field(default_factory=lambda: Stream(0))
    pools: list[Any] = field(default_factory=list)
    registered: list[torch.Generator] = field(default_factory=list)
    capturing: bool = False
    streams: int = 0
    failed: bool = False

    def stream(self, *_: Any, **__: Any) -> Stream:
        """As `torch.cuda.Stream`: the next of the pool."""
        self.streams += 1
        return Stream(1 + (self.streams - 1) % 32)

    def set(self, stream: Stream) -> None:
        """As `torch.cuda.set_stream`."""
        self.current = stream

    def take(self, size: int) -> None:
        """Hold so many bytes for a while, as a step does."""
        self.peak = max(self.peak, self.now + size)

    def reset(self, *_: Any) -> None:
        """As `torch.cuda.reset_peak_memory_stats`."""
        self.peak = self.now


@dataclass
class Graph:
    """As `torch.cuda.CUDAGraph`."""

    driver: Driver

    def register_generator_state(self, generator: torch.Generator) -> None:
        """To be done before a capture begins."""
        assert not self.driver.capturing
        self.driver.registered.append(generator)

    def capture_begin(self, *pool: Any, **_: Any) -> None:
        """Refused while another capture is under way."""
        if self.driver.capturing:
            raise RuntimeError("captures_underway.empty() INTERNAL ASSERT FAILED")
        self.driver.capturing, self.driver.failed = True, False
        self.driver.pools.append(pool[0] if pool else None)

    def capture_end(self) -> None:
        """A capture in which something failed cannot be ended."""
        if self.driver.failed and self.driver.torn:
            raise RuntimeError("CUDA error: operation failed due to a previous error")
        self.driver.capturing = False

    def replay(self) -> None:
        """Nothing: what is replayed is not seen here."""

    def pool(self) -> tuple[int, int]:
        """The first capture's memory."""
        return (0, 1)


@contextmanager
def _on(_: Any) -> Iterator[None]:
    yield


def play(monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Put a driver in the place of the device's; `torch.cuda.graph` itself stays PyTorch's."""
    driver = Driver()

    cuda: Any = torch.cuda
    for name, value in {
        "CUDAGraph": lambda: Graph(driver),
        "Stream": driver.stream,
        "current_stream": lambda *_: driver.current,
        "set_stream": driver.set,
        "synchronize": lambda *_: None,
        "empty_cache": lambda: None,
        "device": _on,
        "_get_device_index": lambda *_: 0,
        "mem_get_info": lambda *_: (driver.free, 80 * GIB),
        "memory_reserved": lambda *_: driver.now,
        "memory_allocated": lambda *_: driver.now,
        "max_memory_allocated": lambda *_: driver.peak,
        "reset_peak_memory_stats": driver.reset,
    }.items():
        monkeypatch.setattr(cuda, name, value)
    monkeypatch.setattr(torch._C, "_host_emptyCache", lambda: None, raising=False)
    return driver
