"""Published worked examples, so that a slip shared with one library does not go unseen."""

import numpy as np
import pytest
import scipy.stats
from statsmodels.duration.survfunc import SurvfuncRight

from tsxfer.stats.aggregate import _iqm
from tsxfer.stats.convergence import kaplan_meier
from tsxfer.stats.families import benjamini_hochberg, holm
from tsxfer.stats.mixed import _fit
from tsxfer.stats.tests import interval, plain_spread, t_test

# Student 1908, `sleep` in R: t.test(extra ~ group, paired = TRUE).
SLEEP_1 = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SLEEP_2 = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
# Benjamini and Hochberg 1995, table 1: thrombolysis after myocardial infarction.
HEART = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
    0.6528, 0.7590, 1.0,
]  # fmt: skip
# Freireich et al. 1963: weeks of remission under 6-MP; a plus sign there is False here.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
ENDED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
# Davies and Goldsmith 1972, `Dyestuff` and `Dyestuff2` in lme4.
DYESTUFF = [
    1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495, 1595, 1550, 1605, 1510, 1560,
    1445, 1440, 1595, 1465, 1545, 1595, 1630, 1515, 1635, 1625, 1520, 1455, 1450, 1480, 1445,
]  # fmt: skip
DYESTUFF_2 = [
    7.298, 3.846, 2.434, 9.566, 7.990, 5.220, 6.556, 0.608, 11.788, -0.892, 0.110, 10.386, 13.434,
    5.510, 8.166, 2.212, 4.852, 7.092, 9.288, 4.980, 0.282, 9.014, 4.458, 9.446, 7.198, 1.722,
    4.782, 8.106, 0.758, 3.758,
]  # fmt: skip
BATCH = [name for name in "ABCDEF" for _ in range(5)]


def test_the_paired_t_test_is_rs() -> None:
    """R prints p = 0.002833 and the interval 0.7001142 to 2.4598858."""
    d = SLEEP_2 - SLEEP_1
    spread = plain_spread(d)
    assert t_test(d, spread) == pytest.approx(0.00283289, abs=1e-6)
    assert interval(d, spread) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)


def test_corrections_reject_what_the_paper_rejects() -> None:
    """Benjamini-Hochberg rejects four of the fifteen, Holm three, as printed."""
    assert sum(p < 0.05 for p in benjamini_hochberg(HEART) if p is not None) == 4
    assert benjamini_hochberg(HEART)[3] == pytest.approx(0.035625, abs=1e-6)
    assert sum(p < 0.05 for p in holm(HEART) if p is not None) == 3


def test_kaplan_meier_is_the_textbooks() -> None:
    """The printed curve: .857 .807 .753 .690 .627 .538 .448; statsmodels gives the same."""
    curve = kaplan_meier(np.array(WEEKS, float), np.array(ENDED, bool))
    printed = [1.0, 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert curve.samples == (0.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0)
    assert np.allclose(curve.share, printed, atol=5e-4)
    oracle = SurvfuncRight(WEEKS, ENDED)
    assert np.allclose(curve.share[1:], oracle.surv_prob, atol=1e-12)
    assert curve.reached == pytest.approx(9 / 21)


def test_an_event_at_the_start_lowers_the_curve_at_once() -> None:
    """A run that is at the threshold before training counts from sample 0."""
    curve = kaplan_meier(np.array([0.0, 5.0]), np.array([True, False]))
    assert curve.samples == (0.0,)
    assert curve.share == (0.5,)


def test_the_mixed_model_is_lme4s() -> None:
    """Dyestuff by REML: intercept 1527.50 (19.38), batch variance 1764.05, residual 2451.25."""
    fitted = _fit(np.array(DYESTUFF, float), {"batch": BATCH})
    assert fitted is not None
    assert fitted.sound
    assert fitted.mean == pytest.approx(1527.5, abs=1e-6)
    assert fitted.error == pytest.approx(19.38, abs=0.005)
    assert fitted.components["batch"] ** 2 == pytest.approx(1764.05, rel=1e-3)
    assert fitted.components["residual"] ** 2 == pytest.approx(2451.25, rel=1e-3)


def test_a_singular_fit_shows_as_such() -> None:
    """Dyestuff2 has no variance between batches, and the fit says so instead of inventing one."""
    fitted = _fit(np.array(DYESTUFF_2), {"batch": BATCH})
    assert fitted is not None
    assert fitted.mean == pytest.approx(5.6656, abs=1e-4)
    assert fitted.components["batch"] < 0.02 * fitted.components["residual"]


def test_the_interquartile_mean_is_a_trimmed_mean() -> None:
    """It equals scipy's mean with a quarter cut at each end; a double weight repeats a value."""
    values = np.random.default_rng(0).normal(size=(3, 16))
    even = np.full(16, 1 / 16)
    assert np.allclose(_iqm(values, even), scipy.stats.trim_mean(values, 0.25, axis=1))
    twice, weights = np.hstack([values, values[:, :8]]), np.full(16, 1 / 24)
    weights[:8] *= 2
    assert np.allclose(_iqm(values, weights), _iqm(twice, np.full(24, 1 / 24)))
