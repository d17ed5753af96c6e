"""Second opinions in probabilities: practical equivalence, and the sign of a shrunken effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from tsxfer.keys import stream
from tsxfer.stats.compare import Comparison
from tsxfer.stats.gain import gains, judged

Values = NDArray[np.float64]
DRAWS = 20_000
STEP = 2**0.5  # between the standard deviations of the mixture
ROUNDS, ENOUGH = 2000, 1e-8
NULLS = 10.0  # prior count of the component at zero, so that doubt goes to "no effect"


@dataclass(frozen=True, slots=True)
class Practical:
    """Probabilities that transfer is worse by more than the margin, within it, or better by more.

    Attributes:
        worse: Below minus the margin.
        same: Within the region of practical equivalence, plus or minus the margin.
        better: Above the margin.
    """

    worse: float
    same: float
    better: float


def practical(mean: float, error: float, df: float, margin: float) -> Practical:
    """The posterior of a mean difference under a flat prior is Student's t (Corani et al. 2017).

    Args:
        mean: Of the differences.
        error: Its standard error.
        df: Degrees of freedom of that.
        margin: Half width of the region of practical equivalence.
    """
    if error == 0:
        return Practical(float(mean < -margin), float(abs(mean) <= margin), float(mean > margin))
    worse = float(stdtr(df, (-margin - mean) / error))
    better = float(stdtr(df, (mean - margin) / error))
    return Practical(worse, max(0.0, 1 - worse - better), better)


def signed_rank(differences: Values, margin: float) -> Practical:
    """Over several data sets: the Bayesian signed-rank test (Benavoli et al. 2014, 2017).

    Weights of the data sets are drawn from a Dirichlet distribution, with a pseudo observation of
    weight 1/2 at no difference; each draw asks in which region the mean of two random ones lies
    most often.
    """
    values = np.concatenate([[0.0], differences])
    weights = stream("signed rank", len(values)).dirichlet(
        [0.5, *[1.0] * len(differences)], size=DRAWS
    )
    sums = values[:, None] + values
    above, below = (np.heaviside(side * sums - 2 * margin, 0.5) for side in (1, -1))
    parts = (below, 1 - below - above, above)
    scores = np.stack([((weights @ part) * weights).sum(axis=1) for part in parts])
    first = scores >= scores.max(axis=0) - 1e-12
    share = (first / first.sum(axis=0)).mean(axis=1)
    return Practical(*(float(v) for v in share))


def over_targets(comparisons: Sequence[Comparison]) -> Practical | None:
    """The signed-rank test over all comparisons on the bounded scale, within 1 % of the error.

    None with fewer than three.
    """
    d = np.array([gains(c).mean() for c in judged(comparisons)])
    return signed_rank(d, 0.01) if len(d) > 2 else None


@dataclass(frozen=True, slots=True)
class Shrunken:
    """An effect drawn towards what the table shows of others.

    Attributes:
        mean: Posterior mean, in the units that were given.
        false_sign: Local false sign rate: the probability that the sign of `mean` is wrong, no
            effect included.
    """

    mean: float
    false_sign: float


def shrunken(means: Values, errors: Values) -> list[Shrunken]:
    """Adaptive shrinkage (Stephens 2017): effects come from a mixture of normals around zero.

    Args:
        means: Effects in one unit ``(n,)``.
        errors: Their standard errors, above 0.
    """
    widths = _widths(means, errors)
    density = _density(means, errors, widths)
    share = _mixture(density)
    weight = density * share
    weight /= weight.sum(axis=1, keepdims=True)
    variance = widths**2
    shrink = variance / (variance + errors[:, None] ** 2)
    centre, spread = shrink * means[:, None], np.sqrt(shrink) * errors[:, None]
    below = np.where(spread > 0, ndtr(-centre / np.where(spread > 0, spread, 1.0)), 0.0)
    negative = (weight * below).sum(axis=1)
    zero = weight[:, 0]
    false = np.minimum(negative + zero, 1 - negative)
    mean = (weight * centre).sum(axis=1)
    return [Shrunken(float(m), float(f)) for m, f in zip(mean, false, strict=True)]


def _widths(means: Values, errors: Values) -> Values:
    """Zero, then deviations from a tenth of the smallest error to twice the largest effect."""
    low = float(errors.min()) / 10
    high = 2 * math.sqrt(max(float((means**2 - errors**2).max()), 16 * low**2))
    count = math.ceil(math.log(high / low) / math.log(STEP))
    return np.concatenate([[0.0], high / STEP ** np.arange(count, -1, -1.0)])


def _density(means: Values, errors: Values, widths: Values) -> Values:
    sd = np.sqrt(widths**2 + errors[:, None] ** 2)
    logs = -0.5 * (means[:, None] / sd) ** 2 - np.log(sd)
    result: Values = np.exp(logs - logs.max(axis=1, keepdims=True))
    return result


def _mixture(density: Values) -> Values:
    """Shares of the components by penalised maximum likelihood (EM)."""
    prior = np.ones(density.shape[1])
    prior[0] = NULLS
    share = np.full(density.shape[1], 1 / density.shape[1])
    for _ in range(ROUNDS):
        weight = density * share
        weight /= weight.sum(axis=1, keepdims=True)
        fresh = np.maximum(weight.sum(axis=0) + prior - 1, 0.0)
        fresh /= fresh.sum()
        done = float(np.abs(fresh - share).max()) < ENOUGH
        share = fresh
        if done:
            break
    return share
