"""Transferability scores against independent oracles and in the limits that are known."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from tsxfer.ranking.scores import FOLDS, _folds, h_score, leep, log_me, probe

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(120, 6)) @ DRAW.normal(size=(6, 6))
CODES = (X[:, 0] + DRAW.normal(size=120) > 0).astype(np.int64) + (X[:, 1] > 1)
HOT = np.eye(3)[CODES]
NOISE = DRAW.normal(size=(120, 6))


def _evidence(x: np.ndarray, y: np.ndarray) -> float:
    """Largest log evidence a window, by brute force over both precisions."""
    x, y = x - x.mean(axis=0), y - y.mean()

    def minus(logs: np.ndarray) -> float:
        alpha, beta = np.exp(logs)
        covariance = np.eye(len(y)) / beta + x @ x.T / alpha
        return -multivariate_normal.logpdf(y, np.zeros(len(y)), covariance, allow_singular=True)

    return -minimize(minus, [0.0, 0.0], method="Nelder-Mead").fun / len(y)


@pytest.mark.parametrize("features", [X, np.hstack([X, NOISE])])
def test_log_me_is_the_largest_evidence(features: np.ndarray) -> None:
    """The fixed point finds what direct maximisation of the Gaussian evidence finds."""
    expected = [_evidence(features, column) for column in HOT.T]
    assert log_me(features, HOT) == pytest.approx(np.mean(expected), abs=1e-5)
    numbers = X[:, :1] * 3 + DRAW.normal(size=(120, 1))
    assert log_me(features, numbers) == pytest.approx(_evidence(features, numbers[:, 0]), abs=1e-5)


def test_log_me_agrees_with_bayesian_ridge() -> None:
    """With flat priors scikit-learn's Bayesian ridge has the same evidence."""
    from sklearn.linear_model import BayesianRidge

    flat = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 0.0)
    model = BayesianRidge(**flat, compute_score=True, max_iter=5000, tol=1e-12)
    score = model.fit(X, HOT[:, 0]).scores_[-1] / len(X)
    assert log_me(X, HOT[:, :1]) == pytest.approx(score, abs=1e-8)


def test_log_me_does_not_see_rotation_shift_or_scale() -> None:
    """Only what features say of labels counts."""
    rotation = np.linalg.qr(NOISE[:6])[0]
    assert log_me(1e3 * X @ rotation + 7, HOT) == pytest.approx(log_me(X, HOT), abs=1e-8)
    assert log_me(X, HOT + 5) == pytest.approx(log_me(X, HOT), abs=1e-8)


@pytest.mark.parametrize("useless", [np.zeros((120, 6)), np.ones((120, 6))])
def test_log_me_of_nothing_is_that_of_the_mean(useless: np.ndarray) -> None:
    """Constant features leave the evidence of normal labels around their mean."""
    y = X[:, :1]
    alone = -0.5 * (math.log(2 * math.pi * y.var()) + 1)
    assert log_me(useless, y) == pytest.approx(alone, abs=1e-8)
    assert log_me(NOISE, y) < alone + 0.05
    assert log_me(useless, np.ones((120, 1))) == 0


def test_log_me_of_perfect_features_is_large_and_finite() -> None:
    """Labels that are a linear function of features beat all else, without an infinity."""
    perfect = log_me(X, X @ np.ones((6, 1)))
    assert math.isfinite(perfect)
    assert perfect > log_me(X, X @ np.ones((6, 1)) + 0.01 * NOISE[:, :1]) + 1
    assert math.isfinite(log_me(X[:5], HOT[:5]))  # fewer windows than features


def _leep(probabilities: np.ndarray, y: np.ndarray) -> float:
    """The definition, by loops."""
    n, sources, targets = len(y), probabilities.shape[1], int(y.max()) + 1
    joint = np.zeros((targets, sources))
    for i in range(n):
        for z in range(sources):
            joint[y[i], z] += probabilities[i, z] / n
    total = 0.0
    for i in range(n):
        inner = sum(
            joint[y[i], z] / joint[:, z].sum() * probabilities[i, z] for z in range(sources)
        )
        total += math.log(inner)
    return total / n


def test_leep_is_its_definition() -> None:
    """The double loop of the paper's equations gives the same."""
    shares = DRAW.dirichlet(np.ones(5), 120)
    assert leep(shares, CODES) == pytest.approx(_leep(shares, CODES), abs=1e-12)


