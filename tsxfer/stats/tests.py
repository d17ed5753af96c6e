"""Inference on the paired differences of a cell; positive means that transfer is better."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, nctdtr, ndtr, polygamma, psi, stdtr, stdtrit

from tsxfer.keys import stream

Array: TypeAlias = NDArray[np.float64]
EXACT_LIMIT = 12  # up to 2^12 sign patterns are enumerated
FLIPS = 20_000
MODERATED_FROM = 10  # cells; of fewer, variances say too little of each other


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance of the differences as a test uses it.

    Attributes:
        variance: Of one difference.
        df: Degrees of freedom.
        moderated: Borrowed strength from the other cells.
    """

    variance: float
    df: float
    moderated: bool = False


def plain_spread(differences: Array) -> Spread:
    """Sample variance with n - 1 degrees of freedom."""
    return Spread(float(np.var(differences, ddof=1)), len(differences) - 1.0)


def spread_out(differences: Array) -> bool:
    """Whether repeats differ enough to be tested: by more than the fourth digit of their mean.

    Differences that agree to four digits are one number made several times, or rounding.
    """
    if len(differences) < 2:
        return False
    sd, mean = float(np.std(differences, ddof=1)), abs(float(np.mean(differences)))
    return sd > 1e-4 * mean and sd > 1e-12


def interval(differences: Array, spread: Spread, level: float = 0.95) -> tuple[float, float]:
    """Student interval of the mean difference."""
    mean, error = float(np.mean(differences)), _error(differences, spread)
    half = float(stdtrit(spread.df, 0.5 + level / 2)) * error
    return mean - half, mean + half


def t_test(differences: Array, spread: Spread) -> float:
    """Two-sided p of "the mean difference is 0"."""
    return min(
        1.0, 2 * _upper(abs(float(np.mean(differences))), _error(differences, spread), spread.df)
    )


def non_inferiority(differences: Array, spread: Spread, margin: float) -> float:
    """One-sided p of "transfer is worse by `margin` or more"."""
    return _upper(float(np.mean(differences)) + margin, _error(differences, spread), spread.df)


def equivalence(differences: Array, spread: Spread, margin: float) -> float:
    """P of two one-sided tests that the mean difference lies within ±`margin` (Schuirmann 1987)."""
    mean, error = float(np.mean(differences)), _error(differences, spread)
    return max(_upper(mean + margin, error, spread.df), _upper(margin - mean, error, spread.df))


def _error(differences: Array, spread: Spread) -> float:
    return math.sqrt(spread.variance / len(differences))


def _upper(distance: float, error: float, df: float) -> float:
    """P(T > distance / error), with the limit for no spread at all."""
    if error == 0:
        return 0.0 if distance > 0 else (1.0 if distance < 0 else 0.5)
    return float(stdtr(df, -distance / error))


def sign_flip(differences: Array) -> float:
    """Two-sided p over sign patterns (Fisher's randomisation test): exact up to 12 pairs."""
    n, observed = len(differences), abs(float(np.sum(differences)))
    hits = int(np.sum(np.abs(sign_patterns(n) @ differences) >= observed * (1 - 1e-12)))
    return hits / 2**n if n <= EXACT_LIMIT else (hits + 1) / (FLIPS + 1)


@lru_cache(maxsize=8)
def sign_patterns(n: int, name: str = "sign-flip") -> Array:
    """Sign patterns ``(pattern, pair)`` of so many pairs: all, or drawn from the named stream."""
    if n <= EXACT_LIMIT:
        return np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    return stream(name, n).choice((1.0, -1.0), size=(FLIPS, n))


def expanded_tail(n: int) -> float:
    """Level of a bootstrap percentile that stands for 2.5 % with so few values.

    Plain percentiles are too narrow; at this level those of a mean match Student's interval
    (expanded percentiles, Hesterberg 2015).
    """
    return float(ndtr(-math.sqrt(n / (n - 1)) * float(stdtrit(n - 1, 0.975))))


