"""What a model takes over from a source: copied, renewed and frozen tensors, audited."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from tsxfer.core.specs import Start
from tsxfer.core.strategy import Strategy
from tsxfer.errors import SpecError
from tsxfer.keys import stream
from tsxfer.models.base import Model
from tsxfer.train import channels, low_rank

Weights = dict[str, Tensor]
Audit = dict[str, list[str]]
_NUMBER = re.compile(
    r"(\d+)\."
)  # the block of layers in a name: `blocks.2.norm.weight`, `conv1.bias`


def transferred(model: Model) -> list[str]:
    """Names of the parameters that transfer copies."""
    prefixes = tuple(f"backbone.{prefix}" for prefix in model.backbone.transferred)
    return [name for name, _ in model.named_parameters() if name.startswith(prefixes)]


def blocks(names: Sequence[str]) -> list[list[str]]:
    """Names by block of layers, first block first: the first number in a name counts blocks.

    What has no number is the first block where it stands before all that have one (a stem, an
    embedding of patches), and else the last (an LSTM beside or behind the convolutions).
    """
    found: dict[float, list[str]] = {}
    for name in names:
        number = _NUMBER.search(name)
        unnumbered = float("inf") if any(map(math.isfinite, found)) else -float("inf")
        found.setdefault(float(number[1]) if number else unnumbered, []).append(name)
    return [found[number] for number in sorted(found)]


def tensors(model: Model) -> Weights:
    """Parameters and floating-point buffers (statistics of normalisation layers), by name."""
    held = dict(model.named_parameters()) | dict(model.named_buffers())
    return {name: tensor for name, tensor in held.items() if tensor.is_floating_point()}


def chosen(model: Model, source: Weights, strategy: Strategy) -> list[list[str]]:
    """Tensors that a strategy copies, by block of layers.

    Raises:
        SpecError: If the model has fewer blocks than the strategy names.
    """
    names = transferred(model)
    if strategy.copied == "backbone":
        wanted = {n: t for n, t in tensors(model).items() if n.startswith("backbone.")}
        names = [n for n, t in wanted.items() if n in names or _fits(source.get(n), t)]
    if strategy.channels == "fresh":
        names = _without_first(model, source, names)
    found = blocks(names)
    if strategy.blocks > len(found):
        raise SpecError(
            f"{strategy.words} asks for {strategy.blocks} blocks of layers, "
            f"the model has {len(found)}",
            mend=f"use first_1 to first_{len(found)}",
        )
    return found[: strategy.blocks or None]


def _without_first(model: Model, source: Weights, names: list[str]) -> list[str]:
    """Names but those of layers that read channels, where source and target differ in them.

    Raises:
        SpecError: If nothing is left.
    """
    own = tensors(model)
    first = {_layer(n) for n in names if channels.differs(source.get(n), own[n])}
    left = [n for n in names if _layer(n) not in first]
    if not left:
        raise SpecError(
            "channels = 'fresh' leaves the first layer out, and the model has no other to copy",
            mend="choose repeat, divided or spread",
        )
    return left


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _fits(given: Tensor | None, wanted: Tensor) -> bool:
    return given is not None and given.shape == wanted.shape


def started(source: Weights, start: Start, *names: str | int) -> Weights:
    """What is fitted and copied: the source's tensors, or a placebo of the same scale.

    Placebos are made of the tensors as the source has them. What fitting makes of them (all
    channels read alike, say) then holds for the placebo too.

    Args:
        source: Weights.
        start: ``weights``, ``untrained``: as they are; ``permuted``: the same values in another
            order, tensor by tensor; ``moments``: normal values with each tensor's mean and
            standard deviation.
        names: Of the random stream: what a placebo may depend on.
    """
    if start in ("weights", "untrained"):
        return source
    placebo = _permuted if start == "permuted" else _moments
    return {
        name: placebo(tensor, stream(start, *names, name))
        for name, tensor in source.items()
        if name.startswith("backbone.")
    }


def _permuted(tensor: Tensor, draw: np.random.Generator) -> Tensor:
    order = torch.from_numpy(draw.permutation(tensor.numel()))
    return tensor.reshape(-1)[order].reshape(tensor.shape)


def _moments(tensor: Tensor, draw: np.random.Generator) -> Tensor:
    """Normal values, shifted and scaled to the very moments; equal values stay what they are."""
    values = draw.normal(size=tuple(tensor.shape))
    drawn = torch.from_numpy((values - values.mean()) / (values.std() or 1.0))
    exact = tensor.double()
    return (drawn * exact.std(correction=0) + exact.mean()).to(tensor.dtype)


def averaged(several: Sequence[Weights]) -> Weights:
    """The mean of several weights by tensor; what fits in one of them only stays the first's."""
    first = several[0]
    out = dict(first)
    for name, tensor in first.items():
        if all(_fits(other.get(name), tensor) for other in several):
            out[name] = torch.stack([other[name] for other in several]).mean(dim=0)
    return out


