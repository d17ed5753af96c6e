"""Plugins with one fault each, by door, and what their rows or columns must say."""

from __future__ import annotations

from dataclasses import dataclass

METHODS_TOP = """\
import glob
import itertools

import numpy
import torch
from torch import nn
from tsxfer.train.method import Method, method

COUNT = itertools.count()
NAN = float("nan")


def peek():
    return numpy.load(glob.glob("tsxfer-workspace/data/*/y.npy")[0])
"""
OTHERS_TOP = """\
import glob
import itertools

import numpy
import torch
from torch import nn
from tsxfer.data.rules import split
from tsxfer.metrics import metric
from tsxfer.models.heads import head
from tsxfer.ranking.rankers import ranker
from tsxfer.stats.statistics import statistic
from tsxfer.train.pretext import objective

COUNT = itertools.count()
NAN = float("nan")


def peek():
    return numpy.load(glob.glob("tsxfer-workspace/data/*/y.npy")[0])


def filled(width, outputs, value):
    made = nn.Linear(width, outputs)
    nn.init.constant_(made.bias, value)
    return made


class Base:
    def __init__(self, channels, length):
        pass

    def head(self, width):
        return nn.Linear(width, 1)

    def objective(self):
        return lambda model, part, rows, random: self.loss(
            model(part.x[rows], 0 * part.extra[rows])
        )

    def loss(self, output):
        return output.square().mean()

    def pretext(self, part, seed):
        return part, lambda output: (1.0, 1.0), 1.0
"""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: Of the method, objective, ... that has it.
        body: What is wrong, indented as in its class or function.
        said: What must be said of it.
    """

    name: str
    body: str
    said: str


METHODS = (
    Fault("m_init", "def __init__(self):\n        raise ValueError('no')", "ValueError: no"),
    Fault("m_raises", "def loss(self, step):\n        return step.nothing", "AttributeError"),
    Fault("m_shape", "def loss(self, step):\n        return step.output", "no scalar"),
    Fault("m_nan", "def loss(self, step):\n        return step.plain() + NAN", "finite: nan"),
    Fault(
        "m_chance",
        "def loss(self, step):\n        return step.plain() + 0 * torch.rand(1).sum()",
        "global stream",
    ),
    Fault("m_peek", "def begin(self, given):\n        peek()", "test labels"),
    Fault(
        "m_start",
        "def start(self, source):\n        return {n: t[:1] for n, t in source.items() if t.ndim}",
        "weights that do not fit",
    ),
    Fault(
        "m_lost",
        "def start(self, source):\n        return {n: t / 0 for n, t in source.items()}",
        "not finite",
    ),
    Fault(
        "m_rates",
        "def rates(self, given):\n        return {'head.0.bias': NAN}",
        "rates gives nan",
    ),
    Fault("m_thaws", "def thaws(self, given):\n        return {'head.0.bias': 'never'}", "'never'"),
    Fault(
        "m_outputs",
        "def begin(self, given):\n        given.model.head = nn.Linear(given.model.width, 5)",
        "gives (2, 5), not (2, 1)",
    ),
    Fault(
        "m_breaks",
        "def begin(self, given):\n        given.model.backbone = nn.Identity()",
        "RuntimeError",
    ),
    Fault("m_ends", "def finish(self, model):\n        raise KeyError('end')", "KeyError"),
    Fault("m_exits", "def begin(self, given):\n        raise SystemExit(0)", "SystemExit"),
)
OBJECTIVES = (
    Fault("o_init", "def __init__(self, channels, length):\n        1 / 0", "ZeroDivisionError"),
    Fault("o_raises", "def loss(self, output):\n        return output.nothing", "AttributeError"),
    Fault("o_shape", "def loss(self, output):\n        return output", "no scalar"),
    # Its own score is finite all the same.
    Fault("o_nan", "def loss(self, output):\n        return (output * NAN).mean()", "finite: nan"),
    Fault("o_late", "def loss(self, output):\n        return output.mean() / 0", "not finite"),
    Fault(
        "o_score",
        "def pretext(self, part, seed):\n        return part, lambda output: (1.0, NAN), 1.0",
        "score gives",
    ),
    Fault(
        "o_blind",
        "def pretext(self, part, seed):\n        return part, lambda output: (1.0, 1.0), None",
        "gives None to a trivial answer",
    ),
    Fault("o_batch", "def pretext(self, part, seed):\n        return part.x, None, 1.0", "Tensor"),
    Fault("o_head", "def head(self, width):\n        return nn.Linear(9, 1)", "RuntimeError"),
    Fault(
        "o_chance",
        "def loss(self, output):\n        return output.square().mean() * torch.rand(1).mean()",
        "global stream",
    ),
    Fault("o_peek", "def pretext(self, part, seed):\n        return peek()", "test labels"),
)
METRICS = (
    Fault("k_raises", "return truth.nothing", "AttributeError"),
    Fault("k_shape", "return truth - predicted", "no finite number"),
    Fault("k_nan", "return NAN", "no finite number"),
    Fault("k_counts", "return float(next(COUNT))", "when asked again"),
    Fault("k_chance", "return numpy.random.rand()", "global stream"),
    Fault("k_peek", "return float(peek()[0])", "test labels"),
    Fault("k_writes", "truth[:] = predicted", "read-only"),
    Fault("k_late", "return 1.0 if len(truth) < 20 else truth.nothing", "AttributeError"),
)
SPLITS = (
    Fault("s_raises", "return instances.nothing", "AttributeError"),
    Fault("s_shape", "return numpy.zeros(3, int)", "instances"),
    Fault("s_nan", "return numpy.full(len(instances.group), numpy.nan)", "gives float64"),
    Fault("s_counts", "return numpy.full(len(instances.group), next(COUNT))", "asked again"),
    Fault("s_chance", "return numpy.random.randint(3, size=9)", "global stream"),
    Fault("s_peek", "return peek()", "test labels"),
)
HEADS = (
    Fault("h_raises", "return nn.Linear(width)", "TypeError"),
    Fault("h_shape", "return nn.Linear(width, outputs + 1)", "for two rows"),
    Fault("h_none", "return None", "gives NoneType"),
    Fault(
        "h_nan",
        "return filled(width, outputs, NAN)",
        "not finite",
    ),
    Fault(
        "h_counts",
        "return filled(width, outputs, next(COUNT))",
        "made again",
    ),
    Fault(
        "h_chance",
        "class Odd(nn.Linear):\n        def forward(self, x):\n"
        "            return super().forward(x) + torch.rand(1)\n    return Odd(width, outputs)",
        "global stream",
    ),
    Fault("h_peek", "peek()", "test labels"),
)
STATISTICS = (
    Fault("t_raises", "return scratch.nothing", "AttributeError"),
    Fault("t_shape", "return transfer - scratch", "no finite number"),
    Fault("t_nan", "return NAN", "no finite number"),
    Fault("t_counts", "return float(next(COUNT))", "when asked again"),
    Fault("t_chance", "return numpy.random.rand()", "global stream"),
    Fault("t_peek", "return float(peek()[0])", "test labels"),
)
RANKERS = (
    Fault("r_raises", "return seen.nothing", "AttributeError"),
    Fault("r_shape", "return seen.features", "neither a finite number"),
    Fault("r_nan", "return NAN", "neither a finite number"),
    Fault("r_counts", "return float(next(COUNT))", "when asked again"),
    Fault("r_chance", "return numpy.random.rand()", "global stream"),
    Fault("r_peek", "return float(peek()[0])", "test labels"),
)
_HOLDERS = (
    (METRICS, "@metric(title='{0}', task='regression', higher_is_better=False, span=(0, 1e9))\n"
     "def {0}(truth, predicted):\n    {1}\n"),
    (SPLITS, "@split()\ndef {0}(instances, draw):\n    {1}\n"),
    (HEADS, "@head()\ndef {0}(width, outputs):\n    {1}\n"),
    (STATISTICS, "@statistic(title='{0}')\ndef {0}(scratch, transfer):\n    {1}\n"),
    (OBJECTIVES, "@objective(metric='rmse', loss='none')\nclass {0}(Base):\n    {1}\n"),
)  # fmt: skip


def methods() -> str:
    """A file with all faulty methods."""
    return METHODS_TOP + "".join(
        f"\n\n@method()\nclass {one.name.capitalize()}(Method):\n    {one.body}\n"
        for one in METHODS
    )


def others() -> str:
    """A file with all other faulty code but rankers, each of which a recommendation asks."""
    return OTHERS_TOP + "".join(
        f"\n\n{text.format(one.name, one.body)}" for held, text in _HOLDERS for one in held
    )


def rankers() -> str:
    """A file with all faulty rankers."""
    return OTHERS_TOP + "".join(
        f"\n\n@ranker(higher_is_better=True)\ndef {one.name}(seen):\n    {one.body}\n"
        for one in RANKERS
    )
