"""Methods under guard: which one a trial names, and how a user's own is held to the contract."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tsxfer.core import guard
from tsxfer.core.doors import METHODS
from tsxfer.core.guard import AWAY_FROM_0
from tsxfer.core.options import spelt
from tsxfer.core.specs import Reuse
from tsxfer.core.strategy import Strategy
from tsxfer.errors import PluginError, SpecError
from tsxfer.models.base import Model
from tsxfer.models.draws import Chance
from tsxfer.train import distort
from tsxfer.train.batch import Batch
from tsxfer.train.method import Given, Method, Step
from tsxfer.train.objectives import Objective, of_labels


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())


def of(strategy: Strategy) -> Method:
    """The method of a strategy, fresh; one that does nothing where it has only parts.

    Raises:
        SpecError: If there is none of that name, or its file fails.
    """
    if not strategy.method:
        return Method()
    kind, place = METHODS.get(strategy.method), METHODS.place(strategy.method)
    what = f"method {spelt(strategy.method, strategy.options)}"
    if not (isinstance(kind, type) and issubclass(kind, Method)):
        raise guard.broken(what, place, "is none", "write a class of Method under @method()")
    with guard.guarded(what, place):
        inner = kind(**strategy.options)
    return Watched(inner, what, place)


def parts_of(strategy: Strategy, one: Method | None = None) -> Strategy:
    """What is copied and how it learns: of a user's method, what it says, and the trial's channels.

    Args:
        strategy: Of a trial.
        one: Its method, where it is made already.
    """
    if not strategy.method:
        return strategy
    said = (one or of(strategy)).parts
    ways = {"channels": strategy.channels, "rescaled": strategy.rescaled}
    return replace(said, **ways)  # type: ignore[arg-type]


class Watched(Method):
    """A user's method, held to the contract: its faults are named with file and line."""

    def __init__(self, inner: Method, what: str, place: str) -> None:
        self.inner, self._what, self._place = inner, what, place
        self.recordable = inner.recordable  # type: ignore[misc]  # of the one inside
        self.parts = inner.parts  # type: ignore[misc]

    def start(self, source: dict[str, Tensor]) -> dict[str, Tensor]:
        """See `Method.start`."""
        with self._guard():
            made = self.inner.start(dict(source))
        if not isinstance(made, dict) or not all(isinstance(t, Tensor) for t in made.values()):
            raise self._broken("start gives no weights by name", "return a dict of tensors")
        lost = [name for name, tensor in made.items() if not _finite(tensor)]
        if lost:
            raise self._broken(f"start gives {lost[0]} that is not finite (NaN)", AWAY_FROM_0)
        return made

    def accused(self, error: SpecError) -> SpecError:
        """The error of copying what `start` gave, as that of `start` where the method has one."""
        if type(self.inner).start is Method.start:
            return error
        return self._broken(f"start gives weights that do not fit: {error.problem}", "keep shapes")

    def head(self, width: int, outputs: int) -> nn.Module | None:
        """See `Method.head`; what it gives is tried on two rows."""
        with self._guard(), torch.random.fork_rng(devices=[]):
            made = self.inner.head(width, outputs)
            shape = None if made is None else tuple(made(torch.zeros(2, width)).shape)
        if shape not in (None, (2, outputs)):
            raise self._broken(f"head gives {shape} for two rows", f"return (batch, {outputs})")
        return made

    def begin(self, given: Given) -> None:
        """See `Method.begin`."""
        with self._guard(), torch.random.fork_rng(devices=[]):
            self.inner.begin(given)
        if not any(p.requires_grad for p in given.model.parameters()):
            raise self._broken("begin leaves nothing that learns", "leave the head to learn")
        self._try(given)

    def _try(self, given: Given) -> None:
        """Ask the model that `begin` left for two windows: what it broke is seen before a step."""
        modes = {module: module.training for module in given.model.modules()}
        given.model.eval()
        with self._guard(), torch.no_grad():
            made = given.model(given.train.x[:2], given.train.extra[:2])
        for module, mode in modes.items():
            module.training = mode
        wanted = (len(given.train.x[:2]), given.outputs)
        if tuple(made.shape) != wanted:
            fault = f"begin leaves a model that gives {tuple(made.shape)}, not {wanted}"
            raise self._broken(fault, "keep what the head gives")
        self.refuse_nan(made.float().cpu().numpy())

    def rates(self, given: Given) -> dict[str, float]:
        """See `Method.rates`."""
        with self._guard():
            made = self.inner.rates(given)
        self._refuse_unknown("rates", made, given)
        for name, rate in made.items():
            if not (isinstance(rate, int | float | np.number) and 0 <= rate < math.inf):
                fault = f"rates gives {rate!r} for {name}"
                raise self._broken(fault, "give a finite number from 0")
        return {name: float(rate) for name, rate in made.items()}

    def thaws(self, given: Given) -> dict[str, int]:
        """See `Method.thaws`."""
        with self._guard():
            made = self.inner.thaws(given)
        self._refuse_unknown("thaws", made, given)
        for name, epoch in made.items():
            if not (isinstance(epoch, int | np.integer) and epoch >= 0):
                fault = f"thaws gives {epoch!r} for {name}"
                raise self._broken(fault, "give a whole number of epochs from 0")
        return {name: int(epoch) for name, epoch in made.items()}

    def loss(self, step: Step) -> Tensor:
        """See `Method.loss`."""
        with self._guard():
            made = self.inner.loss(step)
        if not isinstance(made, Tensor) or made.ndim or not made.requires_grad:
            shape = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise self._broken(
                f"loss gives {shape}, no scalar that the weights learn from",
                "add a mean or sum of tensors to step.plain()",
            )
        if made.device.type == "cpu" and not _finite(made):  # a GPU would wait for the number
            raise self._broken(f"loss is not finite: {made.item()}", AWAY_FROM_0)
        return made

    def after_step(self, model: Model) -> None:
        """See `Method.after_step`."""
        with self._guard(), torch.no_grad():
            self.inner.after_step(model)

    def after_epoch(self, model: Model, epoch: int) -> None:
        """See `Method.after_epoch`."""
        with self._guard(), torch.no_grad():
            self.inner.after_epoch(model, epoch)

    def finish(self, model: Model) -> None:
        """See `Method.finish`."""
        with self._guard(), torch.no_grad():
            self.inner.finish(model)

    def tensors(self) -> list[Tensor]:
        """See `Method.tensors`."""
        return self.inner.tensors()

    def refuse_nan(self, output: NDArray[np.float32]) -> None:
        """Refuse a model whose outputs are no numbers: the best class of NaN is the first."""
        if not np.isfinite(output).all():
            raise self._broken("makes outputs that are not finite (NaN)", AWAY_FROM_0)

    def _guard(self) -> Any:
        return guard.guarded(self._what, self._place)

    def _broken(self, fault: str, mend: str) -> SpecError:
        return guard.broken(self._what, self._place, fault, mend)

    def _refuse_unknown(self, hook: str, made: object, given: Given) -> None:
        known = {name for name, _ in given.model.named_parameters()}
        unknown = sorted(set(made) - known) if isinstance(made, dict) else [type(made).__name__]
        if unknown:
            raise self._broken(
                f"{hook} names {unknown[0]}, which is no parameter", "use model.named_parameters()"
            )


def unrecordable(reuse: Reuse | None) -> str:
    """Why the steps of a transfer are not to be recorded on a GPU; empty: they may be.

    A method that cannot be made fails its row where the row begins, and not here.
    """
    name = reuse.strategy.method if reuse else ""
    try:
        if not name or reuse is None or of(reuse.strategy).recordable:
            return ""
    except PluginError:
        return ""
    return f"method {name} says that its steps cannot be recorded"


def changes_checkpoint(one: Method) -> bool:
    """Whether a method overrides `finish`."""
    inner = one.inner if isinstance(one, Watched) else one
    return type(inner).finish is not Method.finish


def objective(one: Method, kind: str, *, augment: bool, moved: bool) -> Objective:
    """What a step minimises under a method; see `tsxfer.train.objectives.of_labels`."""
    if type(one) is Method:
        return of_labels(kind, augment=augment, moved=moved)

    def loss(model: Model, part: Batch, rows: Tensor, random: Chance) -> Tensor:
        assert isinstance(random, torch.Generator)  # noqa: S101  (hooks are not stacked)
        x = part.x[rows]
        x = distort.light(x, random, moved=moved) if augment else x
        return one.loss(Step(model, x, part.extra[rows], part.y[rows], random, kind))

    return loss
