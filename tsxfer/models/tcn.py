"""TCN: nine residual blocks of dilated causal convolutions (Bai 2018; keras-tcn as in the study)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from tsxfer.models.base import Backbone


class Block(nn.Module):
    """Two causal convolutions with ReLU, plus the input (through 1×1 where widths differ), ReLU."""

    def __init__(self, channels: int, filters: int, dilation: int) -> None:
        super().__init__()
        self.past = 7 * dilation
        self.first = nn.Conv1d(channels, filters, 8, dilation=dilation)
        self.second = nn.Conv1d(filters, filters, 8, dilation=dilation)
        self.match = nn.Conv1d(channels, filters, 1) if channels != filters else nn.Identity()
        for layer in (self.first, self.second, self.match):
            if isinstance(layer, nn.Conv1d):
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, filter, time)``."""
        y = functional.relu(self.first(functional.pad(x, (self.past, 0))))
        y = functional.relu(self.second(functional.pad(y, (self.past, 0))))
        return functional.relu(y + self.match(x))


class TCN(Backbone):
    """24 filters, kernel 8, dilations 1 to 256; the last time step is the feature vector."""

    transferred = ("blocks.",)

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        del length  # causal: any
        self.blocks = nn.Sequential(
            *(Block(channels if i == 0 else 24, 24, 2**i) for i in range(9))
        )
        self.features = 24

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, 24)``."""
        last: Tensor = self.blocks(x)[:, :, -1]
        return last
