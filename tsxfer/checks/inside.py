"""Train a transfer and its scratch twin again, and look at their layers.

Weights of fine-tuned networks are not kept, so the networks are made once more, as `reproduce`
makes them; how far the validation curves lie from those of the rows says whether they are the same.
The test part stays sealed.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tsxfer.checks.found import other
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.errors import DataError, SpecError, StoreError
from tsxfer.models.base import Model
from tsxfer.running.fingerprints import fingerprints
from tsxfer.running.runner import no_subnormals, rules
from tsxfer.running.setup import Begun, as_source, begin
from tsxfer.stats.why import Layer, Why
from tsxfer.store.checkpoints import holds
from tsxfer.store.workspace import Workspace
from tsxfer.train import loop, low_rank, reuse
from tsxfer.train.similarity import Grams, alike, grams, travel
from tsxfer.train.start import windows


@dataclass(frozen=True, slots=True)
class Trained:
    """A network before and after training, and what its layers make of training windows.

    Attributes:
        begun: What it was trained from.
        start: Inner products by layer, before.
        end: After, at the checkpoint that was kept.
        weights: Tensors before and after.
        distance: Largest distance of the validation curve from the row's.
    """

    begun: Begun
    start: Grams
    end: Grams
    weights: tuple[reuse.Weights, reuse.Weights]
    distance: float


def look_inside(transfer: Result, scratch: Result, workspace: Workspace, device: str) -> Why:
    """Layer by layer, what a transfer took over, kept and changed.

    Args:
        transfer: Row of a transfer.
        scratch: Row of its twin.
        workspace: Where data and weights of the source lie; nothing is written to it.
        device: To train on.

    Raises:
        DataError: If the data prepared now is not that of the rows.
        SpecError: If the row is of no transfer that takes steps.
        StoreError: If the source's weights are not there.
    """
    _refuse(transfer, workspace)
    torch.set_num_threads(int(transfer.environment.get("threads", "1")))
    with no_subnormals():
        mine, twin = (_trained(row, workspace, device) for row in (transfer, scratch))
        x = windows(mine.begun.replicas[0].train.x)
        network, channels = as_source(mine.begun, workspace)
        source = grams(network.to(x.device), _in_channels(x, channels))
    unit = transfer.margin or 1.0
    return Why(
        key=transfer.key,
        twin=scratch.key,
        scores=(scratch.scores[scratch.metric], transfer.scores[transfer.metric]),
        repeat=transfer.trial.repeat,
        windows=len(x),
        distance=round(max(mine.distance, twin.distance) / unit, 6),
        layers=tuple(_layers(mine, twin, source)),
    )


def _refuse(row: Result, workspace: Workspace) -> None:
    trial = row.trial
    if trial.reuse is None or trial.closed_form:
        what = "takes no steps" if trial.reuse else "is no transfer"
        raise SpecError(
            f"row {row.key} {what}: there is nothing to look into",
            mend="give the key of a transfer that is fine-tuned; `tsxfer report STUDY --format "
            "csv` lists them under transfer_keys",
        )
    now = fingerprints(workspace, trial)
    if now != row.data:
        name = next(n for n in {**now, **row.data} if now.get(n) != row.data.get(n))
        raise other(name, now.get(name), row, "STUDY", workspace)
    _refuse_lost(trial, row.key, workspace)


def _refuse_lost(trial: Trial, key: str, workspace: Workspace) -> None:
    """Sources that were trained here must have their weights, unless none of them is used."""
    untrained = trial.reuse is not None and trial.reuse.start == "untrained"
    for origin in () if untrained else trial.origins:
        if not origin.given and not holds(
            workspace.weights(origin.key), fingerprints(workspace, origin)
        ):
            raise StoreError(
                f"the weights of {origin.dataset} that row {key} starts from are not there",
                where=str(workspace.weights(origin.key)),
                mend="run the study again: it trains sources whose weights are gone",
            )


def _trained(row: Result, workspace: Workspace, device: str) -> Trained:
    begun = begin(row.trial, workspace, device)
    few = windows(begun.replicas[0].train.x)
    start = grams(begun.replicas[0].model, few)
    before = [_tensors(replica.model) for replica in begun.replicas]
    fits = loop.fit(begun.replicas, rules(row.trial))
    whole = [i for i, fit in enumerate(fits) if not fit.diverged]
    if not whole:
        raise DataError(f"row {row.key} diverges when it is trained again", mend="try --device cpu")
    best = max(whole, key=lambda i: fits[i].monitor[fits[i].best])
    model = begun.replicas[best].model
    low_rank.merge(model)
    return Trained(
        begun=begun,
        start=start,
        end=grams(model, few),
        weights=(before[best], _tensors(model)),
        distance=_distance(row, fits[best]),
    )


def _tensors(model: Model) -> reuse.Weights:
    """As a network computes with them: a kernel with the product that learns beside it."""
    merged = copy.deepcopy(model)
    low_rank.merge(merged)
    return {name: t.detach().cpu() for name, t in reuse.tensors(merged).items()}


def _distance(row: Result, fit: loop.Fit) -> float:
    """Largest distance of the curves; of one that ended elsewhere, the largest score."""
    then, now = row.curve["score"], [round(value, 6) for value in fit.metric]
    if len(then) != len(now):
        return float(max([abs(a) for a in (*then, *now)]))
    return max(abs(a - b) for a, b in zip(then, now, strict=True))


def _in_channels(x: Tensor, channels: int) -> Tensor:
    """Windows for a source of so many channels: their mean on each, where those are others."""
    return x if channels == x.shape[1] else x.mean(dim=1, keepdim=True).repeat(1, channels, 1)


def _layers(mine: Trained, twin: Trained, source: Grams) -> Sequence[Layer]:
    names = [name for name in mine.start if name in twin.start]
    copied = mine.begun.start.audit["copied"]
    blocks = reuse.blocks(reuse.transferred(mine.begun.replicas[0].model))

    def layer(name: str) -> Layer:
        ahead = f"backbone.{name}."
        taken = any(tensor.startswith(ahead) for tensor in copied)
        known = source.get(name) if taken else None
        return Layer(
            name=name,
            block=next((i for i, b in enumerate(blocks, 1) if _holds_any(b, ahead)), 0),
            copied=taken,
            source_start=None if known is None else _short(alike(known, mine.start[name])),
            start_end=_short(alike(mine.start[name], mine.end[name])),
            source_end=None if known is None else _short(alike(known, mine.end[name])),
            scratch=_short(alike(twin.start[name], twin.end[name])),
            ends=_short(alike(mine.end[name], twin.end[name])),
            travel=_short(travel(*mine.weights, name)),
            scratch_travel=_short(travel(*twin.weights, name)),
        )

    return [layer(name) for name in names]


def _holds_any(names: Sequence[str], ahead: str) -> bool:
    return any(low_rank.plain_name(name).startswith(ahead) for name in names)


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
