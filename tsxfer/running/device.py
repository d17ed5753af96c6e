"""Devices by name."""

from __future__ import annotations

import importlib.util
import re

from tsxfer.errors import SpecError, nearest

DEVICES = ("auto", "cpu", "cuda")  # and cuda:1 for the second of several
_NUMBERED = re.compile(r"cuda:\d{1,3}")


def on_gpu(device: str) -> bool:
    """Whether ``cuda`` or one of its numbered devices is meant."""
    return device.partition(":")[0] == "cuda"


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
    """``cpu``, ``cuda`` or ``cuda:N``; ``auto`` takes CUDA where torch finds it.

    Raises:
        SpecError: If torch or the device is not there.
    """
    refuse_device(wanted)
    if importlib.util.find_spec("torch") is None:
        raise SpecError("torch is not installed", mend='pip install "torch>=2.9,<2.14"')
    import torch

    if wanted == "cpu":
        return wanted
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda" if count else "cpu"
    if not count:
        raise SpecError(
            f"--device {wanted}, but torch finds no CUDA device", mend="use --device cpu"
        )
    if int(wanted.partition(":")[2] or 0) >= count:
        there = ", ".join(f"cuda:{number}" for number in range(count))
        raise SpecError(f"--device {wanted}, but there are: {there}", mend="use one of them")
    return wanted
