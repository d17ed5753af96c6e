"""Next-step prediction: what comes after a window's beginning (as autoregressive models learn).

The first three quarters of a window stay; the head tells the samples that come next. The blind
answer repeats the last sample seen (persistence).
"""

from dataclasses import replace

import torch
from torch import nn

from tsxfer.train.pretext import objective

AHEAD = 8  # samples that are told


@objective("next_step", metric="rmse", loss="squared error")
class NextStep:
    """Squared error of the next samples of all channels."""

    def __init__(self, channels, length):
        self.channels, self.cut = channels, length - max(AHEAD, length // 4)

    def head(self, width):
        """``(batch, width)`` to ``(batch, channel * ahead)``."""
        return nn.Linear(width, self.channels * AHEAD)

    def asked(self, part):
        """Windows with what comes hidden, and what comes."""
        x = part.x.clone()
        x[:, :, self.cut :] = 0
        come = part.x[:, :, self.cut : self.cut + AHEAD].flatten(1)
        return replace(part, x=x, extra=torch.zeros_like(part.extra)), come

    def objective(self):
        """A step's loss."""

        def loss(model, part, rows, random):  # noqa: ARG001
            some = replace(part, x=part.x[rows], extra=part.extra[rows], y=part.y[rows])
            asked, come = self.asked(some)
            return (model(asked.x, asked.extra).float() - come).square().mean()

        return loss

    def pretext(self, part, seed):  # noqa: ARG002
        """The same windows each time."""
        asked, come = self.asked(part)
        come, last = come.cpu(), part.x[:, :, self.cut - 1].cpu().repeat_interleave(AHEAD, dim=1)

        def score(output):
            error = float((torch.from_numpy(output) - come).square().mean())
            return -error, error**0.5

        return asked, score, float((last - come).square().mean() ** 0.5)
