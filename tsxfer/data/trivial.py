"""Trivial predictions: what is known without looking at a window, from training labels alone.

Chance is the best of them; a network, a probe or a source is worth nothing where it is no better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.data.scale import Scaled, Scaler

Answers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Trivial:
    """What a training part says of any window.

    Attributes:
        classes: There are classes to predict, and no numbers.
        truth: Labels of the training part: class codes, or numbers in the card's unit.
        learned: The same as they are learned.
        scaler: Fitted on the training part.
        follows_level: Labels follow the input's level, as prices do.
    """

    classes: bool
    truth: NDArray[Any]
    learned: NDArray[Any]
    scaler: Scaler
    follows_level: bool

    @property
    def commonest(self) -> int:
        """The commonest class."""
        return int(np.bincount(self.truth).argmax())

    @property
    def median(self) -> np.float32:
        """The median label, as it is learned."""
        return np.float32(np.median(self.learned))

    def fixed(self, windows: Scaled) -> list[Answers]:
        """Answers without chance: the commonest class, or the median label.

        Where labels follow the input's level, the median change of the last level, and no change at
        all (persistence).
        """
        count = len(windows.centre)
        if self.classes:
            return [np.full(count, self.commonest)]
        level = self.scaler.unscaled(np.full(count, self.median, np.float32), windows)
        return [level, windows.centre] if self.follows_level else [level]

    def drawn(self, windows: Scaled, draw: np.random.Generator) -> list[Answers]:
        """A class for each window, drawn by the shares of the training part; none of numbers."""
        return [draw.choice(self.truth, len(windows.centre))] if self.classes else []


def best(name: str, truth: NDArray[Any], found: list[Answers]) -> float:
    """The best score of some answers in the metric of that name."""
    metric = metrics.get(name)
    scores = [metric.score(truth, answer) for answer in found]
    return max(scores) if metric.higher_is_better else min(scores)
