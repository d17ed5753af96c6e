"""Devices by name, those of this machine, and how a process is kept to one of them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

from tsxfer.errors import SpecError, nearest

DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")  # and cuda:1 for the second of several
WORDS = "auto, cpu, cuda (NVIDIA or ROCm), cuda:1, mps or xpu."
_NUMBERED = re.compile(r"(cuda|xpu):\d{1,3}")
_MIG = re.compile(r"UUID: (MIG-[^)]+)")
_WHOLE = re.compile(r"UUID: (GPU-[^)]+)")


def on_gpu(device: str) -> bool:
    """Whether ``cuda`` or one of its numbered devices is meant: where steps can be recorded."""
    return kind_of(device) == "cuda"


def kind_of(device: str) -> str:
    """A device without its number."""
    return device.partition(":")[0]


def refuse_device(wanted: str) -> None:
    """Refuse a device of unknown kind, before torch is imported.

    Raises:
        SpecError: With those there are.
    """
    if wanted not in DEVICES and not _NUMBERED.fullmatch(wanted):
        raise SpecError(
            f"--device {wanted!r} is not known", mend=f"{nearest(wanted, DEVICES)} (or e.g. cuda:1)"
        )


def device_of(wanted: str) -> str:
    """The device as it is used: ``cpu``, ``cuda``, ``cuda:N``, ``mps``, ``xpu`` or ``xpu:N``.

    ``auto`` takes CUDA (ROCm too, which PyTorch calls so) where torch finds it, else the CPU: on
    MPS and XPU nothing here was ever measured, so that they are taken where they are asked for.

    Raises:
        SpecError: If torch or the device is not there.
    """
    refuse_device(wanted)
    if importlib.util.find_spec("torch") is None:
        raise SpecError("torch is not installed", mend='pip install "torch>=2.9,<2.14"')
    if wanted == "cpu":
        return wanted
    kind = "cuda" if wanted == "auto" else kind_of(wanted)
    count = counted(kind)
    if wanted == "auto":
        return "cuda" if count else "cpu"
    if not count:
        raise SpecError(
            f"--device {wanted}, but torch finds no {kind.upper()} device",
            mend="use --device cpu; tsxfer doctor lists what there is",
        )
    if int(wanted.partition(":")[2] or 0) >= count:
        there = ", ".join(f"{kind}:{number}" for number in range(count))
        raise SpecError(f"--device {wanted}, but there are: {there}", mend="use one of them")
    return wanted


def counted(kind: str) -> int:
    """Devices of a kind that torch finds."""
    import torch

    if kind == "mps":
        return int(torch.backends.mps.is_available())
    there: Any = {"cuda": torch.cuda, "xpu": torch.xpu}[kind]
    return int(there.device_count()) if there.is_available() else 0


@dataclass(frozen=True, slots=True)
class Pin:
    """An environment variable by which a process sees one device alone, as its first.

    Attributes:
        variable: Read by the driver when a process first asks for a device.
        value: Number or UUID.
    """

    variable: str
    value: str

    def put(self) -> None:
        """Keep this process to the device; to be called before torch is imported."""
        os.environ[self.variable] = self.value


def pins(device: str) -> list[Pin]:
    """One pin for each device that ``cuda`` or ``xpu`` means; none where one is named by number.

    A process sees one MIG part at most, so that parts are named by their UUID.
    """
    if device not in ("cuda", "xpu"):
        return []
    import torch

    hip = getattr(torch.version, "hip", None)
    variable = "ZE_AFFINITY_MASK" if device == "xpu" else "CUDA_VISIBLE_DEVICES"
    variable = "HIP_VISIBLE_DEVICES" if device == "cuda" and hip else variable
    count, given = counted(device), os.environ.get(variable, "")
    if given:
        names = [name.strip() for name in given.split(",")]
        names = names if any("MIG" in name for name in names) else names[:count]
    else:
        parts = _parts() if device == "cuda" and not hip else []
        names = parts or [str(number) for number in range(count)]
    return [Pin(variable, name) for name in names]


def _parts() -> list[str]:
    """UUIDs of MIG parts and whole GPUs where a GPU is divided; else none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    said = subprocess.run([tool, "-L"], capture_output=True, text=True, check=False)  # noqa: S603
    gpus: list[list[str]] = []
    for line in said.stdout.splitlines():
        if whole := _WHOLE.search(line):
            gpus.append([whole[1]])
        elif (part := _MIG.search(line)) and gpus:
            gpus[-1].append(part[1])
    if all(len(gpu) == 1 for gpu in gpus):
        return []
    return [name for whole, *parts in gpus for name in parts or [whole]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A device of this machine.

    Attributes:
        device: As ``--device`` takes it.
        name: What its maker calls it.
        free: Bytes that nobody holds; None where that is not told.
        total: Bytes that it has.
    """

    device: str
    name: str
    free: int | None = None
    total: int | None = None

    def __str__(self) -> str:
        room = ""
        if self.free is not None and self.total is not None:
            room = f", {self.free / 1e9:.1f} of {self.total / 1e9:.1f} GB free"
        return f"{self.device} ({self.name}{room})"


def seen() -> list[Seen]:
    """Devices that torch finds beside the CPU."""
    import torch

    found = []
    for kind, there in (("cuda", torch.cuda), ("xpu", torch.xpu)):
        module: Any = there
        for number in range(counted(kind)):
            free, total = module.mem_get_info(number)
            name = str(module.get_device_name(number))
            found.append(Seen(f"{kind}:{number}", name, free, total))
    return found + ([Seen("mps", "Apple GPU")] if counted("mps") else [])
