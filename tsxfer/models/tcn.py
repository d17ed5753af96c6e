"""TCN: nine residual blocks of dilated causal convolutions (Bai 2018; the study's keras-tcn)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from tsxfer.models.base import Backbone
from tsxfer.models.layers import convolve


class Block(nn.Module):
    """Two causal convolutions with ReLU, plus the input (through 1×1 where widths differ), ReLU."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, filters, 8)
        self.second = nn.Conv1d(filters, filters, 8)
        self.match = nn.Conv1d(channels, filters, 1) if channels != filters else nn.Identity()
        for layer in (self.first, self.second, self.match):
            if isinstance(layer, nn.Conv1d):
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, filter, time)``."""
        y = functional.relu(convolve(x, self.first, (7, 0)))
        y = functional.relu(convolve(y, self.second, (7, 0)))
        match = convolve(x, self.match, (0, 0)) if isinstance(self.match, nn.Conv1d) else x
        return functional.relu(y + match)


class TCN(Backbone):
    """24 filters, kernel 8, dilations 1 to 256; the last time step is the feature vector.

    Only that step is read, so block k needs every 2^k-th step before it and no other. Leaving out
    every second step after each block makes all dilations 1 and gives the same feature vector with
    two blocks' worth of arithmetic instead of nine.
    """

    transferred = ("blocks.",)

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        del length  # causal: any
        self.blocks = nn.Sequential(*(Block(channels if i == 0 else 24, 24) for i in range(9)))
        self.features = 24

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, 24)``."""
        for block in self.blocks:
            y: Tensor = block(x)
            x = y[:, :, 1 - y.shape[-1] % 2 :: 2]  # the last step stays
        return y[:, :, -1]
