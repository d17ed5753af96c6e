"""Whether a device trains as it should: small packs, stacked and in turns, and forced failures.

The same code runs on a CPU, where nothing is recorded: a dry run that shows what would be asked.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from tsxfer.core.specs import Recipe
from tsxfer.errors import first_line
from tsxfer.models.base import build
from tsxfer.running import whole
from tsxfer.running.chance import other_draws
from tsxfer.running.device import on_gpu
from tsxfer.running.steppers import named, refusals, stepper_of
from tsxfer.running.successor import Successor
from tsxfer.train import loop, precision, pretext, recording
from tsxfer.train.batch import Batch
from tsxfer.train.objectives import of_labels
from tsxfer.train.stacked.play import GAP

MODELS = ("convnetquake", "magnet", "mlstm_fcn", "tcn", "resnet", "inception_time")
OBJECTIVES = ("labels", "masked", "contrastive")
CHANNELS, LENGTH, WINDOWS, BATCH = 2, 64, 20, 8  # two full batches and one of four
NEAR = {"float32": 1e-2, "tf32": 3e-2, "bf16": 0.15}  # of a curve's size, after four epochs
EPSILON = torch.finfo(torch.float32).eps
ROUNDED = 10  # times what weights that are one rounding error away do: deep networks amplify it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    Attributes:
        what: In words.
        good: It is as it should be.
        said: What was found.
    """

    what: str
    good: bool
    said: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.good else 'FAIL'} {self.what}: {self.said}"


@dataclass(slots=True)
class _Scripted:
    """A score that makes the first replica stop early, and others go on; keeps what it scored."""

    falls: bool
    curve: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)

    def __call__(self, output: NDArray[np.float32]) -> tuple[float, float]:
        """What is monitored rises or falls with each evaluation."""
        self.curve.append(float(np.square(output).mean()))
        self.clock.append(time.perf_counter())
        return (-1.0 if self.falls else 1.0) * len(self.curve), self.curve[-1]


def checkup(
    device: str, models: Sequence[str] = MODELS, objectives: Sequence[str] = OBJECTIVES
) -> Iterator[Finding]:
    """What was found, as it is found.

    Args:
        device: ``cpu`` for a dry run, or as of `tsxfer.running.device.device_of`.
        models: Which networks to try.
        objectives: What they learn.
    """
    kinds = ("float32", "tf32", "bf16") if on_gpu(device) else ("float32", "bf16")
    for name, kind, goal in itertools.product(models, kinds, objectives):
        yield _trained(device, name, kind, goal)
    yield _chance(device)
    for metric in whole.MODELS:
        yield _together(device, metric)
    if on_gpu(device):
        yield _gap(device)
    yield from _forced(device)


def _chance(device: str) -> Finding:
    """Dropout and other draws of a pack, bit for bit those in turns."""
    what = "random streams"
    try:
        differ = other_draws(device)
    except (RuntimeError, recording.SpoiledError) as error:
        return Finding(what, False, first_line(error))
    return Finding(what, not differ, differ or "dropout and noise of a pack are those in turns")


def _together(device: str, metric: str) -> Finding:
    """Scores, best states and whole epochs of three replicas."""
    what = f"scores, best states and epochs, {metric}"
    try:
        found = whole.together(_judged(device, metric), _judged(device, metric), BATCH)
    except (RuntimeError, recording.SpoiledError) as error:
        return Finding(what, False, first_line(error))
    return Finding(what, not found.fault, f"{found.fault}; {found.said}".removeprefix("; "))


def _judged(device: str, metric: str) -> list[loop.Replica]:
    name, blank = whole.MODELS[metric], _Scripted(falls=False)
    pack = [_replica(device, name, "labels", number, blank) for number in range(3)]
    return [whole.judged(replica, metric) for replica in pack]


def _gap(device: str) -> Finding:
    """What a recorded epoch saves: `tsxfer.train.stacked.play` decides by an estimate of it."""
    what = "a recorded epoch against recorded steps"
    try:
        with precision.products("float32"):
            saved = whole.gap(_judged(device, "macro_f1"), BATCH)
    except (RuntimeError, recording.SpoiledError) as error:
        return Finding(what, False, first_line(error))
    said = f"{1e6 * saved:.1f} microseconds less a step ({1e6 * GAP:.0f} are reckoned with)"
    return Finding(what, True, said)


