"""Windows in another unit than a model's own are refused until ``--scale`` settles it."""

from __future__ import annotations

import numpy as np
import pytest

from tsxfer.data.scale import Scaler
from tsxfer.errors import DataError, SpecError
from tsxfer.keep.amplitude import to_scale

X = np.random.default_rng(0).normal(size=(20, 2, 32))


def _scaler(peak: float = 3.0, sd: float = 0.1, kind: str = "peak") -> Scaler:
    """Of a model whose training windows had largest samples of about `peak`."""
    mask = np.zeros((2, 32), np.float32)
    return Scaler(kind, True, (0, 1), mask, float(np.log10(peak)), sd, 0.0, 1.0, False)


@pytest.mark.parametrize(("factor", "flag"), [(1e-3, "1000"), (1e3, "0.001"), (1e-6, "1e+06")])
def test_millivolts_for_microvolts_are_refused_with_the_factor(factor: float, flag: str) -> None:
    """The refusal names both sizes and the factor that brings the file back."""
    with pytest.raises(DataError, match="another unit") as refused:
        to_scale(X * factor, None, _scaler(), (), "b.csv")
    assert f"--scale {flag};" in refused.value.mend
    assert np.allclose(to_scale(X * factor, float(flag), _scaler(), (), "b.csv"), X)
    assert np.array_equal(to_scale(X * factor, 1, _scaler(), (), "b.csv"), X * factor)


def test_sizes_that_the_model_knows_are_taken() -> None:
    """Twice the size, sizes within the spread of the training, levels and silence are no fault."""
    for x, scaler, off in (
        (X * 2, _scaler(), ()),
        (X * 1e-3, _scaler(sd=1.5), ()),
        (X * 1e-3, _scaler(kind="minmax_mask"), ()),
        (X + 1e6, _scaler(), (1e6, 1e6)),
        (X * 0, _scaler(), ()),
    ):
        assert np.array_equal(to_scale(x, None, scaler, off, "b.csv"), x)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_no_factor_is_refused(scale: float) -> None:
    """Samples are multiplied by a number above 0."""
    with pytest.raises(SpecError, match="is no factor"):
        to_scale(X, scale, _scaler(), (), "b.csv")
