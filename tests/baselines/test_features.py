"""Features on constructed signals, short and constant windows, and training windows alone."""

from collections.abc import Callable

import numpy as np
import pytest

from tsxfer.baselines import transforms
from tsxfer.baselines.summary import NAMES, summary
from tsxfer.baselines.transforms import SHORTEST, catch22, minirocket, multirocket

TIME = np.arange(200)


def _named(window: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, summary(window[None, None].astype(np.float32))[0].tolist(), strict=True))


def test_a_sine_has_the_moments_and_the_spectrum_of_a_sine() -> None:
    """Mean 0, sd 1/sqrt 2, kurtosis 1.5; all power at a tenth of the Nyquist frequency."""
    found = _named(np.sin(2 * np.pi * TIME / 20))
    assert found["mean"] == pytest.approx(0, abs=1e-6)
    assert found["standard deviation"] == pytest.approx(0.5**0.5, abs=1e-3)
    assert found["kurtosis"] == pytest.approx(1.5, abs=1e-3)
    assert found["strongest frequency"] == found["spectral centroid"] == pytest.approx(0.1)
    assert found["spectral entropy"] == pytest.approx(0, abs=1e-4)
    assert found["crossings of the mean"] == pytest.approx(0.1, abs=0.01)
    assert found["autocorrelation at 1"] == pytest.approx(np.cos(np.pi / 10), abs=0.02)
    logs = [found[f"log power in band {band} of 8"] for band in range(1, 9)]
    assert logs[0] > 3
    assert max(logs[1:]) < -10


def test_a_ramp_has_its_slope_and_its_ends() -> None:
    """The slope is that over half of the window, whatever its length."""
    found = _named(np.linspace(-2, 4, 200))
    assert found["slope"] == pytest.approx(3, rel=1e-5)
    assert (found["first"], found["last"], found["quantile 0.5"]) == pytest.approx((-2, 4, 1))


FEATURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "summary": summary,
    "catch22": catch22,
    "minirocket": lambda x: minirocket(x, 1, 1)(x),
    "multirocket": lambda x: multirocket(x, 1, 1)(x),
}


@pytest.mark.parametrize("length", [1, 5, 9, 30])
@pytest.mark.parametrize("name", FEATURES)
def test_any_window_has_finite_features(name: str, length: int) -> None:
    """Short windows, constant channels and single spikes give numbers, as many for each window."""
    x = np.random.default_rng(0).normal(size=(4, 2, length)).astype(np.float32)
    x[0, 0], x[1], x[2, 1, : length - 1] = 3.0, 0.0, 0.0
    found = FEATURES[name](x)
    assert found.dtype == np.float32
    assert found.shape[0] == 4
    assert np.isfinite(found).all()


@pytest.mark.parametrize("make", [minirocket, multirocket])
def test_kernels_are_fitted_once_and_leave_the_callers_chance_alone(make: Callable) -> None:  # type: ignore[type-arg]
    """Same windows and seed give the same features, window by window, whatever else is there."""
    x = np.random.default_rng(0).normal(size=(12, 3, SHORTEST + 20)).astype(np.float32)
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    features = make(x[:8], 5, 1)
    assert np.random.random() == expected  # noqa: NPY002
    whole = features(x)
    assert np.array_equal(whole[8:], features(x[8:]))
    assert np.array_equal(whole, make(x[:8], 5, 1)(x))
    assert not np.array_equal(whole, make(x[:8], 6, 1)(x))


def test_catch22_of_a_channel_is_that_of_sktime() -> None:
    """A standardised series gives the values of sktime's transform, beside its mean and sd."""
    import pandas as pd

    series = np.sin(TIME / 3) + np.random.default_rng(1).normal(size=200)
    found = catch22(series[None, None].astype(np.float32))[0]
    standard = (series - series.mean()) / series.std()
    transform = transforms._sktime("catch22").Catch22(replace_nans=True)
    other = transform.fit_transform(pd.Series(standard)).to_numpy()[0]
    assert np.allclose(found[:22], other, rtol=1e-3, atol=1e-3)
    assert np.allclose(found[22:], [series.mean(), series.std()], rtol=1e-5)
