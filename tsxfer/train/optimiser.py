"""Adam as PyTorch has it, without what its compiler costs.

The public methods of `torch.optim.Optimizer` import ``torch._dynamo`` when they are first called,
about a second of CPU time in every process, to tell a compiler that is never used here to leave
them alone. What they do lies below that, under ``__wrapped__``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def _bare(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method itself; as it stands where a version of PyTorch wraps nothing."""
    bare: Callable[..., Any] = getattr(method, "__wrapped__", method)
    return bare


class Adam(torch.optim.Adam):
    """`torch.optim.Adam`, the same to the bit; hooks before and after steps are not called."""

    add_param_group = _bare(torch.optim.Adam.add_param_group)
    zero_grad = _bare(torch.optim.Adam.zero_grad)
    state_dict = _bare(torch.optim.Adam.state_dict)
    load_state_dict = _bare(torch.optim.Adam.load_state_dict)
    step = torch.no_grad()(_bare(torch.optim.Adam.step))
    step.hooked = True  # type: ignore[attr-defined]  # or the first instance wraps it again
