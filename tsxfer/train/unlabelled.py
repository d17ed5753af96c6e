"""Pretraining without labels: masked reconstruction and contrastive learning, on any backbone.

Either replaces the head while pretraining; transfer copies the backbone and leaves it behind. The
amplitude beside a window is set to 0: it would tell two views of a window from all others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tsxfer.models import draws
from tsxfer.models.base import Model
from tsxfer.models.draws import Chance
from tsxfer.train import distort
from tsxfer.train.batch import Batch
from tsxfer.train.loop import Score
from tsxfer.train.objectives import Objective
from tsxfer.train.pretext import objective

Floats = NDArray[np.float32]
HIDDEN = 0.3  # share of stretches that are hidden
WIDEST = 64  # samples of a stretch
TEMPERATURE = 0.2
TOGETHER = 64  # windows among which the other view must be found, when scored


@objective(metric="rmse", loss="squared error")
@dataclass(frozen=True, slots=True)
class Masked:
    """Fill the spectra of hidden stretches in from the rest of the window.

    A window is cut into at least 16 stretches of at most 64 samples; 30 % of them are set to 0. A
    small decoder reads the features and the place of a stretch and gives the logarithm of its
    amplitude spectrum; the loss is the squared error on hidden stretches alone (Zerveas et al.
    2021; spectra as in SSAST, Gong et al. 2022). Score: root mean squared error there, in powers of
    ten.

    Raw samples in place of spectra taught nothing: noise-like windows do not tell the phase of what
    is hidden, and after 15 epochs on 480 simulated windows of speech, EMG or earthquakes no model
    was better than the answer 0.
    """

    channels: int
    length: int

    @property
    def width(self) -> int:
        """Samples of a stretch."""
        return max(1, min(WIDEST, self.length // 16))

    @property
    def count(self) -> int:
        """Stretches of a window."""
        return self.length // self.width

    def head(self, width: int) -> nn.Module:
        """A decoder from ``(batch, width)`` to ``(batch, count · channel · frequency)``."""
        return Decoder(width, self.count, self.channels * (self.width // 2 + 1))

    def objective(self) -> Objective:
        """Squared error on hidden stretches, others in each step."""
        return Filling(self)

    def pretext(self, part: Batch, seed: int) -> tuple[Batch, Score, float]:
        """The same stretches hidden each time; the trivial prediction is the mean spectrum."""
        random = torch.Generator().manual_seed(seed)
        hidden = (torch.rand(len(part.x), self.count, generator=random) < HIDDEN).float()
        truth = self.spectra(part.x.cpu())
        mean = truth.mean(dim=(0, 1), keepdim=True).expand_as(truth)

        def score(output: Floats) -> tuple[float, float]:
            error = float(self.error(torch.from_numpy(output), truth, hidden))
            return -error, error**0.5

        blind = float(self.error(mean, truth, hidden)) ** 0.5
        asked = self.hide(part.x, hidden.to(part.x.device))
        return replace(part, x=asked, extra=torch.zeros_like(part.extra)), score, blind

    def hide(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Windows ``(batch, channel, time)`` with stretches ``(batch, count)`` set to 0."""
        wide = hidden.repeat_interleave(self.width, dim=1)
        wide = functional.pad(wide, (0, x.shape[-1] - wide.shape[1]))
        return x * (1 - wide)[:, None, :]

    def spectra(self, x: Tensor) -> Tensor:
        """Windows to ``(batch, count, channel, frequency)``: log10 of amplitudes, at least 1e-3."""
        shape = (len(x), self.channels, self.count, self.width)
        stretches = x[:, :, : self.count * self.width].reshape(shape).transpose(1, 2)
        amplitude: Tensor = torch.fft.rfft(stretches).abs() / self.width
        return (amplitude + 1e-3).log10()

    def error(self, output: Tensor, truth: Tensor, hidden: Tensor) -> Tensor:
        """Mean squared error of ``(batch, count · ...)`` on hidden stretches ``(batch, count)``."""
        error = (output.reshape(truth.shape) - truth).square().mean(dim=(2, 3))
        return (error * hidden).sum() / hidden.sum().clamp(min=1)


