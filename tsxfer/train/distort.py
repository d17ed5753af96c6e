"""Distorted windows: light ones to learn labels from, strong ones as views of the same window.

All random draws come from the generator given, so that a pack changes no number; shapes never
depend on what was drawn, so that steps can be recorded.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tsxfer.models import draws
from tsxfer.models.draws import Chance

NOISE = 0.02  # standard deviation, where windows are scaled to a largest value of 1


def light(x: Tensor, random: Chance, *, moved: bool) -> Tensor:
    """Noise; and a shift in time of up to 5 %, around the end, and a factor in [0.8, 1.25].

    Args:
        x: ``(batch, channel, time)``.
        random: On the device of `x`.
        moved: False leaves shift and factor out: labels that are counted from the window's last
            value (prices) would no longer hold.
    """
    x = x + NOISE * draws.normal(x, random)
    if not moved:
        return x
    length = x.shape[-1]
    shift = ((2 * _uniform(x, random, 1) - 1) * 0.05 * length).round().long()
    index = (torch.arange(length, device=x.device) - shift[:, None]) % length
    factor = 0.8 * (1.25 / 0.8) ** _uniform(x, random, 1)
    return x.gather(2, index[:, None, :].expand_as(x)) * factor[:, None, None]


def view(x: Tensor, random: Chance) -> Tensor:
    """A strongly distorted view of each window ``(batch, channel, time)``, of the same shape.

    A part of 50 to 100 % of the window stretched to its length, a factor in [0.7, 1.4] for each
    channel, noise, and a tenth of the window set to 0 (as in TS-TCC, Eldele et al. 2021, and
    SimCLR).
    """
    x = _stretched(x, random)
    factor = 0.7 * (1.4 / 0.7) ** _uniform(x, random, x.shape[1])
    x = x * factor.reshape(len(x), -1, 1) + 0.05 * draws.normal(x, random)
    begin = (_uniform(x, random, 1) * 0.9)[:, None]
    place = torch.arange(x.shape[-1], device=x.device) / x.shape[-1]
    silent = (place >= begin) & (place < begin + 0.1)
    return x.masked_fill(silent[:, None, :], 0)


def _stretched(x: Tensor, random: Chance) -> Tensor:
    length = x.shape[-1]
    share = 0.5 + 0.5 * _uniform(x, random, 1)
    begin = _uniform(x, random, 1) * (1 - share) * (length - 1)
    step = torch.arange(length, device=x.device)
    place = begin[:, None] + share[:, None] * step
    left = place.floor().long().clamp(0, length - 1)
    right = (left + 1).clamp(max=length - 1)
    part = (place - left)[:, None, :]
    near, far = (x.gather(2, i[:, None, :].expand_as(x)) for i in (left, right))
    return near * (1 - part) + far * part


def _uniform(x: Tensor, random: Chance, count: int) -> Tensor:
    """``(batch,)``, or ``(batch, count)`` where there are several."""
    return draws.uniform(x, (len(x), count) if count > 1 else (len(x),), random)
