"""How numbers are computed: float32, TF32 products on a CUDA device, or bfloat16 by autocast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from tsxfer.errors import SpecError


def refuse(kind: str, device: str) -> None:
    """Refuse a precision that a device does not have.

    Raises:
        SpecError: For TF32 without CUDA.
    """
    if kind == "tf32" and device.partition(":")[0] != "cuda":
        raise SpecError(
            f"precision = 'tf32' does not exist on {device}",
            mend='use --device cuda, or precision = "float32"',
        )


@contextmanager
def products(kind: str) -> Iterator[None]:
    """Float32 products of a CUDA device as `kind` says; afterwards as the caller had them.

    PyTorch's own default is TF32 in convolutions and recurrent layers. Without the last step, a
    caller who asks PyTorch for its older flags (``allow_tf32``) would get an error.
    """
    cudnn: Any = torch.backends.cudnn  # its parts are not typed
    parts: tuple[Any, ...] = (torch.backends.cuda.matmul, cudnn.conv, cudnn.rnn)
    before = [part.fp32_precision for part in parts]
    for part in parts:
        part.fp32_precision = "tf32" if kind == "tf32" else "ieee"
    try:
        yield
    finally:
        for part, old in zip(parts, before, strict=True):
            part.fp32_precision = old


def autocast(kind: str, device: torch.device) -> torch.autocast:
    """Layers in bfloat16 where `kind` is ``bf16``."""
    return torch.autocast(device.type, torch.bfloat16, enabled=kind == "bf16")
