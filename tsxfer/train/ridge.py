"""Ridge regression in closed form: standardised features, and a penalty chosen on validation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
PENALTIES = tuple(10.0**power for power in range(-6, 4))  # times the number of features
ALONE = tuple(10.0 ** (power / 2) for power in range(-8, 9))  # times the number of windows
CLIP = 10.0  # standard deviations; a feature with heavy tails must not dominate a prediction
_BLOCK = 4096  # features at a time in double precision


@dataclass(frozen=True, slots=True)
class Scale:
    """What standardises features, from training windows alone.

    Attributes:
        mean: ``(feature,)``.
        inverse: 1 / standard deviation; 0 for a feature that is constant on the training windows.
    """

    mean: Array
    inverse: Array

    def apply(self, features: Array, part: slice = slice(None)) -> NDArray[np.float64]:
        """Features ``(n, feature)`` standardised; `part` takes some of the features alone."""
        scaled = (features[:, part] - self.mean[part]) * self.inverse[part]
        clipped: NDArray[np.float64] = np.clip(scaled, -CLIP, CLIP)
        return clipped


@dataclass(frozen=True, slots=True)
class Ridge:
    """A fitted head.

    Attributes:
        scale: Of the features.
        weights: ``(feature, outputs)``, on standardised features.
        offset: ``(outputs,)``.
        penalty: The one chosen, a multiple of the number of features.
        tries: Penalties that were compared.
    """

    scale: Scale
    weights: Array
    offset: Array
    penalty: float
    tries: int

    def predict(self, features: Array) -> NDArray[np.float32]:
        """``(n, feature)`` to ``(n, outputs)``."""
        out = np.tile(self.offset, (len(features), 1))
        for part in _parts(len(self.weights)):
            out += self.scale.apply(features, part) @ self.weights[part]
        return out.astype(np.float32)

    @property
    def digest(self) -> str:
        """Hash of the coefficients: what a sealed test is opened for."""
        held = hashlib.sha256()
        for array in (self.scale.mean, self.scale.inverse, self.weights, self.offset):
            held.update(array.tobytes())
        return held.hexdigest()[:16]


def fit(
    train: Array,
    targets: Array,
    validation: Array,
    judge: Callable[[NDArray[np.float32]], float],
    penalties: tuple[float, ...] = PENALTIES,
) -> Ridge:
    """Minimise the squared error plus penalty × features × squared weights; the mean is free.

    Args:
        train: Features ``(n, feature)``, finite.
        targets: ``(n, outputs)``.
        validation: Features ``(m, feature)`` that the penalty is chosen on.
        judge: Validation output ``(m, outputs)`` to a value; the penalty with the largest is
            taken, among equals the largest penalty. It never sees a test window.
        penalties: To try, each a multiple of the number of features, above 0.
    """
    scale, offset = standardise(train), targets.mean(axis=0, dtype=np.float64)
    solve = _wide if train.shape[1] > len(train) else _tall
    best: tuple[float, float, Array] | None = None
    found = solve(scale, train, targets - offset, validation, sorted(penalties, reverse=True))
    for penalty, output, weights in found:
        value = judge((output + offset).astype(np.float32))
        if best is None or value > best[0]:
            best = value, penalty, weights
    assert best is not None  # noqa: S101  (there is a penalty)
    weights = best[2]
    if solve is _wide:  # coefficients of windows become those of features
        weights = np.concatenate(
            [scale.apply(train, p).T @ weights for p in _parts(train.shape[1])]
        )
    return Ridge(scale, weights, offset, best[1], len(penalties))


def fit_alone(train: Array, targets: Array) -> Ridge:
    """The same where nothing is held out: the penalty with the least generalised error.

    Generalised cross-validation within the training windows (Golub et al. 1979), by one
    singular-value decomposition for all penalties.

    Args:
        train: Features ``(n, feature)``, finite.
        targets: ``(n, outputs)``.
    """
    scale, offset = standardise(train), targets.mean(axis=0, dtype=np.float64)
    n, count = train.shape
    u, s, vt = np.linalg.svd(scale.apply(train), full_matrices=False)
    along = u.T @ (targets - offset)

    def error(penalty: float) -> float:
        kept = s**2 / (s**2 + n * penalty)
        rest = targets - offset - u @ (kept[:, None] * along)
        left = 1 - min(float(kept.sum()) + 1, n - 1) / n
        return float(np.mean(rest**2) / left**2)

    penalty = min(ALONE, key=error)
    weights = vt.T @ ((s / (s**2 + n * penalty))[:, None] * along)
    return Ridge(scale, weights, offset, penalty * n / count, len(ALONE))


def standardise(features: Array) -> Scale:
    """Means and standard deviations; what is constant but for rounding weighs nothing."""
    mean = features.mean(axis=0, dtype=np.float64)
    sd = features.std(axis=0, dtype=np.float64)
    varies = sd > 1e-6 * np.abs(mean)
    return Scale(mean, np.divide(1.0, sd, out=np.zeros_like(sd), where=varies))


def one_hot(codes: Array, classes: int) -> NDArray[np.float64]:
    """Class codes ``(n,)`` as targets -1 and 1 ``(n, classes)``."""
    return np.where(codes[:, None] == np.arange(classes), 1.0, -1.0)


Found = list[tuple[float, Array, Array]]


def _tall(s: Scale, train: Array, y: Array, validation: Array, penalties: list[float]) -> Found:
    """More windows than features: normal equations of the features."""
    from scipy.linalg import solve

    z, z_validation = s.apply(train), s.apply(validation)
    gram, moment, count = z.T @ z, z.T @ y, train.shape[1]
    out = []
    for penalty in penalties:
        weights = solve(gram + penalty * count * np.eye(count), moment, assume_a="pos")
        out.append((penalty, z_validation @ weights, weights))
    return out


def _wide(s: Scale, train: Array, y: Array, validation: Array, penalties: list[float]) -> Found:
    """More features than windows: the same through products of windows, a block at a time."""
    from scipy.linalg import solve

    gram, cross = np.zeros((len(train), len(train))), np.zeros((len(validation), len(train)))
    for part in _parts(train.shape[1]):
        z = s.apply(train, part)
        gram += z @ z.T
        cross += s.apply(validation, part) @ z.T
    out = []
    for penalty in penalties:
        ridge = penalty * train.shape[1] * np.eye(len(train))
        dual = solve(gram + ridge, y, assume_a="pos")
        out.append((penalty, cross @ dual, dual))
    return out


def _parts(features: int) -> list[slice]:
    return [slice(at, at + _BLOCK) for at in range(0, features, _BLOCK)]
