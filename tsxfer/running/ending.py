"""Scores of trained models on their sealed test part."""

from __future__ import annotations

import hashlib

import numpy as np

from tsxfer.core.doors import OBJECTIVES, facts
from tsxfer.core.specs import Trial
from tsxfer.data.sealed import Tested, score, test_windows
from tsxfer.data.task import Task
from tsxfer.models.base import Model
from tsxfer.running.setup import pretext
from tsxfer.train import loop
from tsxfer.train.batch import on_device


def open_test(
    model: Model, task: Task, device: str, *, precision: str, always_drop: bool
) -> Tested:
    """The sealed test of a network at its final checkpoint, computed as it learned; see `score`."""
    scaled = test_windows(task)
    tensors = on_device(scaled, np.zeros(len(task.test), np.float32), device)
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


def unseen(trial: Trial, task: Task, model: Model, device: str) -> Tested:
    """Test windows for a model that learned without labels; the seal of their labels holds."""
    part = on_device(test_windows(task), np.zeros(len(task.test), np.float32), device)
    asked, scored, blind = pretext(trial, part, "test")
    kind = trial.recipe.precision
    output = loop.predict(model, asked.x, asked.extra, precision=kind)
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
