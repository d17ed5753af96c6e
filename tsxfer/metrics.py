"""Scores of predictions: pure functions with range, direction, unit and source.

Classification takes class codes ``(n,)`` (ints), regression takes numbers ``(n,)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import SpecError, nearest

Array: TypeAlias = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Metric:
    """A score function with what a reader must know about it.

    Attributes:
        name: As in cards and rows.
        title: For tables.
        task: ``classification`` or ``regression``.
        higher_is_better: Direction.
        span: Smallest and largest possible value.
        score: ``(truth, prediction) -> float``.
        by_class: It is made of counts by class, so that both arguments must be class codes from 0.
    """

    name: str
    title: str
    task: str
    higher_is_better: bool
    span: tuple[float, float]
    score: Callable[[Array, Array], float]
    by_class: bool = False

    @property
    def sign(self) -> float:
        """What turns a difference of scores so that positive is better: 1 or -1."""
        return 1.0 if self.higher_is_better else -1.0


def accuracy(truth: Array, predicted: Array) -> float:
    """Share of correct class codes, in [0, 1]."""
    return float(np.mean(truth == predicted))


def macro_f1(truth: Array, predicted: Array) -> float:
    """Unweighted mean of F1 over the classes in `truth`, in [0, 1] (van Rijsbergen 1979).

    scikit-learn also averages over a class that is predicted only (with F1 of 0), so the score
    would depend on whether the training data held a class that the test part lacks.
    """
    return float(np.mean(_f1_by_class(truth, predicted)[0]))


def weighted_f1(truth: Array, predicted: Array) -> float:
    """Mean of F1 weighted by class frequency, in [0, 1]; the metric of the study."""
    scores, counts = _f1_by_class(truth, predicted)
    return float(np.average(scores, weights=counts))


def _f1_by_class(truth: Array, predicted: Array) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    classes, counts = np.unique(truth, return_counts=True)
    hits = np.array([np.sum((truth == c) & (predicted == c)) for c in classes])
    claimed = np.array([np.sum(predicted == c) for c in classes])
    return 2.0 * hits / (counts + claimed), counts


def mae(truth: Array, predicted: Array) -> float:
    """Mean absolute error, in the unit of the label, from 0."""
    return float(np.mean(np.abs(_errors(truth, predicted))))


def medae(truth: Array, predicted: Array) -> float:
    """Median absolute error, in the unit of the label, from 0."""
    return float(np.median(np.abs(_errors(truth, predicted))))


def rmse(truth: Array, predicted: Array) -> float:
    """Root mean squared error, in the unit of the label, from 0."""
    return float(np.sqrt(np.mean(_errors(truth, predicted) ** 2)))


def r2(truth: Array, predicted: Array) -> float:
    """Share of the variance of `truth` explained, at most 1.

    Constant `truth` gives 0, since there is no variance to explain; scikit-learn gives 1 to a
    perfect prediction of it.
    """
    values = truth.astype(np.float64)
    spread = float(np.sum((values - values.mean()) ** 2))
    if spread == 0:
        return 0.0
    return 1.0 - float(np.sum(_errors(truth, predicted) ** 2)) / spread


def _errors(truth: Array, predicted: Array) -> NDArray[np.float64]:
    return predicted.astype(np.float64) - truth.astype(np.float64)


_INF = float("inf")
METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            name="macro_f1",
            title="macro F1",
            task="classification",
            higher_is_better=True,
            span=(0.0, 1.0),
            score=macro_f1,
            by_class=True,
        ),
        Metric(
            name="weighted_f1",
            title="weighted F1",
            task="classification",
            higher_is_better=True,
            span=(0.0, 1.0),
            score=weighted_f1,
            by_class=True,
        ),
        Metric(
            name="accuracy",
            title="accuracy",
            task="classification",
            higher_is_better=True,
            span=(0.0, 1.0),
            score=accuracy,
        ),
        Metric(
            name="mae",
            title="MAE",
            task="regression",
            higher_is_better=False,
            span=(0.0, _INF),
            score=mae,
        ),
        Metric(
            name="medae",
            title="median AE",
            task="regression",
            higher_is_better=False,
            span=(0.0, _INF),
            score=medae,
        ),
        Metric(
            name="rmse",
            title="RMSE",
            task="regression",
            higher_is_better=False,
            span=(0.0, _INF),
            score=rmse,
        ),
        Metric(
            name="r2",
            title="R2",
            task="regression",
            higher_is_better=True,
            span=(-_INF, 1.0),
            score=r2,
        ),
    )
}


def names(task: str) -> tuple[str, ...]:
    """Metrics of a task, the usual one first."""
    return tuple(metric.name for metric in METRICS.values() if metric.task == task)


def get(name: str) -> Metric:
    """The metric of that name.

    Raises:
        SpecError: If there is none.
    """
    if name not in METRICS:
        raise SpecError(f"unknown metric {name!r}", mend=nearest(name, METRICS))
    return METRICS[name]
