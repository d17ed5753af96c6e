"""Whether an exception says that a device has no memory left; each kind of device says it anew."""

from __future__ import annotations

SAYINGS = (
    "out of memory",  # CUDA, ROCm and XPU (OutOfMemoryError), MPS (a plain RuntimeError)
    "out_of_device_memory",  # XPU's driver, below PyTorch's allocator
    "out_of_host_memory",
    "out_of_resources",
    "_status_alloc_failed",  # cuBLAS, cuDNN, rocBLAS
    "invalid buffer size",  # Metal: a tensor larger than any buffer may be
    "defaultcpuallocator",  # a CPU: "can't allocate memory", on Windows "not enough memory"
)


def is_shortage(error: BaseException) -> bool:
    """Whether an exception of PyTorch means that memory was short: less at a time may fit.

    torch need not be there: the type is known by its name, others by what they say
    (`aten/src/ATen/mps/MPSAllocator.mm`, `c10/xpu/XPUCachingAllocator.cpp`,
    `c10/core/impl/alloc_cpu.cpp`).
    """
    if "OutOfMemory" in type(error).__name__:
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in said for words in SAYINGS)
