"""Kernels of one step, of one evaluation and of an epoch, counted in turns and as a stack.

Run: python -m bench.kernels [--replicas 42] [--epoch]

Counted are operations that compute or move numbers, as PyTorch dispatches them on a CPU in the
form that a GPU runs (`tsxfer.models.layers.plainly`); views are not. An operation is one kernel or
a few, so this tells how two ways compare, not what a GPU launches. An LSTM counts as one operation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tsxfer.core.specs import Recipe
from tsxfer.models.base import build
from tsxfer.models.layers import plainly
from tsxfer.train import norms
from tsxfer.train.batch import Batch
from tsxfer.train.judging import Judge, Question
from tsxfer.train.loop import Replica, Rules, Run
from tsxfer.train.stacked.scores import Judges
from tsxfer.train.stacked.stack import AT_ONCE, MORE_AT_ONCE, Memory, Stack

MODELS = ("convnetquake", "magnet", "mlstm_fcn", "tcn", "resnet", "inception_time")
COUNT, LENGTH, BATCH = 96, 540, 64
VIEWS = {
    *("view", "_unsafe_view", "t", "transpose", "permute", "expand", "slice", "select", "detach"),
    *(
        "unsqueeze",
        "squeeze",
        "alias",
        "as_strided",
        "split",
        "split_with_sizes",
        "unbind",
        "chunk",
    ),
    *("_reshape_alias", "empty", "empty_like", "new_empty", "empty_strided", "narrow", "movedim"),
    *("new_empty_strided", "lift_fresh", "set_", "is_same_size", "sym_size", "diagonal", "unfold"),
}


class Counted(TorchDispatchMode):
    """Counts what is dispatched inside."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One operation."""
        self.total += func.overloadpacket.__name__ not in VIEWS
        return func(*args, **(kwargs or {}))


def counted(work: Callable[[], object]) -> int:
    """Operations of a piece of work."""
    with Counted() as mode:
        work()
    return mode.total


def runs(name: str, replicas: int) -> list[Run]:
    """Replicas that are ready to take a step."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(COUNT, 3, LENGTH, generator=draw)
    part = Batch(x, torch.zeros(COUNT, 1), torch.arange(COUNT) % 4)
    made = []
    for number in range(replicas):
        model = build(name, channels=3, length=LENGTH, extra=1, outputs=4, seed=number)
        order = np.random.default_rng(number)
        held = Replica(model, part, part, lambda _: (0.0, 0.0), order, number)
        made.append(Run(held, Rules(Recipe(batch=BATCH))))
        norms.train_mode(model)
    return made


def measure(name: str, replicas: int) -> tuple[int, int, int, int]:
    """Operations of a step in turns and stacked, and of an evaluation of 64 windows likewise."""
    rows = torch.arange(BATCH)
    one = runs(name, 1)[0]
    with plainly():
        one.learn(rows)  # Adam's state is there
        turns = counted(lambda: one.learn(rows))
        one.replica.model.eval()
        with torch.no_grad():
            part = one.replica.validation
            alone = counted(lambda: one.replica.model(part.x[:64], part.extra[:64]))
    several = runs(name, replicas)
    stack = Stack(several, [Memory() for _ in several])
    stack.schedule()
    together = rows.repeat(replicas, 1)
    stack.step(together)
    stacked = counted(lambda: stack.step(together))
    return turns * replicas, stacked, alone * replicas, counted(lambda: stack.outputs(64))


def epoch(name: str, replicas: int) -> list[str]:
    """An epoch of 1,200 windows in batches of 64, 300 windows of validation: nodes and starts.

    Nodes are operations, wherever they start from. The host starts each that is not in a recording,
    and each recording as one. *Before*: a recording a step, evaluation by the host in passes of 64
    windows, a copy of each tensor of each replica that improved.
    """
    steps, validation, several = -(-1200 // BATCH), 300, runs(name, replicas)
    judges, stack = _judges(several, validation), Stack(several, [Memory() for _ in several])
    stack.schedule()
    rows = torch.arange(BATCH).repeat(replicas, 1)
    stack.step(rows)
    step = counted(lambda: stack.step(rows))
    tensors = len(several[0].best_state)
    passes = -(-validation // AT_ONCE), -(-validation // MORE_AT_ONCE)
    pass_ = counted(lambda: stack.outputs(BATCH))
    raw = torch.zeros(replicas, validation, 4)
    scored = counted(lambda: judges.terms(raw, None))
    kept = counted(lambda: stack.keep([True] * replicas))
    begun = counted(stack.schedule) + replicas + 3 * 2  # each one's order, by batch size
    pick = 2  # of a step by a counter: its rows, and the counter goes on
    lines = [
        ("before", step + pick, passes[0] * pass_, 0, tensors * replicas, raw.nbytes),
        ("an epoch", step, passes[1] * pass_, scored, kept, 8 * replicas * 9),
    ]
    said = []
    for title, one, evaluated, score, best, size in lines:
        nodes = begun + steps * one + evaluated + score + best
        starts = begun + best + (2 * steps + 2 + evaluated if title == "before" else 2)
        said.append(
            f"{name:14}{title:10}{nodes:>8,} nodes ({steps} steps of {one}, evaluation "
            f"{evaluated}, scores {score}, best state {best:,}), {starts:,} starts by the host, "
            f"{size:,} bytes read"
        )
    return said


def _judges(several: list[Run], count: int) -> Judges:
    """As of a card with four classes."""
    truth = np.arange(count) % 4
    asked = Judge(lambda _: (0.0, 0.0), Question("macro_f1", "metric", "task", truth))
    return Judges([_asked(run, asked) for run in several])


def _asked(run: Run, judge: Judge) -> Any:
    return SimpleNamespace(replica=replace(run.replica, score=judge))


def main() -> None:
    """Print one line a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=42)
    parser.add_argument("--model", action="append")
    parser.add_argument("--epoch", action="store_true", help="what an epoch launches")
    chosen = parser.parse_args()
    torch.manual_seed(0)
    print(
        f"{chosen.replicas} replicas, batches of {BATCH}, 3 x {LENGTH}, torch {torch.__version__}"
    )
    if chosen.epoch:
        for name in chosen.model or MODELS:
            print("\n".join(epoch(name, chosen.replicas)), flush=True)
        return
    print(f"{'model':16}{'step, turns':>13}{'stacked':>9}{'eval, turns':>13}{'stacked':>9}")
    for name in chosen.model or MODELS:
        turns, stacked, alone, together = measure(name, chosen.replicas)
        print(f"{name:16}{turns:>13,}{stacked:>9,}{alone:>13,}{together:>9,}", flush=True)


if __name__ == "__main__":
    main()
