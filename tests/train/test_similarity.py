"""Likeness of layers and travel of weights, held against what they are by definition."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from tsxfer.models.base import build
from tsxfer.train.similarity import alike, grams, travel


def _gram(x: Tensor) -> Tensor:
    apart = x - x.mean(dim=0)
    return apart @ apart.T


def _drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_turned_and_scaled_layer_is_the_same() -> None:
    """Rotation, scale and offset of the outputs leave a likeness of 1."""
    x = _drawn(0, 40, 12)
    turn = torch.linalg.qr(_drawn(1, 12, 12))[0]
    assert alike(_gram(x), _gram(3 * x @ turn + 5)) == pytest.approx(1)


def test_layers_without_anything_in_common_are_near_zero() -> None:
    """More outputs than windows do not make random layers alike, as they do without debiasing."""
    found = [alike(_gram(_drawn(s, 30, 400)), _gram(_drawn(s + 50, 30, 400))) for s in range(20)]
    values = [value for value in found if value is not None]
    assert len(values) == 20
    assert abs(sum(values) / 20) < 0.1


def test_likeness_is_that_of_sums_over_different_windows() -> None:
    """The estimate is the U-statistic over quadruples of different windows (Song et al., eq. 4)."""
    k, m = _gram(_drawn(2, 6, 3)), _gram(_drawn(3, 6, 5))

    def hsic(a: Tensor, b: Tensor) -> float:
        fours = list(itertools.permutations(range(6), 4))
        terms = (a[i, j] * (b[i, j] + b[q, r] - 2 * b[i, q]) for i, j, q, r in fours)
        return float(sum(terms)) / len(fours)

    expected = hsic(k, m) / (hsic(k, k) * hsic(m, m)) ** 0.5
    assert alike(k, m) == pytest.approx(expected)


def test_a_layer_that_says_the_same_of_all_windows_is_like_nothing() -> None:
    """Where nothing varies no likeness is told, nor with three windows."""
    model = build("convnetquake", channels=1, length=64, extra=1, outputs=2, seed=0)
    with torch.no_grad():
        for parameter in model.backbone.parameters():
            parameter.zero_()
    found = list(grams(model, _drawn(4, 8, 1, 64).float()).values())
    assert alike(found[0], found[1]) is None
    assert alike(_gram(_drawn(5, 3, 2)), _gram(_drawn(6, 3, 2))) is None


def test_travel_is_relative_to_the_start() -> None:
    """Weights that double have travelled as far as they were large; others have stayed."""
    begin = {"backbone.a.weight": _drawn(7, 3, 2), "backbone.b.weight": _drawn(8, 4)}
    end = {**begin, "backbone.a.weight": 2 * begin["backbone.a.weight"]}
    assert travel(begin, end, "a") == pytest.approx(1)
    assert travel(begin, end, "b") == 0
    assert travel(begin, end, "pool") is None
