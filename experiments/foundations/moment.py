"""MOMENT (Goswami et al. 2024, arXiv 2402.03885) as a backbone that is trained, not only read.

Needs no package beside tsxfer: the encoder is written here under the names of the published
``model.safetensors``, since ``momentfm`` asks for a numpy that tsxfer cannot run with. Its
features are those of ``momentfm`` 0.1.4 (``MOMENT.embed``), channel by channel.

Each channel is read alone, and the features of all channels are joined. A channel is shifted and
scaled to mean 0 and deviation 1 (reversible instance normalisation), and cut into patches of 8
samples. MOMENT reads 512 samples: a longer window is shrunk to them by linear interpolation; a
shorter one stands at their end, as its authors pad with zeros on the left and mask them. What is
masked is attended by nothing, so that it is not computed here; of a length that is no multiple of
8 the first samples count for mean and deviation alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsxfer.errors import SpecError
from tsxfer.models import backbone

SIZE = "small"  # of MOMENT-1-small; or "base", "large"
SIZES = {  # width, blocks, heads, hidden units of a block: those of FLAN-T5
    "small": (512, 8, 6, 1024),
    "base": (768, 12, 12, 2048),
    "large": (1024, 24, 16, 2816),
}
LENGTH, PATCH, HEAD = 512, 8, 64  # samples, samples of a patch, width of an attention head
DROPOUT, DISTANCES, FARTHEST = 0.1, 32, 128


class Norm(nn.Module):
    """Scaling by the root of the mean square, without a shift."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, over its last axis."""
        return self.weight * x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-6)


class Attention(nn.Module):
    """Attention without biases or division by the root of the width, as in T5."""

    def __init__(self, width: int, heads: int, first: bool) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * HEAD
        self.q, self.k, self.v = (_linear(width, inner, scale) for scale in (HEAD, 1, 1))
        self.o = _linear(inner, width)
        self.dropout = nn.Dropout(DROPOUT)
        if first:  # the others use what it makes
            self.relative_attention_bias = nn.Embedding(DISTANCES, heads)
            nn.init.normal_(self.relative_attention_bias.weight, std=width**-0.5)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """``(batch, patch, width)``; the bias is ``(head, patch, patch)``."""
        q, k, v = (self._split(layer(x)) for layer in (self.q, self.k, self.v))
        weights = self.dropout((q @ k.transpose(2, 3) + bias).softmax(dim=-1))
        joined: Tensor = self.o((weights @ v).transpose(1, 2).flatten(2))
        return joined

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, HEAD)).transpose(1, 2)


class Gated(nn.Module):
    """Two layers, the first with a gate."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.wi_0, self.wi_1 = _linear(width, hidden), _linear(width, hidden)
        self.wo = _linear(hidden, width)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, patch, width)`` to the same shape."""
        hidden = functional.gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x)
        out: Tensor = self.wo(self.dropout(hidden))
        return out


class Sublayer(nn.Module):
    """Normalisation before a part of a block, whose output is added."""

    def __init__(self, name: str, inner: nn.Module, width: int) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, inner)
        self.layer_norm = Norm(width)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, *more: Tensor) -> Tensor:
        """``(batch, patch, width)`` to the same shape."""
        out: Tensor = x + self.dropout(getattr(self, self.name)(self.layer_norm(x), *more))
        return out


class Block(nn.Module):
    """Attention, then two layers."""

    def __init__(self, width: int, heads: int, hidden: int, first: bool) -> None:
        super().__init__()
        attention = Sublayer("SelfAttention", Attention(width, heads, first), width)
        dense = Sublayer("DenseReluDense", Gated(width, hidden), width)
        self.layer = nn.ModuleList([attention, dense])

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """``(batch, patch, width)`` to the same shape."""
        out: Tensor = self.layer[1](self.layer[0](x, bias))
        return out


