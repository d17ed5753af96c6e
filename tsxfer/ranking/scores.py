"""Transferability scores of features or source probabilities on a target's training windows.

Pure numpy. All are larger where the source promises more. None says how large a gain will be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsxfer.train import ridge

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

STEPS, CLOSE = 1000, 1e-9  # of the fixed point; it takes a few dozen where evidence is flat
FARTHEST = 1e12  # ratio of penalty to feature power: beyond it features are ignored, or perfect
FOLDS = 5


def log_me(features: Floats, y: Floats) -> float:
    """LogME: log maximum evidence of a linear model from features to labels, per window.

    You et al. 2021, ICML (arXiv 2102.11005), by the fixed point of their 2022 JMLR paper, sec. 4.
    Features and labels are centred, which gives the model an intercept: without one, evidence would
    go to sources whose features happen to carry the mean of the labels.

    Args:
        features: ``(n, d)``.
        y: ``(n, outputs)``: one-hot classes, or one column of numbers; the mean over columns with
            any spread is returned.

    Returns:
        Any real number, larger is better; the same for rotated, shifted or commonly scaled
        features. It depends on the unit of `y`, so compare sources on one target only.
    """
    centred = features - features.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    s2 = s[s > 1e-10 * max(s.max(initial=0), 1e-300)] ** 2
    labels = y - y.mean(axis=0)
    found = [_evidence(u[:, : len(s2)], s2, column) for column in labels.T if column.any()]
    return float(np.mean(found)) if found else 0.0


def _evidence(u: Floats, s2: Floats, y: Floats) -> float:
    """Largest log evidence per window over both precisions.

    With ``ratio`` the prior's precision over the noise's, the best noise precision is known, so
    that only the ratio is iterated; it runs to a bound where features are useless or perfect.
    """
    n, whole = len(y), float(y @ y)
    along = (u.T @ y) ** 2
    unit = float(s2.max(initial=1.0))
    ratio = unit
    for _ in range(STEPS):
        gamma = float(np.sum(s2 / (s2 + ratio)))
        norm = float(np.sum(s2 * along / (s2 + ratio) ** 2))
        rest = whole - float(along.sum()) + float(np.sum(along * (ratio / (s2 + ratio)) ** 2))
        fresh = gamma * max(rest, 1e-12 * whole) / max((n - gamma) * norm, 1e-300)
        fresh = min(max(fresh, unit / FARTHEST), unit * FARTHEST)
        near, ratio = abs(np.log(fresh / ratio)) < CLOSE, fresh
        if near:
            break
    quadratic = whole - float(np.sum(along * s2 / (s2 + ratio)))
    fit = np.log(n / max(quadratic, 1e-12 * whole)) - 1 - np.log(2 * np.pi)
    return float(n * fit + np.sum(np.log(ratio / (s2 + ratio)))) / (2 * n)


def leep(probabilities: Floats, y: Codes) -> float:
    """LEEP: log expected empirical prediction of target classes from the source's own classes.

    Nguyen et al. 2020, ICML (arXiv 2002.12462), equations 1 and 2.

    Args:
        probabilities: ``(n, source class)`` of the source's own model on target windows.
        y: ``(n,)`` target class codes.

    Returns:
        At most 0, larger is better; minus the entropy of the target's classes, or a little more,
        where the source's classes say nothing.
    """
    joint = np.stack([probabilities[y == code].sum(axis=0) for code in range(y.max() + 1)])
    given = joint / np.maximum(joint.sum(axis=0), 1e-300)
    return float(np.mean(np.log(np.maximum(np.sum(given[y] * probabilities, axis=1), 1e-300))))


def h_score(features: Floats, codes: Codes) -> float:
    """H-score: spread of the class means of features, in units of the features' own spread.

    Bao et al. 2019, ICIP, in the shrunken form of Ibrahim et al. 2021 (arXiv 2110.06893, eq. 7),
    whose covariance is that of Ledoit and Wolf: the plain form divides by near-zero variances and
    grows with the number of features.

    Args:
        features: ``(n, d)``.
        codes: ``(n,)`` class codes.

    Returns:
        From 0 to less than the number of classes minus 1, larger is better.
    """
    from sklearn.covariance import ledoit_wolf

    moving = features[:, np.ptp(features, axis=0) > 0]
    if not moving.shape[1]:
        return 0.0
    centred = (moving - moving.mean(axis=0)) / moving.std()
    covariance, shrinkage = ledoit_wolf(centred, assume_centered=True)
    means = np.zeros_like(centred)
    for code in np.unique(codes):
        means[codes == code] = centred[codes == code].mean(axis=0)
    between = (1 - shrinkage) * means.T @ means / len(means)
    return float(np.trace(np.linalg.pinv(covariance, hermitian=True) @ between))


def probe(features: Floats, y: Floats, group: NDArray[np.str_]) -> Floats | None:
    """Predictions of a linear probe for windows whose groups it has not seen.

    Ridge regression in closed form, up to five folds of whole groups; the penalty of each fold by
    generalised cross-validation within its training windows (Golub et al. 1979).

    Args:
        features: ``(n, d)``.
        y: ``(n, outputs)``: one-hot classes, or one column of numbers.
        group: ``(n,)`` names of what stays on one side.

    Returns:
        ``(n, outputs)``; None with a single group, which cannot be split.
    """
    fold = _folds(group)
    if fold.max() == 0:
        return None
    out = np.empty_like(y)
    for number in range(fold.max() + 1):
        seen = fold != number
        out[~seen] = ridge.fit_alone(features[seen], y[seen]).predict(features[~seen])
    return out


def _folds(group: NDArray[np.str_]) -> Codes:
    """Fold of each window: groups by size, each into the fold that holds least."""
    names, place, counts = np.unique(group, return_inverse=True, return_counts=True)
    held = np.zeros(min(FOLDS, len(names)), np.int64)
    fold = np.zeros(len(names), np.int64)
    for index in np.argsort(-counts, kind="stable"):
        fold[index] = held.argmin()
        held[fold[index]] += counts[index]
    return fold[place]