@dataclass(frozen=True, slots=True)
class Filling:
    """What a step of `Masked` minimises; equal ones do the same, so that replicas share one."""

    method: Masked

    def __call__(self, model: Model, part: Batch, rows: Tensor, random: Chance) -> Tensor:
        """The loss of a batch."""
        x = part.x[rows]
        drawn = draws.uniform(x, (len(x), self.method.count), random)
        hidden = (drawn < HIDDEN).float()
        output = model(self.method.hide(x, hidden), torch.zeros_like(part.extra[rows]))
        return self.method.error(output.float(), self.method.spectra(x), hidden)


class Decoder(nn.Module):
    """What each stretch holds, from the window's features and the place of the stretch."""

    def __init__(self, width: int, count: int, outputs: int, hidden: int = 128) -> None:
        super().__init__()
        self.read = nn.Linear(width, hidden)
        self.place = nn.Parameter(0.1 * torch.randn(count, hidden))
        self.write = nn.Linear(hidden, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """``(batch, width)`` to ``(batch, count · outputs)``."""
        places = functional.relu(self.read(features)[:, None, :] + self.place)
        written: Tensor = self.write(places).flatten(1)
        return written


@objective(metric="accuracy", loss="NT-Xent")
class Contrastive:
    """Tell two distorted views of a window from those of others (SimCLR, Chen et al. 2020).

    The loss is NT-Xent at temperature 0.2 over the views of a batch, on a projection of the
    features to 64 numbers. Score: share of views whose nearest other view, among those of 64
    windows, is of their own window.
    """

    def __init__(self, channels: int, length: int) -> None:
        del channels, length  # any window has two views

    def head(self, width: int) -> nn.Module:
        """The projection ``(batch, width)`` to ``(batch, 64)``."""
        return nn.Sequential(nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, 64))

    def objective(self) -> Objective:
        """NT-Xent over two views of each window of the batch."""
        return Telling()

    def pretext(self, part: Batch, seed: int) -> tuple[Batch, Score, float]:
        """The same two views each time; the trivial prediction picks a view at random."""
        random = torch.Generator().manual_seed(seed)
        x = part.x.cpu()
        views = torch.cat([distort.view(x, random), distort.view(x, random)]).to(part.x.device)
        groups = [
            g for g in torch.split(torch.arange(len(x)), TOGETHER) if len(g) > 1 or len(x) < 2
        ]

        def score(output: Floats) -> tuple[float, float]:
            first, second = torch.from_numpy(output).chunk(2)
            found = [_alike(torch.cat([first[g], second[g]])) for g in groups]
            loss, right = (float(np.mean([float(one[i]) for one in found])) for i in (0, 1))
            return -loss, right

        blind = float(np.mean([1 / (2 * len(g) - 1) for g in groups]))
        nothing = torch.zeros_like(part.extra).repeat(2, 1)
        return Batch(views, nothing, part.y.repeat(2)), score, blind


@dataclass(frozen=True, slots=True)
class Telling:
    """What a step of `Contrastive` minimises."""

    def __call__(self, model: Model, part: Batch, rows: Tensor, random: Chance) -> Tensor:
        """The loss of a batch."""
        x = part.x[rows]
        both = torch.cat([distort.view(x, random), distort.view(x, random)])
        nothing = torch.zeros_like(part.extra[rows]).repeat(2, 1)
        return _alike(model(both, nothing).float())[0]


def _alike(projected: Tensor) -> tuple[Tensor, Tensor]:
    """NT-Xent of ``(2 n, feature)``, first views then second ones, and the share of views found."""
    z = functional.normalize(projected, dim=1)
    own = torch.eye(len(z), device=z.device, dtype=torch.bool)
    likeness = (z @ z.T / TEMPERATURE).masked_fill(own, float("-inf"))
    other = torch.arange(len(z), device=z.device).roll(len(z) // 2)
    return functional.cross_entropy(likeness, other), (likeness.argmax(1) == other).float().mean()