def _trained(device: str, name: str, kind: str, goal: str) -> Finding:
    """Three replicas stacked and in turns: the same curves, and how long an epoch takes."""
    what = f"{name}, {kind}, {goal}"
    found: dict[str, tuple[list[_Scripted], loop.Stepper]] = {}
    try:
        for way in ("stacked", "turns"):
            stepper = stepper_of(way, device)
            found[way] = _fit(device, name, kind, goal, stepper), stepper
    except (RuntimeError, recording.SpoiledError) as error:
        return Finding(what, False, first_line(error))
    (together, stepper), (turns, _) = found["stacked"], found["turns"]
    apart = max(_apart(a.curve, b.curve) for a, b in zip(together, turns, strict=True))
    times = [_epoch(scores) for scores in (together, turns)]
    said = f"{named(stepper)}, {apart:.1g} from turns, ms of a replica's epoch {times[0]:.1f}"
    said += f" against {times[1]:.1f} in turns"
    near = NEAR[kind]
    if near < apart < float("inf"):
        nudged = _fit(device, name, kind, goal, stepper_of("turns", device), nudged=True)
        moved = max(_apart(a.curve, b.curve) for a, b in zip(nudged, turns, strict=True))
        near, said = max(near, ROUNDED * moved), f"{said}; a rounding error moves turns {moved:.1g}"
    refused = refusals(stepper).get("refused", "")
    if refused:
        said += f"; {refused}"
    if on_gpu(device) and times[0] > times[1]:  # a CPU is busy with one
        said += "; SLOWER than turns"
    return Finding(what, apart <= near and not refused, said)


def _fit(
    device: str, name: str, kind: str, goal: str, stepper: loop.Stepper, *, nudged: bool = False
) -> list[_Scripted]:
    recipe = Recipe(epochs=4, batch=BATCH, patience=2, precision=kind, objective=goal)  # type: ignore[arg-type]
    scores = [_Scripted(falls=number == 0) for number in range(3)]
    pack = [_replica(device, name, goal, number, score) for number, score in enumerate(scores)]
    if nudged:
        _nudge([replica.model for replica in pack])
    with precision.products(kind):
        loop.fit(pack, loop.Rules(recipe), stepper)
    return scores


def _replica(device: str, name: str, goal: str, number: int, score: _Scripted) -> loop.Replica:
    model = build(name, channels=CHANNELS, length=LENGTH, extra=1, outputs=2, seed=number)
    objective = of_labels()
    if goal != "labels":
        method = pretext.of(goal, CHANNELS, LENGTH)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)
            model.head = method.head(model.backbone.features + 1)
        objective = method.objective()
    return loop.Replica(
        model=model.to(device),
        train=_batch(number, WINDOWS, device),
        validation=_batch(number, BATCH, device),
        score=score,
        order=np.random.default_rng(number),
        dropout=number,
        objective=objective,
    )


def _nudge(models: Sequence[torch.nn.Module]) -> None:
    """Move each weight by about one rounding error of float32."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        for weights in itertools.chain.from_iterable(model.parameters() for model in models):
            weights.mul_(1 + EPSILON * torch.randn(weights.shape).to(weights.device))


def _batch(seed: int, count: int, device: str) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, CHANNELS, LENGTH, generator=draw)
    held = (x, torch.randn(count, 1, generator=draw), (x[:, 0].mean(dim=1) > 0).long())
    return Batch(*(tensor.to(device) for tensor in held))


def _apart(a: Sequence[float], b: Sequence[float]) -> float:
    if len(a) != len(b):
        return float("inf")
    one, other = np.array(a), np.array(b)
    return float(np.abs(one - other).max() / max(1e-6, float(np.abs(other).max())))


def _epoch(scores: Sequence[_Scripted]) -> float:
    """Milliseconds of the last epoch, for each of the replicas that live in it."""
    last = max(scores[-1].clock) - scores[-1].clock[-2]
    return 1000 * last / (len(scores) - 1)


def _forced(device: str) -> Iterator[Finding]:
    """Failures that must be survived: memory that is not there, and a step that no graph holds."""
    if not on_gpu(device):
        yield Finding("forced failures", True, f"not tried: nothing is recorded on {device}")
        return
    successor = Successor(recording.spoiled)
    try:
        for what, wanted in (("memory", "OutOfMemoryError"), ("capture", "SpoiledError")):
            raised = successor.call(fail, what, device)
            yield Finding(f"forced failure: {what}", raised == wanted, raised)
            again = str(successor.call(_trained, device, "magnet", "float32", "labels"))
            yield Finding(f"a fresh process after it ({what})", again.startswith("ok"), again)
    finally:
        successor.close()


def fail(what: str, device: str) -> str:
    """Fail inside a capture; the name of what comes out of it."""
    there = torch.device(device)
    numbers = torch.ones(8, device=there)

    def memory() -> None:
        torch.empty(2**50, device=there)

    def capture() -> None:
        float(numbers.sum())  # waits for the device, which no recording can

    try:
        recording.record([{"memory": memory, "capture": capture}[what]], [], there)
    except (RuntimeError, recording.SpoiledError) as error:
        return type(error).__name__
    return "nothing was raised"
