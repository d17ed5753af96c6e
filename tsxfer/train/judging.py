"""Validation scores as plain data, so that a device computes those of all replicas of a pack.

A replica's score is a function of raw output. A `Judge` is such a function that also says what it
is made of: counts by class, or errors. A device then makes these few numbers of each replica, and
`Question.answer` makes the scores of them, in the formulas of `tsxfer.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics

Floats = NDArray[np.float64]
Scores = tuple[float, float]
"""What is monitored (larger is better), and the metric in its own unit and direction."""
BY_CLASS = ("macro_f1", "weighted_f1", "accuracy")
BY_ERROR = ("mae", "medae", "rmse", "r2")


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """How raw output becomes numbers in the unit of the labels; see `tsxfer.data.scale`.

    Attributes:
        sd: Labels were divided by it.
        mean: Taken off before.
        spread: ``(n,)`` of each window, where labels are relative to it; else 1.
        centre: ``(n,)`` likewise; else 0.
    """

    sd: float
    mean: float
    spread: NDArray[np.float32]
    centre: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asked of raw validation output.

    Attributes:
        metric: One of `BY_CLASS` or `BY_ERROR`.
        monitor: The metric itself, accuracy, or the loss with the kernels' penalty.
        kind: Of the loss, see `tsxfer.train.objectives.task_loss`.
        truth: ``(n,)`` class codes, or numbers in the unit of the labels.
        unit: Of numbers; None for classes.
    """

    metric: str
    monitor: Literal["metric", "accuracy", "loss"]
    kind: str
    truth: NDArray[np.generic]
    unit: Unit | None = None
    _classes: tuple[NDArray[np.int64], NDArray[np.int64]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.unit is None:
            known = np.unique(self.truth, return_counts=True)
            object.__setattr__(self, "_classes", known)

    @property
    def form(self) -> tuple[str, str, str]:
        """What replicas that are judged together must share."""
        return self.metric, self.monitor, self.kind

    def answer(self, terms: Floats) -> Scores:
        """The scores, from what a device made of the raw output.

        Args:
            terms: ``(2 · class + 1,)`` windows of each class that were recognised, windows that
                were taken for it, and the loss; or ``(2,)`` the metric's error (a mean, median or
                mean square) and the loss. The loss is 0 where it is not asked for.
        """
        value = self._by_class(terms) if self.unit is None else self._by_error(float(terms[0]))
        if self.monitor == "loss":
            return -float(terms[-1]), value
        if self.monitor == "accuracy":
            return self._share(terms), value
        return metrics.get(self.metric).sign * value, value

    def _share(self, terms: Floats) -> float:
        return float(terms[: (len(terms) - 1) // 2].sum() / len(self.truth))

    def _by_class(self, terms: Floats) -> float:
        if self.metric == "accuracy":
            return self._share(terms)
        assert self._classes is not None  # noqa: S101  (made from class codes)
        classes, counts = self._classes
        hits, claimed = terms[:-1].reshape(2, -1)[:, classes]
        f1 = metrics.f1_of(hits, claimed, counts)
        weights = counts if self.metric == "weighted_f1" else None
        return float(np.average(f1, weights=weights))

    def _by_error(self, error: float) -> float:
        if self.metric == "rmse":
            return float(np.sqrt(error))
        if self.metric == "r2":
            return metrics.explained(self.truth, error * len(self.truth))
        return error


@dataclass(frozen=True, slots=True)
class Judge:
    """A score function (`tsxfer.train.loop.Score`) that says what it is made of.

    Attributes:
        function: Scores raw output.
        question: The same as plain data; None where it is a function of its own.
    """

    function: Callable[[NDArray[np.float32]], Scores]
    question: Question | None = None

    def __call__(self, output: NDArray[np.float32]) -> Scores:
        """What is monitored, and the metric."""
        return self.function(output)


def question_of(score: object) -> Question | None:
    """What a score function is made of, where it says so."""
    return score.question if isinstance(score, Judge) else None
