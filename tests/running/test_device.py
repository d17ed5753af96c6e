"""Devices by name, on machines with none, one and two of them."""

from __future__ import annotations

import pytest
import torch

from tsxfer.errors import SpecError
from tsxfer.running.device import device_of, on_gpu, refuse_device


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> int:
    """A machine with so many CUDA devices."""
    count: int = request.param
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    return count


@pytest.mark.parametrize("gpus", [0], indirect=True)
def test_a_machine_without_a_gpu(gpus: int) -> None:
    """Auto takes the CPU; a GPU that is asked for is missed."""
    assert device_of("auto") == device_of("cpu") == "cpu"
    for wanted in ("cuda", "cuda:0"):
        with pytest.raises(SpecError, match="finds no CUDA device"):
            device_of(wanted)


@pytest.mark.parametrize("gpus", [2], indirect=True)
def test_a_machine_with_two(gpus: int) -> None:
    """Each has its number; one that is not there is refused, with those that are."""
    assert device_of("auto") == device_of("cuda") == "cuda"
    assert device_of("cuda:1") == "cuda:1"
    with pytest.raises(SpecError, match="--device cuda:7, but there are: cuda:0, cuda:1"):
        device_of("cuda:7")
    assert device_of("cpu") == "cpu"


def test_words_that_mean_no_device() -> None:
    """A misspelt name is refused before torch is asked."""
    for wanted in ("gpu", "cuda:", "cuda:x", "cuda1", "CUDA"):
        with pytest.raises(SpecError, match="is not known"):
            refuse_device(wanted)
    assert on_gpu("cuda:1")
    assert not on_gpu("cpu")
