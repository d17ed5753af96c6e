"""A baseline learns from a task's training part, chooses on its validation part, and is tested."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.baselines import embeddings
from tsxfer.baselines.summary import summary
from tsxfer.baselines.transforms import Features, catch22, minirocket, multirocket
from tsxfer.core.specs import FOUNDATIONS, Trial
from tsxfer.data.scale import Scaled
from tsxfer.data.sealed import Tested, answers, score, test_windows
from tsxfer.data.task import Task
from tsxfer.keys import seed
from tsxfer.store.workspace import Workspace
from tsxfer.train import ridge

Floats = NDArray[np.float32]
_NUMBERS = 2**26  # features held at a time where windows are only predicted


@dataclass(frozen=True, slots=True)
class Answered:
    """What a baseline gave.

    Attributes:
        tested: On the sealed test.
        chosen: Its penalty; empty for the trivial answers.
        tries: Penalties that were compared on validation; 1 for the trivial answers.
        labels: What travels with the row.
    """

    tested: Tested
    chosen: dict[str, float]
    tries: int
    labels: tuple[str, ...] = ()


def answer(task: Task, trial: Trial, workspace: Workspace, threads: int) -> Answered:
    """Fit a baseline without a backbone and open the sealed test for it.

    Raises:
        SpecError: If a foundation model's weights, interpreter or package are not there.
    """
    assert trial.baseline is not None  # noqa: S101  (asked of baselines only)
    if trial.baseline == "trivial":
        return _trivial(task)
    with _threads(threads):
        return _ridge(task, trial, workspace, threads)


def _trivial(task: Task) -> Answered:
    """The commonest class or the median label; where labels follow the input's level, its last.

    Of prices this is persistence: no change.
    """
    scaled, known = test_windows(task), task.trivial
    if known.classes:
        kept = float(known.commonest)
        output = ridge.one_hot(np.full(len(scaled.x), kept), task.outputs).astype(np.float32)
    elif known.follows_level:
        kept = 0.0
        output = task.scaler.scaled(scaled.centre, scaled)[:, None]
    else:
        kept = float(known.median)
        output = np.full((len(scaled.x), 1), kept, np.float32)
    digest = hashlib.sha256(f"{task.prepared.card.id} {kept!r}".encode()).hexdigest()[:16]
    return Answered(score(task, scaled, output, digest), {}, 1)


def _ridge(task: Task, trial: Trial, workspace: Workspace, threads: int) -> Answered:
    """A ridge head on features of windows, and on the amplitude that networks are fed too."""
    features = _features(task, trial, workspace, threads)
    targets = ridge.one_hot(task.train_y, task.outputs) if task.prepared.classes else task.train_y
    train, validation = (_beside(features(s.x), s) for s in (task.train, task.validation))
    head = ridge.fit(train, targets.reshape(len(train), -1), validation, _judge(task))
    scaled, output = test_windows(task), list[Floats]()
    for few in _slices(len(scaled.x), train.shape[1]):
        output.append(head.predict(np.hstack([features(scaled.x[few]), scaled.extra[few]])))
    return Answered(
        score(task, scaled, np.concatenate(output), head.digest),
        {"penalty": head.penalty},
        head.tries,
        embeddings.labels(trial.baseline) if trial.baseline in FOUNDATIONS else (),
    )


def _features(task: Task, trial: Trial, workspace: Workspace, threads: int) -> Features:
    chance = seed("features", trial.dataset, trial.repeat)
    rockets: Mapping[str, Callable[[Floats, int, int], Features]] = {
        "minirocket": minirocket,
        "multirocket": multirocket,
    }
    alone: Mapping[str, Features] = {"summary": summary, "catch22": catch22}
    name = trial.baseline or ""
    if name in alone:
        return alone[name]
    if name in rockets:
        return rockets[name](task.train.x, chance, threads)
    assert name in FOUNDATIONS  # noqa: S101  (the others are of a backbone)
    return partial(embeddings.embed, name, workspace, threads)


def _judge(task: Task) -> Callable[[Floats], float]:
    """The target's metric on the validation part, larger is better."""
    metric = metrics.get(task.prepared.card.metric)
    sign = metric.sign
    return lambda output: sign * metric.score(task.truth, answers(task, output, task.validation))


def _beside(features: Floats, scaled: Scaled) -> Floats:
    return np.hstack([features, scaled.extra])


def _slices(windows: int, features: int) -> Iterator[slice]:
    few = max(1, _NUMBERS // features)
    return (slice(at, at + few) for at in range(0, windows, few))


def _threads(count: int) -> AbstractContextManager[Any]:
    """As many threads for products of matrices as the job may have."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(count, user_api="blas")
    return limits
