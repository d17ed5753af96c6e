"""Scaling of windows and labels, fitted on training instances only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.specs import Profile
from tsxfer.data.card import Card

Floats = NDArray[np.float32]
_FEW = 128  # windows at a time: more of them fall out of the processor's cache


@dataclass(frozen=True, slots=True)
class Scaled:
    """Windows as a model sees them.

    Attributes:
        x: float32 ``(n, channel, time)``.
        extra: float32 ``(n, 1)`` amplitude, or ``(n, 0)``.
        centre: ``(n,)`` last value of the window (of its last channel), in input units: what
            relative labels are counted from, and the answer "no change".
        spread: ``(n,)`` what the window was divided by.
    """

    x: Floats
    extra: Floats
    centre: Floats
    spread: Floats


@dataclass(frozen=True, slots=True)
class Scaler:
    """What was learned from the training instances.

    ``peak``: each window loses its channel means and is divided by its largest absolute value,
    whose logarithm is standardised and fed beside it. ``minmax_mask`` (study, section 2.2): the
    raw largest absolute value, a joint min–max to [0, 1], minus the mean training window.
    """

    kind: str
    amplitude: bool
    channels: tuple[int, ...]
    mask: Floats
    extra_mean: float
    extra_sd: float
    y_mean: float
    y_sd: float
    relative: bool

    def windows(self, x: NDArray[np.float32]) -> Scaled:
        """Apply to windows of any part."""
        out = np.empty((len(x), len(self.channels), x.shape[2]), np.float32)
        facts = np.empty((3, len(x)), np.float32)
        for at in range(0, len(x), _FEW):
            few = slice(at, at + _FEW)
            out[few], facts[:, few] = self._few(x[few][:, list(self.channels)])
        extra, centre, spread = facts
        return Scaled(out, extra[:, None][:, : int(self.amplitude)], centre, spread)

    def _few(self, x: NDArray[np.float32]) -> tuple[Floats, NDArray[Any]]:
        """Scaled windows; amplitude, last value and spread of each."""
        peak = np.abs(x).max(axis=(1, 2))
        if self.kind == "peak":
            out = x - x.mean(axis=2, keepdims=True)
            spread = np.abs(out).max(axis=(1, 2))
            spread = np.where(spread > 0, spread, 1).astype(np.float32)
            out /= spread[:, None, None]
            extra = (np.log10(peak + 1e-12) - self.extra_mean) / self.extra_sd
        else:
            low = x.min(axis=(1, 2))
            spread = x.max(axis=(1, 2)) - low
            spread = np.where(spread > 0, spread, 1)
            out = (x - low[:, None, None]) / spread[:, None, None] - self.mask
            extra = peak
        return out, np.stack([extra, x[:, -1, -1], spread])

    def scaled(self, y: NDArray[Any], scaled: Scaled) -> Floats:
        """Labels of a regression in the units that a model learns."""
        y = (y - scaled.centre) / scaled.spread if self.relative else y
        return ((y - self.y_mean) / self.y_sd).astype(np.float32)

    def unscaled(self, output: NDArray[Any], scaled: Scaled) -> Floats:
        """The inverse of `scaled`: model output to the card's unit."""
        y = output.astype(np.float64) * self.y_sd + self.y_mean
        return (y * scaled.spread + scaled.centre if self.relative else y).astype(np.float32)


def channels_for(card: Card, profile: Profile) -> tuple[int, ...]:
    """Channels that a model sees; under the paper's rules its choice, mono copied three times."""
    own = tuple(range(len(card.channels)))
    if profile.min_channels > 1 and card.paper_channels:
        own = card.paper_channels
    return own * -(-profile.min_channels // len(own)) if len(own) < profile.min_channels else own


def fit(train_x: Floats, train_y: NDArray[Any], card: Card, profile: Profile) -> Scaler:
    """Learn the scaling from training windows ``(n, channel, time)`` and labels ``(n,)``."""
    strict = profile.scaling == "peak"
    channels = channels_for(card, profile)
    used = (train_x[at : at + _FEW][:, list(channels)] for at in range(0, len(train_x), _FEW))
    logs = np.log10(np.concatenate([np.abs(few).max(axis=(1, 2)) for few in used]) + 1e-12)
    bare = Scaler(
        kind=profile.scaling,
        amplitude=True if strict else card.amplitude,
        channels=channels,
        mask=np.zeros((len(channels), train_x.shape[2]), np.float32),
        extra_mean=float(logs.mean()) if strict else 0.0,
        extra_sd=float(logs.std() or 1.0) if strict else 1.0,
        y_mean=0.0,
        y_sd=1.0,
        relative=strict and card.label_like_input,
    )
    mask, mean, sd = bare.mask, 0.0, 1.0
    if not strict:
        mask = bare.windows(train_x).x.mean(axis=0)
    elif card.task == "regression":
        learned = train_y.astype(np.float32)
        if bare.relative:
            learned = bare.scaled(train_y, bare.windows(train_x))
        mean, sd = float(learned.mean()), float(learned.std() or 1.0)
    return Scaler(
        kind=bare.kind,
        amplitude=bare.amplitude,
        channels=channels,
        mask=mask,
        extra_mean=bare.extra_mean,
        extra_sd=bare.extra_sd,
        y_mean=mean,
        y_sd=sd,
        relative=bare.relative,
    )
