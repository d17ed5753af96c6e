"""How raw validation output of a trial is scored: as a function, and as plain data for a device."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.specs import PROFILES, Trial
from tsxfer.data.sealed import answers
from tsxfer.data.task import Task
from tsxfer.models.base import Model
from tsxfer.train import objectives
from tsxfer.train.judging import BY_CLASS, BY_ERROR, Judge, Question, Unit


def score_of(task: Task, trial: Trial, model: Model) -> Judge:
    """The primary metric, and what the profile chooses checkpoints on."""
    metric = metrics.get(task.prepared.card.metric)
    sign = metric.sign

    def on_metric(output: NDArray[np.float32]) -> tuple[float, float]:
        value = metric.score(task.truth, answers(task, output, task.validation))
        return sign * value, value

    def as_in_study(output: NDArray[np.float32]) -> tuple[float, float]:
        value = metric.score(task.truth, answers(task, output, task.validation))
        if task.prepared.classes and trial.recipe.loss == "task":
            return metrics.accuracy(task.truth, output.argmax(axis=1)), value
        penalty = float(model.penalty().detach()) if model.backbone.kernel_l2 else 0.0
        return -loss_of(task, output, trial.recipe.loss) - penalty, value

    as_study = PROFILES[trial.profile].monitor == "study"
    own = metric.place or metric.name not in (BY_CLASS if task.prepared.classes else BY_ERROR)
    asked = None if own else _question(task, trial, metric.name, as_study)
    return Judge(as_in_study if as_study else on_metric, asked)


def _question(task: Task, trial: Trial, metric: str, as_study: bool) -> Question:
    """The score as plain data, for a device that judges all replicas of a pack."""
    classes, kind = bool(task.prepared.classes), trial.recipe.loss
    monitor: Literal["metric", "accuracy", "loss"] = "metric"
    if as_study:
        monitor = "accuracy" if classes and kind == "task" else "loss"
    unit, scaler = None, task.scaler
    if not classes:
        windows, count = task.validation, len(task.truth)
        spread = windows.spread if scaler.relative else np.ones(count, np.float32)
        centre = windows.centre if scaler.relative else np.zeros(count, np.float32)
        unit = Unit(scaler.y_sd, scaler.y_mean, spread, centre)
    return Question(metric, monitor, kind, task.truth, unit)


def loss_of(task: Task, output: NDArray[np.float32], kind: str = "task") -> float:
    """The loss of raw validation output."""
    y = torch.from_numpy(np.ascontiguousarray(task.validation_y))
    return float(objectives.task_loss(torch.from_numpy(output), y, kind))
