"""A trial's method begins: what it may know, the head that it brings, what it froze."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tsxfer.core.specs import Trial
from tsxfer.data.task import Task
from tsxfer.keys import seed
from tsxfer.models.base import Model
from tsxfer.train import reuse, watched
from tsxfer.train.batch import Batch
from tsxfer.train.method import Given, Method


def begin(
    trial: Trial,
    task: Task,
    model: Model,
    start: reuse.Takeover,
    kept: Sequence[reuse.Weights],
    train: Batch,
) -> tuple[Method, Given, reuse.Takeover]:
    """The method of a trial, fresh, once it has begun; of scratch, one that does nothing.

    Args:
        trial: What is run.
        task: Its data.
        model: On the device, with what was copied; changed in place.
        start: What was taken over.
        kept: Weights of its origins.
        train: Training windows, on the device.
    """
    how = watched.of(trial.reuse.strategy) if trial.reuse else Method()
    names = (trial.dataset, trial.model, trial.repeat)
    given = Given(
        model=model,
        source=reuse.averaged(kept) if kept else {},
        copied=tuple(start.audit["copied"]),
        train=train,
        random=torch.Generator().manual_seed(seed("method", *names)),
        epochs=trial.recipe.epochs,
        outputs=task.outputs,
    )
    return how, given, begun(how, given, start, seed("method head", *names))


def begun(how: Method, given: Given, start: reuse.Takeover, chance: int) -> reuse.Takeover:
    """What was taken over, once a method has given the model its head and has begun.

    Args:
        how: The method.
        given: What it may know; its model is changed in place.
        start: What was taken over before.
        chance: Seed of new layers, which draw from PyTorch's global stream.
    """
    if not isinstance(how, watched.Watched):
        return start
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chance)
        head = how.head(given.model.width, given.outputs)
        if head is not None:
            given.model.head = head.to(given.train.x.device)
        how.begin(given)
    return reuse.frozen_by_method(given.model, start, how.thaws(given))
