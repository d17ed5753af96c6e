"""ResNet: three residual blocks of three convolutions, mean over time (Wang et al. 2017)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from tsxfer.models.base import Backbone
from tsxfer.models.layers import pad_and_convolve, same_padding

WIDTHS = (64, 128, 128)
KERNELS = (8, 5, 3)


class ResNet(Backbone):
    """Blocks of 64, 128 and 128 filters, kernels 8, 5 and 3, each with normalisation and ReLU.

    The block's input joins before the last ReLU: through a 1×1 convolution where widths differ, and
    normalised in any case, as in the authors' code. Normalisation has Keras' momentum 0.99 and
    epsilon 1e-3, kernels start Glorot uniform (Ismail Fawaz et al. 2019, whose code it follows).
    Transfer copies the convolutions, those of the shortcuts included.
    """

    transferred = ("convolutions.", "shortcuts.")

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        del length  # any: the mean over time comes last
        shapes = list(pairwise((channels, *WIDTHS)))
        self.convolutions = nn.ModuleList(nn.ModuleList(_three(a, b)) for a, b in shapes)
        self.norms = nn.ModuleList(
            nn.ModuleList(_norm(width) for _ in range(4)) for width in WIDTHS
        )
        # The last block is as wide as what it reads, and adds it as it is. Named by their block.
        self.shortcuts = nn.ModuleDict(
            {str(i): nn.Conv1d(a, b, 1) for i, (a, b) in enumerate(shapes) if i < 2}
        )
        self.features = WIDTHS[-1]
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, 128)``."""
        for block in range(len(WIDTHS)):
            x = self._block(x, block)
        return x.mean(dim=2)

    def _block(self, x: Tensor, block: int) -> Tensor:
        y, norms = x, self.norms[block]
        for i, kernel in enumerate(KERNELS):
            layer = self.convolutions[block][i]  # type: ignore[index]
            # Not `convolve`: normalisation is slow on its layout, a step up to a half slower.
            y = pad_and_convolve(y, layer, same_padding(y.shape[-1], kernel, 1))
            y = norms[i](y)  # type: ignore[index]
            y = functional.relu(y) if i < 2 else y
        around = self.shortcuts[str(block)](x) if str(block) in self.shortcuts else x
        return functional.relu(y + norms[3](around))  # type: ignore[index]


def _three(channels: int, filters: int) -> list[nn.Conv1d]:
    widths = (channels, filters, filters)
    return [nn.Conv1d(width, filters, k) for width, k in zip(widths, KERNELS, strict=True)]


def _norm(filters: int) -> nn.BatchNorm1d:
    return nn.BatchNorm1d(filters, eps=1e-3, momentum=0.01)
