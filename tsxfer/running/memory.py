"""Memory of this process: what it keeps of what it frees, and what it gives a device back."""

from __future__ import annotations

import ctypes
import gc
import os
from typing import Any

from tsxfer.running.device import kind_of


def keep_memory() -> None:
    """Let this process keep the memory that it frees.

    glibc hands large arrays back to the kernel at once and pays for every page again a moment
    later: up to half the time of a step on windows of thousands of samples. Elsewhere: nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mmap_max, trim_threshold = -4, -1  # malloc.h
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)


def release(device: str) -> None:
    """Give a GPU back what nothing holds any more: networks that knew each other, too."""
    gc.collect()
    kind = kind_of(device)
    if kind != "cpu":
        import torch

        there: Any = {"cuda": torch.cuda, "xpu": torch.xpu, "mps": torch.mps}[kind]
        there.empty_cache()
