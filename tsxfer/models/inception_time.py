"""InceptionTime: six inception modules with residual connections (Ismail Fawaz et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsxfer.models.base import Backbone
from tsxfer.models.layers import convolve, same_padding

DEPTH = 6
FILTERS = 32
WIDTH = 4 * FILTERS  # three convolutions and the pooled branch
KERNELS = (40, 20, 10)
ENDS = (2, 5)  # modules after which the input of three modules joins


class InceptionTime(Backbone):
    """One network of the paper's ensemble of five, which trains five times as long for every row.

    A module narrows its input to 32 channels by a 1×1 convolution (the bottleneck), reads that with
    kernels of 40, 20 and 10 samples, and its input's maxima over 3 samples with a 1×1 convolution:
    four times 32 filters, without biases, then normalisation and ReLU. The mean over time comes
    last. Normalisation has Keras' momentum 0.99 and epsilon 1e-3, kernels start Glorot uniform.

    One departure: the authors leave the first bottleneck out where windows have one channel. Here
    it is always there, or transfer from one channel to several would have no tensor to copy.
    """

    transferred = ("bottlenecks.", "convolutions.", "pooled.", "shortcuts.")

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        del length  # any: the mean over time comes last
        widths = (channels, *(WIDTH for _ in range(DEPTH - 1)))
        self.bottlenecks = nn.ModuleList(_convolution(a, FILTERS, 1) for a in widths)
        self.convolutions = nn.ModuleList(
            nn.ModuleList(_convolution(FILTERS, FILTERS, k) for k in KERNELS) for _ in widths
        )
        self.pooled = nn.ModuleList(_convolution(a, FILTERS, 1) for a in widths)
        self.norms = nn.ModuleList(_norm() for _ in widths)
        # Named by the module that they end at.
        self.shortcuts = nn.ModuleDict(
            {str(end): _convolution(widths[end - 2], WIDTH, 1) for end in ENDS}
        )
        self.around = nn.ModuleDict({str(end): _norm() for end in ENDS})
        self.features = WIDTH

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, 128)``."""
        before = x
        for module in range(DEPTH):
            x = self._inception(x, module)
            if module in ENDS:
                around = self.around[str(module)](self.shortcuts[str(module)](before))
                x = before = functional.relu(x + around)
        return x.mean(dim=2)

    def _inception(self, x: Tensor, module: int) -> Tensor:
        narrow = self.bottlenecks[module](x)
        branches = [
            convolve(narrow, self.convolutions[module][i], same_padding(x.shape[-1], kernel, 1))  # type: ignore[index]
            for i, kernel in enumerate(KERNELS)
        ]
        branches.append(self.pooled[module](functional.max_pool1d(x, 3, 1, padding=1)))
        normal: Tensor = self.norms[module](torch.cat(branches, dim=1))
        return functional.relu(normal)


def _convolution(channels: int, filters: int, kernel: int) -> nn.Conv1d:
    layer = nn.Conv1d(channels, filters, kernel, bias=False)
    nn.init.xavier_uniform_(layer.weight)
    return layer


def _norm() -> nn.BatchNorm1d:
    return nn.BatchNorm1d(WIDTH, eps=1e-3, momentum=0.01)
