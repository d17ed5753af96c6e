"""Scores of predictions: functions with range, direction, unit and source, each under ``@metric``.

Classification takes class codes ``(n,)`` (ints), regression takes numbers ``(n,)``. A user's own
come through the same door (`tsxfer.core.doors`), and are held to what they declare.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.doors import METRICS as DOOR
from tsxfer.core.guard import broken, guarded, refuse_other
from tsxfer.core.plugins import PLUGINS

Array: TypeAlias = NDArray[np.generic]
Score: TypeAlias = Callable[[Array, Array], float]
_INF = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A score function with what a reader must know about it.

    Attributes:
        name: As in cards and rows.
        title: For tables.
        task: ``classification`` or ``regression``.
        higher_is_better: Direction.
        span: Smallest and largest possible value.
        function: ``(truth, prediction) -> float``.
        by_class: It is made of counts by class, so that both arguments must be class codes from 0.
        margin: Smallest difference that matters in practice, where a data set that is judged by
            another metric is judged by this one; None: the margin of that card.
        place: File and line of a user's own; "" of the package's.
    """

    name: str
    title: str
    task: str
    higher_is_better: bool
    span: tuple[float, float]
    function: Score
    by_class: bool = False
    margin: float | None = None
    place: str = ""

    @property
    def sign(self) -> float:
        """What turns a difference of scores so that positive is better: 1 or -1."""
        return 1.0 if self.higher_is_better else -1.0

    def score(self, truth: Array, predicted: Array) -> float:
        """The score of predictions.

        Raises:
            PluginError: If a user's own raises, gives no finite number within its span, or another
                one when asked again.
        """
        if not self.place:
            return self.function(truth, predicted)
        with guarded(f"metric {self.name}", self.place):
            value, again = (self.function(_locked(truth), _locked(predicted)) for _ in range(2))
        value, again = self._checked(value), self._checked(again)
        refuse_other(f"metric {self.name}", self.place, value, again)
        return value

    __call__ = score

    def _checked(self, value: float) -> float:
        low, high = self.span
        number = isinstance(value, int | float | np.number) and np.isfinite(value)
        if number and low <= value <= high:
            return float(value)
        raise broken(
            f"metric {self.name}",
            self.place,
            f"gives no finite number from {low:g} to {high:g}, but {str(value)[:60]}",
            "return one float within the span that @metric declares",
        )


def _locked(values: Array) -> Array:
    """A view that cannot be written to: predictions are scored by several metrics."""
    view = values.view()
    view.flags.writeable = False
    return view


def metric(
    name: str = "",
    *,
    title: str,
    task: str,
    higher_is_better: bool,
    span: tuple[float, float],
    by_class: bool = False,
    margin: float | None = None,
) -> Callable[[Score], Metric]:
    """Turn a function ``(truth, prediction) -> float`` into a metric; see `Metric`.

    Args:
        name: Of the metric, where it is not that of the function.
        title: For tables.
        task: ``classification`` or ``regression``.
        higher_is_better: Direction.
        span: Smallest and largest possible value.
        by_class: Made of counts by class.
        margin: Smallest difference that matters in practice.
    """

    def register(function: Score) -> Metric:
        return Metric(
            name=name or function.__name__.lower(),
            title=title,
            task=task,
            higher_is_better=higher_is_better,
            span=span,
            function=function,
            by_class=by_class,
            margin=margin,
        )

    return register


@metric(
    title="macro F1",
    task="classification",
    higher_is_better=True,
    span=(0.0, 1.0),
    by_class=True,
    margin=0.02,
)
def macro_f1(truth: Array, predicted: Array) -> float:
    """Unweighted mean of F1 over the classes in `truth`, in [0, 1] (van Rijsbergen 1979).

    scikit-learn also averages over a class that is predicted only (with F1 of 0), so the score
    would depend on whether the training data held a class that the test part lacks.
    """
    return float(np.mean(_f1_by_class(truth, predicted)[0]))