def hedges_g(differences: Array) -> tuple[float, tuple[float, float]] | None:
    """Standardised mean difference of pairs with small-sample correction, and its 95 % interval.

    The interval inverts the noncentral t distribution (Cumming and Finch 2001). None without
    spread.
    """
    n, sd = len(differences), float(np.std(differences, ddof=1))
    if not spread_out(differences):
        return None
    df, d = n - 1, float(np.mean(differences)) / sd
    # log-gamma, so that many repeats do not overflow
    correction = (
        math.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / math.sqrt(df / 2) if df > 1 else 1.0
    )
    t = d * math.sqrt(n)
    low, high = (_noncentrality(t, df, p) / math.sqrt(n) for p in (0.975, 0.025))
    return correction * d, (correction * low, correction * high)


def _noncentrality(t: float, df: float, p: float) -> float:
    """The noncentrality at which P(T <= t) = p, by bisection (it falls in the noncentrality)."""
    low, high = t - 12 - abs(t), t + 12 + abs(t)
    for _ in range(80):
        middle = (low + high) / 2
        value = nctdtr(df, middle, t)
        if np.isnan(value):
            value = 1.0 if middle < t else 0.0
        low, high = (middle, high) if value > p else (low, middle)
    return (low + high) / 2


def improvement(differences: Array) -> float:
    """Share of pairs in which transfer is better, ties counted half."""
    return float(np.mean((differences > 0) + 0.5 * (differences == 0)))


def moderated_spreads(families: Sequence[Array]) -> list[Spread]:
    """Variances shrunk towards a common prior (Smyth 2004), each with more degrees of freedom.

    A scaled-F prior is fitted by matching mean and variance of the logarithms, without outlying
    variances: those far above the rest keep their own (robust prior, after Phipson et al. 2016), so
    that one wild cell neither loosens the prior nor is tested as if it were tame. Fewer than
    `MODERATED_FROM` cells, unequal repeats or a degenerate fit give plain variances.
    """
    plain = [plain_spread(d) for d in families]
    usable = [s for s in plain if s.variance > 0]
    if len(usable) < MODERATED_FROM or len({s.df for s in usable}) > 1:
        return plain
    df = usable[0].df
    logs = np.log([s.variance for s in plain if s.variance > 0])
    wild = _outlying(logs, df)
    prior, prior_df = _prior(logs[~wild], df)
    flags = iter(wild)
    count = int((~wild).sum())
    return [
        s if s.variance == 0 or next(flags) else _shrunk(s, prior, prior_df, count) for s in plain
    ]


def _prior(logs: Array, df: float) -> tuple[float, float]:
    """Prior variance and its degrees of freedom from log variances."""
    e = logs - psi(df / 2) + math.log(df / 2)
    excess = float(np.var(e, ddof=1)) - float(polygamma(1, df / 2))
    if excess <= 0:
        return math.exp(float(np.mean(e))), math.inf
    prior_df = 2 * _inverse_trigamma(excess)
    return math.exp(float(np.mean(e)) + float(psi(prior_df / 2)) - math.log(prior_df / 2)), prior_df


def _outlying(logs: Array, df: float) -> NDArray[np.bool_]:
    """Log variances over the median by more than 4 robust deviations (no fewer than chance's)."""
    middle = float(np.median(logs))
    robust = 1.4826 * float(np.median(np.abs(logs - middle)))
    width = max(robust, math.sqrt(float(polygamma(1, df / 2))))
    return logs > middle + 4 * width


def _shrunk(spread: Spread, prior: float, prior_df: float, cells: int) -> Spread:
    pooled = cells * spread.df
    if math.isinf(prior_df):
        return Spread(prior, pooled, True)
    df = prior_df + spread.df
    variance = (prior_df * prior + spread.df * spread.variance) / df
    return Spread(variance, min(df, pooled), True)


def _inverse_trigamma(value: float) -> float:
    """X with trigamma(x) = value, by Newton's method on the reciprocal (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-10:
            break
    return x
