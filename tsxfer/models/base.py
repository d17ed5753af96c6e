"""What every architecture is: a backbone from windows to features; the head comes from the task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from tsxfer.core.models_index import REGISTRY
from tsxfer.errors import SpecError
from tsxfer.models import heads


class Backbone(nn.Module, ABC):
    """Maps windows ``(batch, channel, time)`` to features ``(batch, feature)``.

    A subclass is built as ``Subclass(channels, length)`` and is final.

    Attributes:
        transferred: Prefixes of the parameter names that `reuse` copies.
        kernel_l2: Weight of the sum of squared convolution kernels in the loss.
        hidden_layer: The head has one dense ReLU layer as wide as its input.
        dropout_in_study: The study left dropout on at prediction; the paper profile does too.
        features: Width of the output.
    """

    transferred: ClassVar[tuple[str, ...]]
    kernel_l2: ClassVar[float] = 0.0
    hidden_layer: ClassVar[bool] = False
    dropout_in_study: ClassVar[bool] = False
    features: int

    def start_as_in_study(self) -> None:
        """Draw the initial weights as the study did, where that differs (paper profile)."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Windows ``(batch, channel, time)`` to features ``(batch, feature)``."""


class Model(nn.Module):
    """A backbone and its head; `extra` numbers (the amplitude) join before the head.

    Args:
        backbone: Of all channels, or of one where `apart` says so.
        extra: Numbers beside the window.
        outputs: Classes, or 1 for regression.
        apart: Channels that pass the backbone one by one, their features joined; 0: all at once.
        head: Name of a head (`tsxfer.models.heads`); "": the backbone's usual one.
    """

    def __init__(
        self, backbone: Backbone, extra: int, outputs: int, apart: int = 0, head: str = ""
    ) -> None:
        super().__init__()
        self.backbone, self.apart = backbone, apart
        self.width = backbone.features * max(1, apart) + extra
        usual = "dense" if backbone.hidden_layer else "linear"
        self.head: nn.Module = heads.make(head or usual, self.width, outputs)

    def forward(self, x: Tensor, extra: Tensor) -> Tensor:
        """``(batch, channel, time)`` and ``(batch, extra)`` to ``(batch, outputs)``."""
        outputs: Tensor = self.head(torch.cat([self.features(x), extra], dim=1))
        return outputs

    def features(self, x: Tensor) -> Tensor:
        """``(batch, channel, time)`` to what the head reads of them: ``(batch, feature)``."""
        if not self.apart:
            together: Tensor = self.backbone(x)
            return together
        alone: Tensor = self.backbone(x.reshape(-1, 1, x.shape[2]))
        return alone.reshape(-1, self.apart * self.backbone.features)

    def penalty(self) -> Tensor:
        """Kernel penalty that is added to the loss."""
        kernels = [self._kernel(n, p) for n, p in self.backbone.named_parameters() if p.ndim == 3]
        return self.backbone.kernel_l2 * torch.stack([k.square().sum() for k in kernels]).sum()

    def _kernel(self, name: str, parameter: Tensor) -> Tensor:
        """A kernel as the layer uses it: with the product that learns beside it, where one does."""
        layer, inside, _ = name.partition(".parametrizations.weight.original")
        if not inside:
            return parameter
        whole: Tensor = getattr(self.backbone.get_submodule(layer), "weight")  # noqa: B009
        return whole


def build(
    name: str,
    *,
    channels: int,
    length: int,
    extra: int,
    outputs: int,
    seed: int,
    as_in_study: bool = False,
    apart: bool = False,
    head: str = "",
) -> Model:
    """A freshly initialised model; the same seed gives the same weights, whatever else was drawn.

    Args:
        name: Registered backbone.
        channels: Input channels.
        length: Samples of a window.
        extra: Numbers beside the window, 0 or 1.
        outputs: Classes, or 1 for regression.
        seed: Of the initial weights.
        as_in_study: Start as the study did where the original architecture starts otherwise.
        apart: Each channel passes a backbone of one channel, and features are joined.
        head: Name of a head; "": the backbone's usual one.

    Raises:
        SpecError: If the name is unknown or the file holds no backbone.
    """
    loaded = REGISTRY.load(name)
    kind = loaded if isinstance(loaded, type) else backbone_in(vars(loaded), name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = kind(1 if apart else channels, length)
        model = Model(backbone, extra, outputs, channels if apart else 0, head)
        if as_in_study:
            model.backbone.start_as_in_study()
        return model


def backbone_in(names: dict[str, object], name: str) -> type[Backbone]:
    """The one backbone of a module.

    Raises:
        SpecError: If there is none, or several.
    """
    kinds = [
        v
        for v in names.values()
        if isinstance(v, type) and issubclass(v, Backbone) and v is not Backbone
    ]
    if len(kinds) != 1:
        raise SpecError(
            f"model {name} defines {len(kinds)} backbones", mend="define one Backbone a file"
        )
    return kinds[0]
