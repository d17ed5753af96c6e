"""Whether what a stack does for all replicas at once is right: scores, best states, epochs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.core.specs import Recipe
from tsxfer.train import loop, precision, recording
from tsxfer.train.graphs import Record
from tsxfer.train.judging import Judge, Question, Unit
from tsxfer.train.stacked.play import How, Play
from tsxfer.train.stacked.stack import Memory, Stack
from tsxfer.train.stacked.stepper import Stacked

MODELS = {"macro_f1": "mlstm_fcn", "mae": "convnetquake", "medae": "magnet"}  # by metric
NEAR = 1e-3  # of a score's size: a best state answers as it was scored, but for its sums' order
SAME = 1e-2  # of a curve's size: as of two ways to take the same steps
EPOCHS, PATIENCE = 3, 3


@dataclass(frozen=True, slots=True)
class Together:
    """What was found for a metric.

    Attributes:
        fault: What is not as it should be; empty: nothing.
        said: How scores and epochs were made.
    """

    fault: str
    said: str


def judged(replica: loop.Replica, metric: str) -> loop.Replica:
    """The replica with a score that says what it is made of; for numbers, with such labels."""
    one = metrics.get(metric)
    if one.task == "classification":
        truth = replica.validation.y.cpu().numpy()
        asked = Question(metric, "metric", "task", truth)
        return replace(replica, score=Judge(_scored(one, truth, classes=True), asked))
    numbers = [replace(p, y=p.x[:, 0, 0].contiguous()) for p in (replica.train, replica.validation)]
    truth = numbers[1].y.cpu().numpy()
    blank = np.zeros(len(truth), np.float32)
    asked = Question(metric, "metric", "task", truth, Unit(1.0, 0.0, blank + 1, blank))
    score = Judge(_scored(one, truth, classes=False), asked)
    return replace(replica, train=numbers[0], validation=numbers[1], score=score)


def _scored(one: metrics.Metric, truth: NDArray[np.generic], *, classes: bool) -> loop.Score:
    def score(output: NDArray[np.float32]) -> tuple[float, float]:
        value = one.score(truth, output.argmax(axis=1) if classes else output[:, 0])
        return one.sign * value, value

    return score


def together(pack: Sequence[loop.Replica], again: Sequence[loop.Replica], batch: int) -> Together:
    """Train a pack with whole epochs recorded and, alike, a recording a step; on a CPU: neither.

    Args:
        pack: Replicas of `judged`.
        again: The same, built anew.
        batch: Windows of a step.
    """
    rules = loop.Rules(Recipe(epochs=EPOCHS, batch=batch, patience=PATIENCE))
    whole, steps = Stacked(anywhere=True, epochs=True), Stacked(anywhere=True)
    with precision.products("float32"):
        found, other = loop.fit(pack, rules, whole), loop.fit(again, rules, steps)
        kept = max(_off(replica, one) for replica, one in zip(pack, found, strict=True))
    curves = max(_apart(a.metric, b.metric) for a, b in zip(found, other, strict=True))
    graph = whole.told.get("graph", "nothing recorded")
    scores = f"by the host: {whole.host}" if whole.host else "on the device"
    said = f"{whole.way}, graph: {graph}, scores {scores}; best states answer within {kept:.1g} of"
    said += f" them, epochs within {curves:.1g} of steps"
    return Together(_fault(whole, kept, curves), said)


def _fault(stepper: Stacked, kept: float, curves: float) -> str:
    if stepper.refused or stepper.host:
        return stepper.refused or stepper.host
    if stepper.told.get("graph", "epoch") != "epoch":
        return "an epoch cannot be recorded"
    if not kept <= NEAR:
        return "a best state does not answer as it was scored"
    return "" if curves <= SAME else "an epoch is not its steps"


def _off(replica: loop.Replica, found: loop.Fit) -> float:
    """How far the best state's score, made by the host now, is from the one it was kept for."""
    part = replica.validation
    now = replica.score(loop.predict(replica.model, part.x, part.extra))[1]
    return _apart([now], [found.metric[found.best]])


def _apart(a: Sequence[float], b: Sequence[float]) -> float:
    one, other = np.array(a), np.array(b)
    return float(np.abs(one - other).max() / max(1e-6, float(np.abs(other).max())))


def gap(pack: Sequence[loop.Replica], batch: int, record: Record = recording.record) -> float:
    """Seconds a step that a recorded epoch saves against recorded steps: least of five each.

    Args:
        pack: Replicas of one form.
        batch: Windows of a step.
        record: Records bodies.
    """
    recipe = Recipe(epochs=EPOCHS, batch=batch, patience=PATIENCE)
    runs = [loop.Run(replica, loop.Rules(recipe)) for replica in pack]
    for run in runs:
        run.begin_epoch()
    stack = Stack(runs, [Memory() for _ in runs])
    times = []
    for whole in (False, True):
        play = Play(stack, How(record, epochs=whole))
        play.prepare(None)
        play.begin()
        if not whole:
            play.single = "to be timed step by step"
        times.append(min(_timed(play, runs[0].per_epoch) for _ in range(6)))
    stack.release()
    return (times[0] - times[1]) / runs[0].per_epoch


def _timed(play: Play, steps: int) -> float:
    there = play.stack.flat.device
    if there.type == "cuda":
        torch.cuda.synchronize(there)
    began = time.perf_counter()
    play.take(0, steps)
    if there.type == "cuda":
        torch.cuda.synchronize(there)
    return time.perf_counter() - began