@metric(
    title="weighted F1",
    task="classification",
    higher_is_better=True,
    span=(0.0, 1.0),
    by_class=True,
    margin=0.02,
)
def weighted_f1(truth: Array, predicted: Array) -> float:
    """Mean of F1 weighted by class frequency, in [0, 1]; the metric of the study."""
    scores, counts = _f1_by_class(truth, predicted)
    return float(np.average(scores, weights=counts))


def _f1_by_class(truth: Array, predicted: Array) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    classes, counts = np.unique(truth, return_counts=True)
    hits = np.array([np.sum((truth == c) & (predicted == c)) for c in classes])
    claimed = np.array([np.sum(predicted == c) for c in classes])
    return f1_of(hits, claimed, counts), counts


def f1_of(
    hits: NDArray[np.number], claimed: NDArray[np.number], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """F1 of each class, from counts ``(class,)`` of windows.

    Args:
        hits: Of the class, and recognised.
        claimed: Taken for the class.
        counts: Of the class.
    """
    return np.asarray(2.0 * hits / (counts + claimed))


@metric(
    title="accuracy",
    task="classification",
    higher_is_better=True,
    span=(0.0, 1.0),
    margin=0.02,
)
def accuracy(truth: Array, predicted: Array) -> float:
    """Share of correct class codes, in [0, 1]."""
    return float(np.mean(truth == predicted))


@metric(title="MAE", task="regression", higher_is_better=False, span=(0.0, _INF))
def mae(truth: Array, predicted: Array) -> float:
    """Mean absolute error, in the unit of the label, from 0."""
    return float(np.mean(np.abs(_errors(truth, predicted))))


@metric(title="median AE", task="regression", higher_is_better=False, span=(0.0, _INF))
def medae(truth: Array, predicted: Array) -> float:
    """Median absolute error, in the unit of the label, from 0."""
    return float(np.median(np.abs(_errors(truth, predicted))))


@metric(title="RMSE", task="regression", higher_is_better=False, span=(0.0, _INF))
def rmse(truth: Array, predicted: Array) -> float:
    """Root mean squared error, in the unit of the label, from 0."""
    return float(np.sqrt(np.mean(_errors(truth, predicted) ** 2)))


@metric(title="R2", task="regression", higher_is_better=True, span=(-_INF, 1.0), margin=0.02)
def r2(truth: Array, predicted: Array) -> float:
    """Share of the variance of `truth` explained, at most 1.

    Constant `truth` gives 0, since there is no variance to explain; scikit-learn gives 1 to a
    perfect prediction of it.
    """
    return explained(truth, float(np.sum(_errors(truth, predicted) ** 2)))


def explained(truth: Array, squares: float) -> float:
    """R2 from the sum of squared errors."""
    values = truth.astype(np.float64)
    spread = float(np.sum((values - values.mean()) ** 2))
    return 0.0 if spread == 0 else 1.0 - squares / spread


def _errors(truth: Array, predicted: Array) -> NDArray[np.float64]:
    return predicted.astype(np.float64) - truth.astype(np.float64)


def names(task: str) -> tuple[str, ...]:
    """The package's own metrics of a task, the usual one first."""
    known = {name: DOOR.definition(name) for name in DOOR.own_names()}
    return tuple(n for n, one in known.items() if one and one.facts["task"] == task)


def get(name: str) -> Metric:
    """The metric of that name.

    Raises:
        SpecError: If there is none, or its file does not define one.
    """
    return _got(name, os.environ.get(PLUGINS, ""))


@lru_cache(maxsize=256)
def _got(name: str, _plugins: str) -> Metric:
    found = DOOR.get(name)
    if not isinstance(found, Metric):
        raise broken(f"metric {name}", DOOR.place(name), "is none", "define it under @metric(...)")
    return replace(found, place=DOOR.place(name)) if DOOR.plugin_digest(name) else found
