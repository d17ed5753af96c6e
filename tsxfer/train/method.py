"""What a method of fine-tuning may do: parts that it names, and hooks that do nothing unasked.

A method sees the model, the source's weights and training windows; never validation or test data.
It lives for one training, so that what it keeps between steps may lie in its attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor, nn

from tsxfer.core import guard
from tsxfer.core.strategy import Strategy
from tsxfer.errors import SpecError
from tsxfer.models.base import Model
from tsxfer.train.batch import Batch
from tsxfer.train.objectives import task_loss

Made = TypeVar("Made", bound=type["Method"])
guard.watch("PyTorch's", lambda: torch.random.get_rng_state().numpy().tobytes())


@dataclass(frozen=True, slots=True)
class Given:
    """What a method may know before the first step.

    Attributes:
        model: On the device, with what was copied; `begin` may change it in place.
        source: The source's weights by name, in its own shapes, its head among them.
        copied: Names of the tensors of `model` that were copied.
        train: Training windows ``(n, channel, time)``, what stands beside them, and labels.
        random: Random stream of the method's own.
        epochs: Most passes over the training windows.
        outputs: Classes, or 1 for numbers.
    """

    model: Model
    source: Mapping[str, Tensor]
    copied: tuple[str, ...]
    train: Batch
    random: torch.Generator
    epochs: int
    outputs: int


@dataclass(slots=True)
class Step:
    """One batch, and what the model makes of it; each is computed once, when it is asked for.

    Attributes:
        model: As it is now.
        x: Windows ``(batch, channel, time)``.
        extra: Numbers beside them ``(batch, 0 or 1)``.
        y: ``(batch,)`` class codes (int64), or numbers as they are learned (float32).
        random: The training's own random stream, on the device.
        kind: Of loss, see `tsxfer.train.objectives.task_loss`.
    """

    model: Model
    x: Tensor
    extra: Tensor
    y: Tensor
    random: torch.Generator
    kind: str = "task"
    held: dict[str, Tensor] = field(default_factory=dict)

    @property
    def features(self) -> Tensor:
        """What the backbone gives: ``(batch, feature)``."""
        if "features" not in self.held:
            self.held["features"] = self.model.features(self.x)
        return self.held["features"]

    @property
    def output(self) -> Tensor:
        """What the head gives: ``(batch, outputs)``, float32."""
        if "output" not in self.held:
            joined = torch.cat([self.features, self.extra], dim=1)
            self.held["output"] = self.model.head(joined).float()
        return self.held["output"]

    def plain(self, y: Tensor | None = None) -> Tensor:
        """The loss that is minimised without a method, on these labels or on the batch's own."""
        return task_loss(self.output, self.y if y is None else y, self.kind)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers drawn from [0, 1), on the device."""
        return torch.empty(*shape, device=self.x.device).uniform_(generator=self.random)


class Method:
    """A way of fine-tuning; what is not overridden is as in the study.

    Attributes:
        recordable: Steps may be recorded as a CUDA graph: `loss` and `after_step` read no number
            back to the host, choose no branch by data, and change the method's tensors in place.
            False: packs take their steps in turns, and rows say so.
        parts: What is copied and how it learns, as the decorator says.
    """

    recordable: ClassVar[bool] = True
    parts: ClassVar[Strategy] = Strategy()

    def start(self, source: dict[str, Tensor]) -> dict[str, Tensor]:
        """What is fitted and copied, made from the source's weights."""
        return source

    def head(self, width: int, outputs: int) -> nn.Module | None:
        """A head ``(batch, width) -> (batch, outputs)``; None: the usual one."""

    def begin(self, given: Given) -> None:
        """Look at what is given, and change the model in place; a frozen one needs no gradient."""

    def rates(self, given: Given) -> dict[str, float]:  # noqa: ARG002  (for those that override)
        """Rates of parameters relative to the recipe's, by name, where parts say no other."""
        return {}

    def thaws(self, given: Given) -> dict[str, int]:  # noqa: ARG002  (for those that override)
        """Epochs from which parameters learn, by name; `begin` leaves those to learn."""
        return {}

    def loss(self, step: Step) -> Tensor:
        """What a step minimises, a scalar."""
        return step.plain()

    def after_step(self, model: Model) -> None:
        """After the optimiser's step."""

    def after_epoch(self, model: Model, epoch: int) -> None:
        """After an epoch, counted from 1, before it is judged on validation."""

    def finish(self, model: Model) -> None:
        """Change the chosen checkpoint, once, before it is tested; it is validated again."""

    def tensors(self) -> list[Tensor]:
        """All tensors that it keeps in its attributes: a recording sets them back."""
        return [one for value in vars(self).values() for one in _tensors(value)]


def _tensors(value: object) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, nn.Module):
        yield from (*value.parameters(), *value.buffers())
    elif isinstance(value, list | tuple | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _tensors(one)


def method(name: str = "", **parts: Any) -> Callable[[Made], Made]:
    """Register a class as a method of fine-tuning.

    Args:
        name: Of the method, where it is not that of the class in small letters.
        **parts: Fields of `tsxfer.core.strategy.Strategy`: ``copied="backbone"``,
            ``learn="frozen"``, ``rate_decay=0.7``; what is left out is as in the study.
    """
    if {"channels", "rescaled", "method"} & parts.keys() or (
        parts.get("learn") in ("probe", "zero_shot") and name != parts["learn"]
    ):
        said = ", ".join(f"{n}={v!r}" for n, v in parts.items())
        raise SpecError(
            f"@method({said}) says what --strategy NAME+PART says",
            mend="leave channels and rescaled to --strategy NAME+PART; probe and zero_shot "
            "take no steps",
        )

    def register(kind: Made) -> Made:
        kind.parts = Strategy(**parts)
        return kind

    return register
