"""MagNet: two convolutions and a bidirectional LSTM (Mousavi and Beroza 2020; as in the study)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsxfer.models.base import Backbone
from tsxfer.models.layers import LSTM, Dropout, convolve, same_padding


class MagNet(Backbone):
    """Convolutions of 64 and 32 filters without activation, dropout 0.2, pooling by 4, BiLSTM 100.

    Dropout is active while training only; the study left it on at prediction too (section 3),
    which adds noise to every score: the paper profile does so, the strict one does not.
    """

    transferred = ("conv1.", "conv2.")
    dropout_in_study = True

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        del length  # the LSTM reads any
        self.conv1 = nn.Conv1d(channels, 64, 3)
        self.conv2 = nn.Conv1d(64, 32, 3)
        self.dropout = Dropout(0.2)
        self.lstm = LSTM(32, 100, batch_first=True, bidirectional=True)
        self.features = 200
        for layer in (self.conv1, self.conv2):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        keras_lstm_(self.lstm)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, 200)``, the last state of each direction."""
        x = _pool4(self.dropout(convolve(x, self.conv1, (1, 1))))
        x = _pool4(self.dropout(convolve(x, self.conv2, (1, 1))))
        _, (state, _) = self.lstm(x.transpose(1, 2))
        return torch.cat([state[0], state[1]], dim=1)


def _pool4(x: Tensor) -> Tensor:
    padded = functional.pad(x, same_padding(x.shape[-1], 4, 4), value=float("-inf"))
    return functional.max_pool1d(padded, 4)


def keras_lstm_(lstm: nn.LSTM) -> None:
    """Initialise as Keras does: Glorot input, orthogonal recurrent weights, forget bias 1."""
    for name, weight in lstm.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
            if name.startswith("bias_ih"):
                hidden = lstm.hidden_size
                with torch.no_grad():
                    weight[hidden : 2 * hidden] = 1.0  # gates in order: in, forget, cell, out