@dataclass(frozen=True, slots=True)
class Takeover:
    """A model that has taken weights over, and how it goes on from there.

    Attributes:
        audit: Names of tensors: ``copied``, ``renewed``, ``frozen``; where a strategy asks for it
            also ``low_rank`` (kernels with a learned product beside them), ``renormalised``,
            ``rescaled``, and the name of the way in which kernels were fitted to other channels.
        source: Copied tensors as they began: fitted, and rescaled where the strategy says so.
        layers: Copied tensors by block of layers.
        strategy: How they learn.
    """

    audit: Audit
    source: Weights = field(default_factory=dict)
    layers: tuple[tuple[str, ...], ...] = ()
    strategy: Strategy = field(default_factory=Strategy)

    def rates(self, multiplier: float) -> dict[str, float]:
        """Rates of copied tensors relative to the others; without those that learn at full rate."""
        steps = len(self.layers)
        found = {
            name: multiplier * self.strategy.rate_decay ** (steps - block)
            for block, names in enumerate(self.layers)
            for name in names
        }
        return {name: rate for name, rate in found.items() if rate != 1}

    def thaws(self, epochs: int) -> dict[str, int]:
        """The epoch from which a copied tensor learns, where that is not the first.

        Stages are shorter where so many do not fit: all learn in the last third of `epochs`.
        """
        steps, stage, latest = len(self.layers), self.strategy.stage, epochs * 2 // 3
        if self.strategy.learn == "head_first":
            return {name: min(stage, latest) for names in self.layers for name in names}
        if self.strategy.learn == "gradual":
            shrink = min(1.0, latest / (stage * steps))
            at = [int(shrink * stage * (steps - block)) for block in range(steps)]
            return {name: at[block] for block, names in enumerate(self.layers) for name in names}
        return {}


def scratch(model: Model) -> Takeover:
    """Nothing was taken over."""
    names = [name for name, _ in model.named_parameters()]
    return Takeover({"copied": [], "renewed": names, "frozen": []})


def take_over(
    model: Model,
    source: Weights,
    *,
    strategy: Strategy | None = None,
    seed: int = 0,
) -> Takeover:
    """Copy what the strategy names into `model`, and keep training off what is to stay.

    A kernel whose input width differs (the first layer, where channel counts differ) is fitted as
    the strategy says, see `tsxfer.train.channels`. Everything else keeps its fresh weights.

    Args:
        model: Freshly built; changed in place.
        source: Trained weights, or a placebo of them.
        strategy: What is copied, and how it learns; the study's where None.
        seed: Of the matrices of ``low_rank``.

    Raises:
        SpecError: If a tensor is missing or cannot be fitted, or the strategy does not fit the
            model.
    """
    strategy = strategy or Strategy()
    layers = chosen(model, source, strategy)
    copied = [name for names in layers for name in names]
    own, way = tensors(model), strategy.channels
    fitted = {n: channels.fitted(n, source.get(n), own[n], way).clone() for n in copied}
    with torch.no_grad():
        for name in copied:
            own[name].copy_(fitted[name])
    parameters = dict(model.named_parameters())
    audit: Audit = {
        "copied": copied,
        "renewed": [name for name in parameters if name not in copied],
        "frozen": copied if strategy.still else [],
    }
    for name, parameter in parameters.items():
        parameter.requires_grad_(name not in audit["frozen"])
    if strategy.learn == "low_rank":
        audit["low_rank"] = low_rank.add(model, copied, strategy.rank, seed)
    changed = [name for name in copied if channels.differs(source.get(name), own[name])]
    if changed:
        audit[way] = changed
    return Takeover(audit, fitted, tuple(map(tuple, layers)), strategy)


def rescaled(model: Model, start: Takeover, names: list[str]) -> Takeover:
    """What was taken over once the kernels of these names were scaled: frozen ones stay so."""
    now = {low_rank.plain_name(name): t for name, t in tensors(model).items()}
    plain = [low_rank.plain_name(name) for name in names]
    held = {n: now[n].detach().clone() if n in plain else t for n, t in start.source.items()}
    return replace(start, audit={**start.audit, "rescaled": plain}, source=held)


def frozen_by_method(model: Model, start: Takeover, late: Collection[str]) -> Takeover:
    """What was taken over once a method has changed the model: what needs no gradient is frozen.

    Args:
        model: As the method left it.
        start: What was taken over before.
        late: Parameters that learn from a later epoch on.
    """
    now = {low_rank.plain_name(name): t for name, t in tensors(model).items()}
    names = [low_rank.plain_name(n) for n, _ in model.named_parameters()]
    still = [n for n in start.audit["copied"] if n in now and not now[n].requires_grad]
    # Statistics of layers need no gradient, and move all the same.
    copied = [n for n in still if n in names and n not in late]
    audit = {
        **start.audit,
        "frozen": list(dict.fromkeys((*start.audit["frozen"], *copied))),
        "renewed": [n for n in names if n not in start.audit["copied"]],
    }
    held = {n: now[n].detach().clone() for n in start.source if n in now}
    return replace(start, audit=audit, source=held)


def check_frozen(model: Model, start: Takeover) -> None:
    """Demand that frozen tensors still hold the source's bits.

    Statistics that were taken from the target are the target's.

    Raises:
        SpecError: If one moved; that is a fault of tsxfer, never of the user.
    """
    state = {low_rank.plain_name(name): t.cpu() for name, t in tensors(model).items()}
    names = [n for n in start.audit["frozen"] if n not in start.audit.get("renormalised", [])]
    moved = [n for n in names if not torch.equal(state[n], start.source[n].cpu())]
    if moved:
        raise SpecError(f"frozen tensors changed while training: {', '.join(moved)}")
