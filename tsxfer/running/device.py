"""Devices by name."""

from __future__ import annotations

import importlib.util

from tsxfer.errors import SpecError, nearest

DEVICES = ("auto", "cpu", "cuda")


def refuse_device(wanted: str) -> None:
    """Refuse a device of unknown kind, before torch is imported.

    Raises:
        SpecError: With those there are.
    """
    if wanted not in DEVICES:
        raise SpecError(f"--device {wanted!r} is not known", mend=nearest(wanted, DEVICES))


def device_of(wanted: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` takes CUDA where torch finds it.

    Raises:
        SpecError: If torch or the device is not there.
    """
    if importlib.util.find_spec("torch") is None:
        raise SpecError("torch is not installed", mend='pip install "torch>=2.9,<2.14"')
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise SpecError("--device cuda, but torch finds no CUDA device", mend="use --device cpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"
