"""Arrays of one part of the data, on the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsxfer.data import scale


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays of one part, as tensors on the device.

    Attributes:
        x: ``(n, channel, time)``.
        extra: ``(n, 0 or 1)``.
        y: ``(n,)`` class codes (int64) or scaled labels (float32).
    """

    x: Tensor
    extra: Tensor
    y: Tensor


def on_device(scaled: scale.Scaled, y: NDArray[Any], device: str) -> Batch:
    """Scaled windows and labels as tensors on the device."""
    tensors = (torch.from_numpy(np.ascontiguousarray(a)) for a in (scaled.x, scaled.extra, y))
    return Batch(*(t.to(device) for t in tensors))
