"""Devices by name, on machines with none, one and two of them."""

from __future__ import annotations

import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch

from bench import speed
from bench.arms import Case, Timed, replicas
from tsxfer.api import engine
from tsxfer.api.engine import How
from tsxfer.cli.doctor import show_doctor
from tsxfer.errors import SpecError
from tsxfer.running import device, executors
from tsxfer.running.device import Pin, device_of, on_gpu, pins, refuse_device
from tsxfer.running.executors import serial
from tsxfer.running.successor import begin_worker
from tsxfer.store.workspace import Workspace
from tsxfer.train import loop
from tsxfer.train.stacked.stepper import Stacked


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


@pytest.mark.parametrize("gpus", [0, 1, 2, 8], indirect=True)
def test_all_gpus_are_used_and_each_worker_has_one(
    gpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker a GPU, kept to it; ``--workers`` says otherwise; packs are spread over them."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(device, "_parts", list)
    found = engine._local(How(), 100)
    if gpus == 0:
        assert (found.device, found.width(100)) == ("cpu", 1)
        return
    assert (found.device, found.share) == ("cuda", gpus)
    assert found.width(100) == min(64, -(-100 // gpus))
    assert found.width(3) == max(1, -(-3 // gpus))
    assert [pin.value for pin in pins("cuda")] == [str(n) for n in range(gpus)]
    assert engine._local(How(workers=3), 100).share == 3
    if gpus > 1:
        assert isinstance(found.run, partial)
        assert found.run.keywords == {"workers": gpus, "pins": pins("cuda")}
        one = engine._local(How(device=f"cuda:{gpus - 1}"), 100)
        assert (one.run, one.device, one.share) == (serial, f"cuda:{gpus - 1}", 1)
    else:
        assert found.run is serial


@pytest.mark.parametrize("gpus", [2], indirect=True)
def test_a_caller_who_hides_devices_keeps_them_hidden(
    gpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers share what CUDA_VISIBLE_DEVICES names, by those names."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5, 7")
    assert [pin.value for pin in pins("cuda")] == ["5", "7"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-a,MIG-b,MIG-c")  # a process sees one of them
    assert [pin.value for pin in pins("cuda")] == ["MIG-a", "MIG-b", "MIG-c"]
    assert pins("cuda:1") == pins("cpu") == []


LISTED = """GPU 0: NVIDIA A100 (UUID: GPU-aa)
  MIG 3g.20gb     Device  0: (UUID: MIG-11)
  MIG 3g.20gb     Device  1: (UUID: MIG-22)
GPU 1: NVIDIA A100 (UUID: GPU-bb)
"""


@pytest.mark.parametrize("gpus", [2], indirect=True)
def test_parts_of_a_divided_gpu_are_named_by_uuid(
    gpus: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A MIG part and a whole GPU beside it get a worker each; without parts, numbers do."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    tool = tmp_path / "nvidia-smi"
    monkeypatch.setattr(device.shutil, "which", lambda _: str(tool))
    for said, names in ((LISTED, ["MIG-11", "MIG-22", "GPU-bb"]), ("", ["0", "1"])):
        tool.write_text(f"#!/bin/sh\ncat <<'X'\n{said}X\n")
        tool.chmod(0o755)
        assert [pin.value for pin in pins("cuda")] == names


@pytest.mark.parametrize("gpus", [2], indirect=True)
def test_rocm_and_xpu_have_variables_of_their_own(
    gpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ROCm's devices are called cuda by PyTorch, but hidden by HIP's variable."""
    monkeypatch.setattr(torch.version, "hip", "6.4", raising=False)
    assert {pin.variable for pin in pins("cuda")} == {"HIP_VISIBLE_DEVICES"}
    monkeypatch.setattr(torch.xpu, "is_available", lambda: True)
    monkeypatch.setattr(torch.xpu, "device_count", lambda: 2)
    assert {pin.variable for pin in pins("xpu")} == {"ZE_AFFINITY_MASK"}
    assert device_of("xpu:1") == "xpu:1"


@pytest.mark.parametrize("gpus", [0], indirect=True)
def test_mps_is_taken_where_it_is_asked_for(gpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Auto leaves it: nothing was ever measured there."""
    with pytest.raises(SpecError, match="finds no MPS device"):
        device_of("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert (device_of("mps"), device_of("auto")) == ("mps", "cpu")
    assert engine._local(How(device="mps"), 9).width(9) == 1


def test_a_worker_is_kept_to_its_device_before_torch_is_there() -> None:
    """Two pins for three workers: each worker has one, and has not imported torch for it."""
    context = multiprocessing.get_context("spawn")
    given = [Pin("TSXFER_TEST_PIN", value) for value in "ab"]
    queue = executors._dealt(context, 3, given)
    assert queue is not None
    dealt = []
    for _ in range(3):
        with ProcessPoolExecutor(1, context, begin_worker, (queue,)) as worker:
            dealt.append(worker.submit(os.getenv, "TSXFER_TEST_PIN").result())
            assert not worker.submit(eval, "'torch' in __import__('sys').modules").result()
    assert dealt == ["a", "b", "a"]
    assert executors._dealt(context, 3, []) is None


@pytest.mark.parametrize("gpus", [2], indirect=True)
def test_doctor_asks_torch_which_devices_there_are(
    gpus: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not the files in /dev, which a container may lack, or have without a driver."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda number: (number * 10**9, 80 * 10**9))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"H{number}")
    show_doctor(Workspace(tmp_path), as_json=True)
    found = json.loads(capsys.readouterr().out)["devices"]
    assert found == ["cpu", *(f"cuda:{n} (H{n}, {n}.0 of 80.0 GB free)" for n in range(gpus))]


def test_a_clock_of_the_bench_is_told_what_a_device_found() -> None:
    """Scores made on the device give the bench the moments and errors that the host's would."""
    case = Case("convnetquake", 1, 16, 40, 2, 2)
    pack, clocks = replicas(case, "cpu", 2)
    loop.fit(pack, loop.Rules(case.recipe), Stacked(anywhere=True))
    again, others = replicas(case, "cpu", 2)
    loop.fit(again, loop.Rules(case.recipe), Stacked())
    for clock, other in zip(clocks, others, strict=True):
        assert clock.scores == pytest.approx(other.scores, rel=1e-6)
        assert len(clock.times) == len(clock.scores) > 2


def test_the_bench_takes_no_time_of_turns_for_that_of_a_graph(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where recording was refused, it ends with the reason."""
    refused = Timed(0.1, 0.0, [], 0, "not as it was meant to be: no rule for it")
    monkeypatch.setattr(speed, "arms_of", lambda _: {"pack": lambda _: refused})
    with pytest.raises(SystemExit, match="no rule for it"):
        speed.measure(Case("tcn", 3, 300, 1500, 2, 2), "cuda", 1)
