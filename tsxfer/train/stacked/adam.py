"""Adam over stacked parameters: a handful of kernels for all replicas, a rate for each.

The formula is that of `torch.optim.Adam` (Kingma and Ba 2015), as the loop uses it.
"""

from __future__ import annotations

import torch
from torch import Tensor

BETAS, EPSILON = (0.9, 0.999), 1e-7  # Keras' epsilon, as in `tsxfer.train.loop`


class Adam:
    """One optimiser over one flat tensor, in which each parameter of each replica is a stretch.

    Args:
        flat: What learns.
        counts: Numbers of each stretch.

    Attributes:
        mean: ``(n,)`` running mean of gradients.
        square: ``(n,)`` running mean of their squares.
        of: ``(n,)`` the stretch of each number.
        ages: ``(stretch,)`` steps that each has taken: what thaws late is younger.
    """

    def __init__(self, flat: Tensor, counts: list[int]) -> None:
        self._rates, self.mean, self.square = (torch.zeros_like(flat) for _ in range(3))
        self.ages = torch.zeros(len(counts), device=flat.device)
        places = torch.arange(len(counts), device=flat.device)
        self.of = torch.repeat_interleave(places, torch.tensor(counts, device=flat.device))

    def state(self) -> list[Tensor]:
        """What a step changes."""
        return [self.mean, self.square, self.ages]

    def set_rates(self, rates: list[float]) -> None:
        """The rate of each stretch from now on."""
        self._rates.copy_(torch.tensor(rates).to(self.mean.device)[self.of])

    @torch.no_grad()
    def step(self, flat: Tensor, grad: Tensor) -> None:
        """One step in place; on a GPU it can be recorded."""
        first, second = BETAS
        self.ages.add_(1)
        self.mean.lerp_(grad, 1 - first)
        self.square.mul_(second).addcmul_(grad, grad, value=1 - second)
        corrections = 1 - torch.pow(first, self.ages), (1 - torch.pow(second, self.ages)).sqrt()
        one, two = (correction[self.of] for correction in corrections)
        spread = (self.square.sqrt() / two).add_(EPSILON)
        flat.sub_(self.mean / one * self._rates / spread)
