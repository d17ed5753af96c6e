"""Files in another unit than the one that a model was fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from tsxfer.data.scale import Scaler
from tsxfer.errors import SpecError
from tsxfer.keep.amplitude import other_size, rescaled


def _scaler(sd: float, amplitude: bool = True) -> Scaler:
    mask = np.zeros((2, 16), np.float32)
    return Scaler("peak", amplitude, (0, 1), mask, 2.0, sd, 0.0, 1.0, False)


@pytest.mark.parametrize(
    ("factor", "sd", "said"),
    [
        (1.0, 0.1, ""),
        (5.0, 0.1, ""),
        (1e-3, 0.1, "mV instead of µV"),
        (1e6, 0.1, "V instead of µV"),
        (1e-3, 0.1, "--scale 1000;"),
        (1e-2, 0.1, "--scale 100;"),
        (1e6, 0.1, "--scale 1e-06;"),
        (1e-3, 1.0, ""),  # training knew such sizes
    ],
)
def test_another_unit_is_said(factor: float, sd: float, said: str) -> None:
    """Windows far smaller or larger than those of training are warned of, others are not."""
    x = np.random.default_rng(0).uniform(-100, 100, (30, 2, 16))
    x[:, 0, 0] = 100
    found = other_size(7e4 + factor * x, (7e4, 7e4), _scaler(sd))
    assert said in found
    assert bool(found) == bool(said)
    assert other_size(factor * x, (), _scaler(sd, amplitude=False)) == ""


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_a_factor_is_a_number_above_zero(scale: float) -> None:
    """``--scale 1000`` multiplies samples; zero, less and what is no number are refused."""
    assert np.array_equal(rescaled(np.ones((1, 1, 2)), 1000), np.full((1, 1, 2), 1000.0))
    with pytest.raises(SpecError, match="is no factor"):
        rescaled(np.ones((1, 1, 2)), scale)
