"""ConvNetQuake-INGV: nine strided convolutions (Perol 2018; Lomax 2019; as in the study)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from tsxfer.models.base import Backbone
from tsxfer.models.layers import halve


class ConvNetQuake(Backbone):
    """Nine times convolution (32 filters, kernel 3, stride 2, 'same') and ReLU, flattened.

    Kernels start He normal, as in the original (Perol 2018), and carry an L2 penalty of 1e-3. The
    study started target models Glorot uniform: through nine ReLU layers the signal then shrinks
    until scratch runs on short windows stay at chance, which makes any pretrained start look good;
    the paper profile starts so too. The study's special starts of three sources are left out.
    """

    transferred = ("convolutions.",)
    kernel_l2 = 1e-3
    hidden_layer = True

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        widths = [channels] + [32] * 9
        self.convolutions = nn.ModuleList(
            nn.Conv1d(a, b, kernel_size=3, stride=2) for a, b in pairwise(widths)
        )
        for layer in self.convolutions:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        for _ in self.convolutions:
            length = -(-length // 2)
        self.features = 32 * length

    def start_as_in_study(self) -> None:
        """Glorot uniform kernels (study, section 3)."""
        for layer in self.convolutions:
            nn.init.xavier_uniform_(layer.weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, 32 · ceil(time / 512))``."""
        for layer in self.convolutions:
            x = halve(x, layer)  # type: ignore[arg-type]
        return x.flatten(1)
