"""The sealed test: its labels are opened once, scored, and set beside trivial answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.data import scale, split
from tsxfer.data.prepare import Prepared
from tsxfer.data.trivial import best
from tsxfer.errors import SpecError
from tsxfer.keys import stream

if TYPE_CHECKING:
    from tsxfer.data.task import Task


class SealedTest:
    """The test part: its labels are read from disk once, after the checkpoint is final.

    Attributes:
        rows: Its instances, as positions in the prepared data.
    """

    def __init__(self, prepared: Prepared, rows: split.Indices) -> None:
        self._prepared, self.rows, self._opened = prepared, rows, ""

    def __len__(self) -> int:
        return len(self.rows)

    def windows(self) -> NDArray[np.float32]:
        """Test windows, without labels."""
        return np.asarray(self._prepared.array("x")[self.rows])

    def open(self, checkpoint: str) -> NDArray[Any]:
        """The labels, for a checkpoint that is named by its hash.

        Raises:
            SpecError: If the seal was broken before.
        """
        if self._opened or not checkpoint:
            raise SpecError(f"the test labels were already read for checkpoint {self._opened!r}")
        self._opened = checkpoint
        return np.asarray(self._prepared.array("y")[self.rows])


@dataclass(frozen=True, slots=True)
class Tested:
    """What the sealed test gave.

    Attributes:
        scores: By metric name.
        chance: The best of trivial predictions, by metric name.
        alignment: Hash of test instances and labels, in the order of `output`.
        output: Raw predictions ``(n, outputs)``.
        predicted: Class codes, or numbers in the card's unit, ``(n,)``.
        truth: Labels, ``(n,)``.
        group: Code of each instance's group, ``(n,)``.
        rows: Test instances, as positions in the prepared data.
    """

    scores: dict[str, float]
    chance: dict[str, float]
    alignment: str
    output: NDArray[np.float32]
    predicted: NDArray[Any]
    truth: NDArray[Any]
    group: NDArray[np.int32]
    rows: NDArray[np.int64]


def test_windows(task: Task) -> scale.Scaled:
    """Test windows as a model sees them, without labels."""
    return task.scaler.windows(task.test.windows())


def score(task: Task, scaled: scale.Scaled, output: NDArray[np.float32], digest: str) -> Tested:
    """Break the seal and score what was predicted; chance is the best trivial prediction.

    Args:
        task: Whose test part it is.
        scaled: Test windows, as of `test_windows`.
        output: Raw predictions for them ``(n, outputs)``.
        digest: Hash of what made the predictions, in the state that is final.

    Raises:
        SpecError: If the seal was broken before.
    """
    truth, predicted = task.test.open(digest), answers(task, output, scaled)
    card = task.prepared.card
    names = (card.metric, *card.extra_metrics)
    return Tested(
        scores={name: metrics.get(name).score(truth, predicted) for name in names},
        chance=chance(task, scaled, truth),
        alignment=hashlib.sha256(task.test.rows.tobytes() + truth.tobytes()).hexdigest()[:16],
        output=output,
        predicted=predicted,
        truth=truth,
        group=np.unique(task.prepared.array("group")[task.test.rows], return_inverse=True)[
            1
        ].astype(np.int32),
        rows=task.test.rows,
    )


def chance(task: Task, scaled: scale.Scaled, truth: NDArray[Any]) -> dict[str, float]:
    """The best score of trivial predictions, by metric name.

    Args:
        task: Whose training labels such answers know.
        scaled: Test windows, as of `test_windows`.
        truth: Their labels.
    """
    card, known = task.prepared.card, task.trivial
    found = [
        *known.fixed(scaled),
        *known.drawn(scaled, stream("guess", task.subset.digest)),
    ]
    return {name: best(name, truth, found) for name in (card.metric, *card.extra_metrics)}


def answers(task: Task, output: NDArray[np.float32], scaled: scale.Scaled) -> NDArray[Any]:
    """Raw output ``(n, outputs)`` as class codes, or as numbers in the card's unit."""
    if task.prepared.classes:
        return np.asarray(output.argmax(axis=1))
    return task.scaler.unscaled(output[:, 0], scaled)
