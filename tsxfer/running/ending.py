"""Scores of trained models on their sealed test part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.doors import HEADS, OBJECTIVES, facts
from tsxfer.core.guard import AWAY_FROM_0, broken
from tsxfer.core.models_index import REGISTRY as MODELS
from tsxfer.core.options import bare
from tsxfer.core.specs import LABELS, Trial
from tsxfer.data import scale
from tsxfer.data.sealed import Tested, score, test_windows
from tsxfer.data.task import Task
from tsxfer.models.base import Model
from tsxfer.running.setup import data_of, pretext
from tsxfer.train import loop
from tsxfer.train.batch import Batch, on_device

Windows = tuple[scale.Scaled, Batch]
"""Test windows as a model sees them, and on the device; without labels."""


def windows_of(task: Task, device: str) -> Windows:
    """The windows of a sealed test."""
    scaled = test_windows(task)
    return scaled, on_device(scaled, np.zeros(len(task.test), np.float32), device)


@dataclass(slots=True)
class Shown:
    """Test windows on a device for trials of a pack, tested one after the other.

    Trials with the same data share a copy. One is there at a time: a pack of ten repeats has ten
    test sets, which beside its networks might not fit.
    """

    device: str
    _data: tuple[object, ...] = ()
    _held: Windows | None = None

    def of(self, trial: Trial, task: Task) -> Windows:
        """Those of a trial; put there if the trial before it had others."""
        if self._held is None or self._data != data_of(trial):
            self._held = None  # gone before the next are there
            self._held, self._data = windows_of(task, self.device), data_of(trial)
        return self._held


def open_test(
    model: Model, task: Task, windows: Windows, *, precision: str, always_drop: bool
) -> Tested:
    """The sealed test of a network at its final checkpoint, computed as it learned; see `score`."""
    scaled, tensors = windows
    output = loop.predict(
        model, tensors.x, tensors.extra, precision=precision, always_drop=always_drop
    )
    return score(task, scaled, output, _digest(model))


def _digest(model: Model) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def metric(trial: Trial, of_card: str) -> str:
    """The primary metric of a trial's row: the card's, or that of an objective without labels."""
    if trial.recipe.objective == "labels":
        return of_card
    return str(facts(OBJECTIVES, trial.recipe.objective)["metric"])


def refuse_nan(trial: Trial, output: NDArray[np.floating]) -> None:
    """Refuse outputs of a user's network or objective that are no numbers.

    The best class of NaN is the first one, so that such a row would look like any other.

    Raises:
        PluginError: With the file and line where it is defined.
    """
    if np.isfinite(output).all():
        return
    recipe = trial.recipe
    objective = "" if recipe.objective == LABELS else recipe.objective
    for door, name in ((HEADS, recipe.head), (OBJECTIVES, objective), (MODELS, trial.model)):
        if door.plugin_digest(bare(name)):
            raise broken(
                f"{door.noun} {name}",
                door.place(bare(name)),
                "makes outputs that are not finite (NaN)",
                AWAY_FROM_0,
            )


def unseen(trial: Trial, task: Task, model: Model, device: str) -> Tested:
    """Test windows for a model that learned without labels; the seal of their labels holds."""
    part = on_device(test_windows(task), np.zeros(len(task.test), np.float32), device)
    asked, scored, blind = pretext(trial, part, "test")
    kind = trial.recipe.precision
    output = loop.predict(model, asked.x, asked.extra, precision=kind)
    refuse_nan(trial, output)
    name, nothing = metric(trial, ""), np.zeros(0)
    return Tested(
        scores={name: scored(output)[1]},
        chance={name: blind},
        alignment=hashlib.sha256(task.test.rows.tobytes()).hexdigest()[:16],
        output=output[:0],
        predicted=nothing,
        truth=nothing,
        group=np.zeros(0, np.int32),
        rows=task.test.rows,
    )
