"""Which replicas are one network with a replica axis, and why others are not."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from torch import nn
from torch.nn.utils import parametrize

from tsxfer.models.layers import LSTM
from tsxfer.train import norms
from tsxfer.train.loop import Run
from tsxfer.train.method import Method
from tsxfer.train.objectives import Anchored, Labels, Objective
from tsxfer.train.unlabelled import Filling, Telling

SHARED = (Labels, Filling, Telling)


def refusal(run: Run) -> str:
    """Why a replica cannot be stacked; empty where it can."""
    goal = run.replica.objective
    inner = goal.inner if isinstance(goal, Anchored) else goal
    if "pooled" in dict(run.replica.model.named_children()):
        return "pooled sources share parameters between networks"
    if _tied(run.replica.model):
        return "a parameter with two names, which stacked networks cannot be given"
    if type(run.replica.method) is not Method:
        return "a fine-tuning method with hooks of its own acts on one network at a time"
    if not isinstance(inner, SHARED):
        return "its loss is a function of its own"
    layers = run.replica.model.modules()
    if any(isinstance(layer, nn.RNNBase) and not isinstance(layer, LSTM) for layer in layers):
        return "recurrent layers other than tsxfer.models.layers.LSTM have no stacked form"
    return ""


def _tied(model: nn.Module) -> bool:
    """Whether a parameter or buffer has two names: `functional_call` would leave a stack's in."""
    held = [
        *model.named_parameters(remove_duplicate=False),
        *model.named_buffers(remove_duplicate=False),
    ]
    return len({id(tensor) for _, tensor in held}) < len(held)


def forms(live: Sequence[Run]) -> list[list[Run]]:
    """Runs by form: those of one list have the same tensors, learn the same ones, the same way."""
    found: dict[Hashable, list[Run]] = {}
    for run in live:
        found.setdefault(_form(run), []).append(run)
    return list(found.values())


def _form(run: Run) -> Hashable:
    model = run.replica.model
    norms.train_mode(model)
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return (
        tuple((name, tuple(t.shape), t.requires_grad) for name, t in tensors),
        tuple(layer.training for layer in norms.layers(model)),
        tuple(type(layer).__name__ for layer in model.modules()),
        _goal(run.replica.objective),
        run.stage,
        tuple(sorted(run.replica.thaws.items())),
        tuple(run.replica.validation.x.shape),
    )


def _goal(objective: Objective) -> Hashable:
    if isinstance(objective, Anchored):
        return "anchored", objective.inner, objective.names, objective.weight
    return objective


def penalised(run: Run) -> list[str]:
    """Kernels whose penalty is a term of the gradient of its own, added without a graph.

    Where a product learns beside a kernel, the penalty is of both, and stays in the loss.
    """
    model = run.replica.model
    if not model.backbone.kernel_l2 or product_learns(run):
        return []
    named = model.backbone.named_parameters()
    return [f"backbone.{n}" for n, p in named if p.ndim == 3 and p.requires_grad]


def product_learns(run: Run) -> bool:
    """Whether a kernel has a low-rank product beside it."""
    return any(parametrize.is_parametrized(layer) for layer in run.replica.model.modules())