def test_leep_has_its_limits() -> None:
    """Classes told apart by the source give 0; a constant answer gives minus the entropy."""
    assert leep(np.eye(4)[CODES], CODES) == pytest.approx(0, abs=1e-12)
    counts = np.bincount(CODES) / len(CODES)
    entropy = -float(np.sum(counts * np.log(counts)))
    assert leep(np.full((120, 4), 0.25), CODES) == pytest.approx(-entropy, abs=1e-12)
    unused = np.hstack([np.eye(3)[CODES], np.zeros((120, 1))])
    assert leep(unused, CODES) == pytest.approx(0, abs=1e-12)


def test_h_score_is_its_definition() -> None:
    """Trace of the inverse shrunken covariance times the shrunken covariance of class means."""
    from sklearn.covariance import LedoitWolf

    fitted = LedoitWolf().fit(X)
    means = np.array([X[code == CODES].mean(axis=0) for code in CODES])
    between = (1 - fitted.shrinkage_) * np.cov(means.T, bias=True)
    expected = np.trace(np.linalg.inv(fitted.covariance_) @ between)
    assert h_score(X, CODES) == pytest.approx(expected, rel=1e-9)


def test_h_score_has_its_limits() -> None:
    """Scale and shift do not count; classes that lie apart come near K - 1; noise near 0."""
    assert h_score(1e-4 * X + 9, CODES) == pytest.approx(h_score(X, CODES), rel=1e-6)
    many, apart = np.arange(3000) % 3, np.random.default_rng(1).normal(size=(3000, 2))
    corners = 100 * np.array([[0, 0], [1, 0], [0, 1]])
    assert 1.9 < h_score(corners[many] + apart, many) < 2
    assert 0 <= h_score(np.random.default_rng(2).normal(size=(3000, 400)), many) < 0.05
    assert h_score(np.ones((120, 3)), CODES) == 0
    assert h_score(np.hstack([X, np.ones((120, 2))]), CODES) == h_score(X, CODES)


def test_folds_hold_whole_groups_of_about_equal_size() -> None:
    """No group is in two folds; with few groups there are as many folds as groups."""
    group = np.array([f"g{i}" for i in DRAW.integers(0, 23, 500)])
    fold = _folds(group)
    assert all(len(set(fold[group == name])) == 1 for name in set(group))
    assert np.ptp(np.bincount(fold)) < 40
    assert fold.max() + 1 == FOLDS
    assert set(_folds(np.array(["a", "b", "a"]))) == {0, 1}


def test_a_probe_predicts_groups_that_it_has_not_seen() -> None:
    """Linear labels are found, labels that only the group explains are not; one group: none."""
    group = np.array([f"g{i % 12}" for i in range(120)])
    linear = X @ np.ones((6, 1)) + 4
    found = probe(X, linear, group)
    assert found is not None
    assert np.abs(found - linear).max() < 0.01
    own = np.random.default_rng(4).normal(size=12)[np.arange(120) % 12][:, None]
    marks = np.eye(12)[np.arange(120) % 12]
    blind = probe(marks, own, group)
    assert blind is not None
    assert np.corrcoef(blind[:, 0], own[:, 0])[0, 1] < 0.2
    assert probe(X, linear, np.full(120, "one")) is None


def test_a_fold_is_ridge_with_the_penalty_of_least_generalised_error() -> None:
    """Predictions equal scikit-learn's ridge at the penalty that brute force GCV chooses."""
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    from tsxfer.train.ridge import ALONE

    group = np.array(["a", "b"])[np.arange(120) % 2]
    y = X[:, :1] + 3 * NOISE[:, :1]
    train, held = group == "b", group == "a"
    z = StandardScaler().fit(X[train])
    x, n = z.transform(X[train]), int(train.sum())

    def error(penalty: float) -> float:
        hat = x @ np.linalg.solve(x.T @ x + n * penalty * np.eye(6), x.T) + 1 / n
        rest = y[train] - hat @ y[train]
        return float(np.mean(rest**2) / (1 - np.trace(hat) / n) ** 2)

    ridge = Ridge(alpha=n * min(ALONE, key=error)).fit(x, y[train])
    expected = ridge.predict(z.transform(X[held]))
    found = probe(X, y, group)
    assert found is not None
    assert found[held] == pytest.approx(expected.reshape(-1, 1), abs=1e-6)


def test_a_probe_of_dead_features_answers_with_the_mean() -> None:
    """A source whose units are all dead is no error."""
    found = probe(np.zeros((120, 4)), HOT, np.array([f"g{i % 4}" for i in range(120)]))
    assert found is not None
    assert np.abs(found - HOT.mean(axis=0)).max() < 0.1
