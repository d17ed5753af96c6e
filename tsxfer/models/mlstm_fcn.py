"""MLSTM-FCN: squeeze-and-excite convolutions beside an LSTM over channels (Karim 2019)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsxfer.models.base import Backbone
from tsxfer.models.layers import Dropout, pad_and_convolve, same_padding


class SqueezeExcite(nn.Module):
    """Channel weights from the channel means (Hu 2018), reduction 16, no biases."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.down = nn.Linear(filters, filters // 16, bias=False)
        self.up = nn.Linear(filters // 16, filters, bias=False)
        for layer in (self.down, self.up):
            nn.init.kaiming_normal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, filter, time)`` to the same shape."""
        weight = torch.sigmoid(self.up(functional.relu(self.down(x.mean(dim=2)))))
        scaled: Tensor = x * weight[:, :, None]
        return scaled


class MLSTMFCN(Backbone):
    """Three convolutions (128×8, 256×5, 128×3) with normalisation; LSTM 8 whose steps are channels.

    All-zero channels are masked, as Keras' Masking does; normalisation has Keras' momentum 0.99
    and epsilon 1e-3 (study, section 3).
    """

    transferred = ("convolutions.",)

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        shapes = [(channels, 128, 8), (128, 256, 5), (256, 128, 3)]
        self.convolutions = nn.ModuleList(nn.Conv1d(a, b, k) for a, b, k in shapes)
        self.norms = nn.ModuleList(nn.BatchNorm1d(b, eps=1e-3, momentum=0.01) for _, b, _ in shapes)
        self.excites = nn.ModuleList(SqueezeExcite(b) for _, b, _ in shapes[:2])
        self.gates_in = nn.Linear(length, 32)
        self.gates_back = nn.Linear(8, 32, bias=False)
        self.dropout = Dropout(0.8)
        self.features = 128 + 8
        self._initialise()

    def _initialise(self) -> None:
        for layer in self.convolutions:
            nn.init.kaiming_uniform_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.xavier_uniform_(self.gates_in.weight)
        nn.init.orthogonal_(self.gates_back.weight)
        nn.init.zeros_(self.gates_in.bias)
        with torch.no_grad():
            self.gates_in.bias[8:16] = 1.0  # forget gate

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, 136)``."""
        return torch.cat([self._convolve(x), self.dropout(self._remember(x))], dim=1)

    def _convolve(self, x: Tensor) -> Tensor:
        for i, kernel in enumerate((8, 5, 3)):
            padding = same_padding(x.shape[-1], kernel, 1)
            # Not `convolve`: normalisation is slow on its layout, and takes back more than it gave.
            x = pad_and_convolve(x, self.convolutions[i], padding)  # type: ignore[arg-type]
            x = functional.relu(self.norms[i](x))
            x = self.excites[i](x) if i < len(self.excites) else x
        return x.mean(dim=2)

    def _remember(self, x: Tensor) -> Tensor:
        """A one-bias LSTM over the channels, each step reading a whole channel."""
        present = (x != 0).any(dim=2, keepdim=True).to(x.dtype)
        reads = self.gates_in(x)
        state = cell = x.new_zeros(x.shape[0], 8)
        for step in range(x.shape[1]):
            gates = reads[:, step] + self.gates_back(state)
            entry, forget, fresh, out = gates.chunk(4, dim=1)
            new = torch.sigmoid(forget) * cell + torch.sigmoid(entry) * torch.tanh(fresh)
            kept = present[:, step]
            state = kept * torch.sigmoid(out) * torch.tanh(new) + (1 - kept) * state
            cell = kept * new + (1 - kept) * cell
        return state