class Encoder(nn.Module):
    """That of T5; distances between patches enter as a bias of attention."""

    def __init__(self, width: int, blocks: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.block = nn.ModuleList(Block(width, heads, hidden, i == 0) for i in range(blocks))
        self.final_layer_norm = Norm(width)
        self.dropout = nn.Dropout(DROPOUT)
        self.register_buffer("near", _near(LENGTH // PATCH), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, patch, width)`` to the same shape."""
        near, count = self.get_buffer("near"), x.shape[1]
        table = self.get_submodule("block.0.layer.0.SelfAttention.relative_attention_bias")
        bias = table(near[:count, :count]).permute(2, 0, 1)
        x = self.dropout(x)
        for block in self.block:
            x = block(x, bias)
        out: Tensor = self.dropout(self.final_layer_norm(x))
        return out


class Embedding(nn.Module):
    """Patches as vectors, with their place of the 64 added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value_embedding = nn.Linear(PATCH, width, bias=False)
        nn.init.orthogonal_(self.value_embedding.weight, gain=1.41)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, patches: Tensor) -> Tensor:
        """``(batch, patch, 8)`` to ``(batch, patch, width)``; the last patch has the last place."""
        x: Tensor = self.value_embedding(patches)
        places = _places(LENGTH // PATCH, x.shape[2], x)[-x.shape[1] :]
        out: Tensor = self.dropout(x + places)
        return out


class Moment(nn.Module):
    """Windows ``(batch, channel, time)`` to ``(batch, channel · width)``."""

    def __init__(self, width: int, blocks: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.patch_embedding = Embedding(width)
        self.encoder = Encoder(width, blocks, heads, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Read channel by channel; the mean over patches is a channel's features."""
        series = x.reshape(-1, 1, x.shape[2])
        if series.shape[2] > LENGTH:
            series = functional.interpolate(series, LENGTH, mode="linear", align_corners=False)
        features = self.encoder(self.patch_embedding(_patches(series.squeeze(1)))).mean(dim=1)
        return features.reshape(len(x), -1)


def _patches(series: Tensor) -> Tensor:
    """``(batch, time)`` to normalised patches ``(batch, patch, 8)``."""
    mean = series.mean(dim=1, keepdim=True)
    deviation = (series - mean).square().mean(dim=1, keepdim=True).sqrt() + 1e-5
    whole = series.shape[1] // PATCH
    return ((series - mean) / deviation)[:, -whole * PATCH :].unflatten(1, (whole, PATCH))


def _linear(given: int, wanted: int, scale: int = 1) -> nn.Linear:
    """A layer without bias that starts as T5's do."""
    layer = nn.Linear(given, wanted, bias=False)
    nn.init.normal_(layer.weight, std=(given * scale) ** -0.5)
    return layer


def _near(count: int) -> Tensor:
    """Which of 32 distances lies between two patches, ``(patch, patch)``, as T5 counts them."""
    place = torch.arange(count)
    far = place[None, :] - place[:, None]
    half, exact = DISTANCES // 2, DISTANCES // 4
    steps = far.abs().clamp(min=1).float().div(exact).log() / math.log(FARTHEST / exact)
    large = (exact + (steps * (half - exact)).long()).clamp(max=half - 1)
    return half * (far > 0).long() + torch.where(far.abs() < exact, far.abs(), large)


def _places(count: int, width: int, like: Tensor) -> Tensor:
    """Sine and cosine of each place, ``(place, width)`` (Vaswani et al. 2017, section 3.5)."""
    place = torch.arange(count, device=like.device, dtype=torch.float32)[:, None]
    pairs = torch.arange(0, width, 2, device=like.device, dtype=torch.float32)
    angle = place * (pairs * -(math.log(10000.0) / width)).exp()
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1).to(like.dtype)


@backbone(transferred=("patch_embedding.", "encoder."))
def moment(channels: int, length: int) -> nn.Module:
    """MOMENT with random weights; ``--source FOLDER`` with its ``model.safetensors`` fills them.

    Raises:
        SpecError: If a window holds no patch.
    """
    del channels  # each is read alone
    if length < PATCH:
        raise SpecError(
            f"MOMENT reads patches of {PATCH} samples, a window has {length}",
            where=__file__,
            mend="choose another model, or longer windows",
        )
    return Moment(*SIZES[SIZE])
