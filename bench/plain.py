"""The four architectures as a user would write them: plain layers, nothing arranged for speed.

Parameter names are tsxfer's, so that one `state_dict` fits both; the tests hold the two together
and the benchmarks measure the one against the other.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsxfer.models.base import Model
from tsxfer.models.layers import same_padding


class Plain(nn.Module):
    """The same modules as `model`, run by the plain forward of its architecture."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.backbone, self.head = model.backbone, model.head
        self.features = FEATURES[type(model.backbone).__name__]
        self.penalty = model.penalty

    def forward(self, x: Tensor, extra: Tensor) -> Tensor:
        """``(batch, channel, time)`` and ``(batch, extra)`` to ``(batch, outputs)``."""
        return self.head(torch.cat([self.features(self.backbone, x), extra], dim=1))


def _padded(layer: nn.Conv1d, x: Tensor, padding: tuple[int, int], dilation: int = 1) -> Tensor:
    padded = functional.pad(x, padding)
    return functional.conv1d(padded, layer.weight, layer.bias, layer.stride, 0, dilation)


def _convnetquake(net: nn.Module, x: Tensor) -> Tensor:
    for layer in net.convolutions:
        x = functional.relu(_padded(layer, x, same_padding(x.shape[-1], 3, 2)))
    return x.flatten(1)


def _magnet(net: nn.Module, x: Tensor) -> Tensor:
    for layer in (net.conv1, net.conv2):
        x = net.dropout(_padded(layer, x, (1, 1)))
        padding = same_padding(x.shape[-1], 4, 4)
        x = functional.max_pool1d(functional.pad(x, padding, value=float("-inf")), 4)
    _, (state, _) = net.lstm(x.transpose(1, 2))
    return torch.cat([state[0], state[1]], dim=1)


def _mlstm_fcn(net: nn.Module, x: Tensor) -> Tensor:
    y = x
    for i, kernel in enumerate((8, 5, 3)):
        y = _padded(net.convolutions[i], y, same_padding(y.shape[-1], kernel, 1))
        y = functional.relu(net.norms[i](y))
        y = net.excites[i](y) if i < 2 else y
    return torch.cat([y.mean(dim=2), net.dropout(net._remember(x))], dim=1)


def _tcn(net: nn.Module, x: Tensor) -> Tensor:
    for i, block in enumerate(net.blocks):
        past, dilation = 7 * 2**i, 2**i
        y = functional.relu(_padded(block.first, x, (past, 0), dilation))
        y = functional.relu(_padded(block.second, y, (past, 0), dilation))
        x = functional.relu(y + block.match(x))
    return x[:, :, -1]


FEATURES = {
    "ConvNetQuake": _convnetquake,
    "MagNet": _magnet,
    "MLSTMFCN": _mlstm_fcn,
    "TCN": _tcn,
}
