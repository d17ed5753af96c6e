"""From a trial to replicas that are ready to train: data, starting weights, rates and objective."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tsxfer.core.guard import AWAY_FROM_0, broken
from tsxfer.core.models_index import REGISTRY as MODELS
from tsxfer.core.seen import Begin
from tsxfer.core.specs import OF_NORMALISATION, PROFILES, Trial
from tsxfer.core.strategy import Strategy
from tsxfer.data import matching, scale
from tsxfer.data.task import Task, load_task, prepared
from tsxfer.errors import PluginError, SpecError
from tsxfer.keys import seed, stream
from tsxfer.models import heads
from tsxfer.models.base import Model, build
from tsxfer.running import given, methods
from tsxfer.running.scoring import loss_of, score_of
from tsxfer.store.workspace import Workspace
from tsxfer.train import loop, norms, objectives, reuse, watched, weights, zero_shot
from tsxfer.train import pretext as pretexts
from tsxfer.train.batch import Batch, on_device
from tsxfer.train.method import Method
from tsxfer.train.start import begin as look
from tsxfer.train.start import rescale


@dataclass(frozen=True, slots=True)
class Begun:
    """A trial that is ready to train: one replica for each try of tuning.

    Attributes:
        trial: What is run.
        task: Its data, the test part sealed.
        start: What was taken over.
        replicas: Models with what they learn from.
        multipliers: Of each replica's rate.
        seen: What the network does with training windows before it learns.
    """

    trial: Trial
    task: Task
    start: reuse.Takeover
    replicas: list[loop.Replica]
    multipliers: tuple[float, ...]
    seen: Begin


Parts = tuple[Batch, Batch]
Uploaded = dict[tuple[object, ...], Parts]
"""Training and validation arrays on the device, by what they depend on; of one pack."""


def begin(
    trial: Trial, workspace: Workspace, device: str, uploaded: Uploaded | None = None
) -> Begun:
    """Load data and starting weights of a trial.

    Args:
        trial: What is run.
        workspace: Where data and weights are.
        device: Where it trains.
        uploaded: Arrays that other trials of the pack have there already; this one's join them.

    Raises:
        TsxferError: If data, names or ancestors are not there or do not fit.
    """
    task = load_task(workspace, trial)
    parts = _parts(trial, task, device, {} if uploaded is None else uploaded)
    multipliers = trial.recipe.tune or (trial.reuse.rate_multiplier if trial.reuse else 1.0,)
    kept = origin_weights(trial, workspace, task)
    replicas, start = [], None
    for multiplier in multipliers:
        model, start = starting(trial, task, kept)
        if _renormalised(trial, model.to(device)):
            start.audit["renormalised"] = norms.renormalise(model, parts[0].x)
        if _rescaled(trial):
            start = reuse.rescaled(model, start, rescale(model, parts[0].x))
        how, known, start = methods.begin(trial, task, model, start, kept, parts[0])
        if trial.zero_shot:
            _adopt(trial, task, model, kept, start, workspace)
        plain = loop.Replica(
            model,
            *parts,
            score_of(task, trial, model),
            order=stream("order", trial.dataset, trial.repeat),
            dropout=seed("dropout", trial.dataset, trial.model, trial.repeat),
            rates=_rates(trial, model, start, multiplier) | how.rates(known),
            thaws=start.thaws(trial.recipe.epochs) | how.thaws(known),
            objective=_objective(trial, task, model, start, how),
            method=how,
        )
        replicas.append(_for_pretraining(plain, task, trial, workspace))
    assert start is not None  # noqa: S101  (there is at least one multiplier)
    seen = _look(trial, replicas[0].model, parts[0].x)  # all tries begin alike
    return Begun(trial, task, start, replicas, multipliers, seen)


def _look(trial: Trial, model: Model, x: torch.Tensor) -> Begin:
    """What a network does before it learns; NaN of a user's, which has no rank, is named."""
    try:
        return look(model, x)
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        if not MODELS.plugin_digest(trial.model):
            raise
        raise broken(
            f"model {trial.model}",
            MODELS.place(trial.model),
            "makes features that are not finite (NaN) before any step",
            AWAY_FROM_0,
        ) from error


def data_of(trial: Trial) -> tuple[object, ...]:
    """What the arrays of a trial depend on, within a pack: those that agree in it share them."""
    return trial.dataset, trial.size, trial.repeat, trial.part, trial.profile, trial.recipe.labels


def _parts(trial: Trial, task: Task, device: str, uploaded: Uploaded) -> Parts:
    """The arrays of a trial; trials with the same subset and scaling share them."""
    key = data_of(trial)
    if key not in uploaded:
        uploaded[key] = (
            on_device(task.train, task.train_y, device),
            on_device(task.validation, task.validation_y, device),
        )
    return uploaded[key]


def origin_weights(trial: Trial, workspace: Workspace, task: Task) -> list[reuse.Weights]:
    """Weights of a trial's origins; of ``untrained``, those before its source learned."""
    if trial.reuse and trial.reuse.source.given:
        return [_given(trial, trial.reuse.source, workspace, task)]
    if trial.reuse and trial.reuse.start == "untrained":
        return [untrained(trial.reuse.source, workspace)]
    return [weights.load(workspace.weights(origin.key)) for origin in trial.origins]


def _given(trial: Trial, origin: Trial, workspace: Workspace, task: Task) -> reuse.Weights:
    """Weights that were made elsewhere, or a network like theirs before it learned."""
    model = fresh(trial, task.train, task.outputs)
    found = given.weights_for(origin, model, workspace)
    if trial.reuse and trial.reuse.start == "untrained":
        return given.untrained(origin, found, model, task.train.x.shape[2])
    return found.weights


def untrained(source: Trial, workspace: Workspace) -> reuse.Weights:
    """What a source's network held at its first step; its head is none of it.

    Args:
        source: A pretraining.
        workspace: Where its data lies, whose channels and window the network has.
    """
    card, profile = prepared(workspace, source.dataset).card, PROFILES[source.profile]
    channels = len(scale.channels_for(card, profile))
    return reuse.tensors(_built(source, channels, card.length, 0, 1))


def starting(
    trial: Trial, task: Task, kept: Sequence[reuse.Weights]
) -> tuple[Model, reuse.Takeover]:
    """A model with the weights that it starts from; the head's depend on data and repeat only.

    Args:
        trial: What is run.
        task: Its data.
        kept: Weights of its origins.
    """
    model, how = fresh(trial, task.train, task.outputs), trial.reuse
    if trial.after:
        return model, reuse.take_over(model, kept[0], strategy=Strategy(channels=trial.fitting))
    if how is None:
        return model, reuse.scratch(model)
    source = reuse.started(reuse.averaged(kept), how.start, how.source.key, trial.repeat)
    one = watched.of(how.strategy)
    try:
        return model, reuse.take_over(
            model,
            one.start(source),
            strategy=watched.parts_of(how.strategy, one),
            seed=seed("low rank", trial.dataset, trial.model, trial.repeat),
        )
    except SpecError as error:
        if isinstance(error, PluginError) or not isinstance(one, watched.Watched):
            raise
        raise one.accused(error) from error


def as_source(begun: Begun, workspace: Workspace) -> tuple[Model, int]:
    """The source of a transfer as it was, for windows of the target's length; and its channels.

    What the transfer did not copy is as fresh as it was there.
    """
    how, (own, length) = begun.trial.reuse, begun.task.train.x.shape[1:]
    assert how is not None  # noqa: S101  (asked of transfers alone)
    kept = reuse.averaged(origin_weights(begun.trial, workspace, begun.task))
    source = reuse.started(kept, how.start, how.source.key, begun.trial.repeat)
    names = reuse.transferred(begun.replicas[0].model)
    kernels = [source[n] for n in names if n in source and source[n].ndim == 3]
    channels = kernels[0].shape[1] if kernels else own  # the first of them reads the window
    model = _built(how.source, channels, length, 0, 1)
    plain = Strategy(copied=how.strategy.copied, blocks=how.strategy.blocks)
    reuse.take_over(model, source, strategy=plain)
    return model, channels


def _adopt(
    trial: Trial,
    task: Task,
    model: Model,
    kept: Sequence[reuse.Weights],
    start: reuse.Takeover,
    workspace: Workspace,
) -> None:
    """The head of a zero-shot answer: the source's, its classes in the target's order."""
    assert trial.reuse is not None  # noqa: S101  (only a transfer is zero-shot)
    source, held = trial.reuse.source, prepared(workspace, trial.reuse.source.dataset)
    classes = matching.renamed(trial.reuse.strategy, source.dataset, trial.dataset)
    places = matching.places(held, task.prepared, classes)
    learned = len(held.classes)
    usual = "dense" if model.backbone.hidden_layer else "linear"
    with torch.random.fork_rng(devices=[]):  # its first weights are overwritten
        head = heads.make(source.recipe.head or usual, model.width, learned)
    zero_shot.adopt(model, head, reuse.averaged(kept), start, places)


def _renormalised(trial: Trial, model: Model) -> bool:
    """Statistics are the target's: the strategy says so, or nothing else gave random layers any."""
    if trial.reuse:
        return watched.parts_of(trial.reuse.strategy).renormalised
    if trial.baseline in OF_NORMALISATION:
        return True
    return trial.baseline == "random_convolutions" and bool(norms.layers(model))


def _rescaled(trial: Trial) -> bool:
    return trial.baseline == "rescaled" or bool(trial.reuse and trial.reuse.strategy.rescaled)


def fresh(trial: Trial, windows: scale.Scaled, outputs: int) -> Model:
    """The model of a trial with new weights; without labels, its head is that of the objective.

    Args:
        trial: Names the model and what its weights depend on.
        windows: Of the shape that it will read.
        outputs: Classes, or 1 for regression.
    """
    channels, length = windows.x.shape[1:]
    model = _built(trial, channels, length, windows.extra.shape[1], outputs)
    if trial.recipe.objective != "labels":
        method = pretexts.of(trial.recipe.objective, channels, length)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed("head", trial.dataset, trial.model, trial.repeat))
            model.head = method.head(model.backbone.features + windows.extra.shape[1])
    return model


def _built(trial: Trial, channels: int, length: int, extra: int, outputs: int) -> Model:
    """A network for windows of a shape; its weights depend on data set, model and repeat."""
    return build(
        trial.model,
        channels=channels,
        length=length,
        extra=extra,
        outputs=outputs,
        seed=seed("weights", trial.dataset, trial.model, trial.repeat),
        as_in_study=PROFILES[trial.profile].as_in_study,
        apart=trial.reuse is not None and trial.reuse.strategy.channels == "independent",
        head=trial.recipe.head,
    )


def _rates(
    trial: Trial, model: Model, start: reuse.Takeover, multiplier: float
) -> dict[str, float]:
    if trial.reuse:
        return start.rates(multiplier)
    every = trial.baseline == "strong"  # scratch has nothing to spare, so all of it is tuned
    names = [n for n, _ in model.named_parameters()] if every else reuse.transferred(model)
    return dict.fromkeys(names, multiplier) if multiplier != 1 else {}


def _objective(
    trial: Trial, task: Task, model: Model, start: reuse.Takeover, how: Method
) -> objectives.Objective:
    recipe = trial.recipe
    if recipe.objective != "labels":
        return pretexts.of(recipe.objective, *task.train.x.shape[1:]).objective()
    moved = not task.prepared.card.label_like_input
    augment = recipe.augment == "light"
    plain = objectives.of_labels(recipe.loss, augment=augment, moved=moved)
    if isinstance(how, watched.Watched):
        plain = watched.objective(how, recipe.loss, augment=augment, moved=moved)
    anchor = start.strategy.anchor
    return objectives.anchored(plain, model, start.audit["copied"], anchor) if anchor else plain


def pretext(trial: Trial, part: Batch, name: str) -> tuple[Batch, loop.Score, float]:
    """Pretext task of a part: its input, its score function, and a trivial prediction's score."""
    method = pretexts.of(trial.recipe.objective, *part.x.shape[1:])
    return method.pretext(part, seed(name, trial.dataset, trial.repeat))


def _for_pretraining(
    replica: loop.Replica, task: Task, trial: Trial, workspace: Workspace
) -> loop.Replica:
    """The replica with what pretraining without labels, or on several data sets, needs beside."""
    if trial.recipe.objective != "labels":
        asked, score, _ = pretext(trial, replica.validation, "validation")
        return replace(replica, validation=asked, score=score)
    return _pooled(replica, task, trial, workspace) if trial.pool else replica


def _pooled(replica: loop.Replica, own: Task, trial: Trial, workspace: Workspace) -> loop.Replica:
    """Other data sets beside the first, each with a model that shares what transfer copies.

    A layer whose shape differs (the first, where channel counts differ) stays each one's own.
    Checkpoints are chosen on the mean validation loss of all.
    """
    device = str(replica.train.x.device)
    alone = [replace(trial, dataset=name, pool=()) for name in trial.pool]
    tasks = [load_task(workspace, one) for one in alone]
    others = [fresh(one, task.train, task.outputs) for one, task in zip(alone, tasks, strict=True)]
    for other in others:
        _share(replica.model, other.to(device))
    replica.model.pooled = nn.ModuleList(others)
    learned = [on_device(task.train, task.train_y, device) for task in tasks]
    held = [on_device(task.validation, task.validation_y, device) for task in tasks]

    def score(output: NDArray[np.float32]) -> tuple[float, float]:
        losses = [loss_of(own, output)]
        for other, task, part in zip(others, tasks, held, strict=True):
            found = loop.predict(other, part.x, part.extra, precision=trial.recipe.precision)
            losses.append(loss_of(task, found))
        return -float(np.mean(losses)), replica.score(output)[1]

    pairs = list(zip(others, learned, strict=True))
    objective = objectives.pooled(replica.objective, pairs, trial.recipe.batch)
    return replace(replica, score=score, objective=objective)


def _share(first: Model, other: Model) -> None:
    """Make the transferred parameters of `other` those of `first`, where shapes are the same."""
    held = dict(first.named_parameters())
    for name in reuse.transferred(other):
        parent, _, leaf = name.rpartition(".")
        if held[name].shape == other.get_parameter(name).shape:
            setattr(other.get_submodule(parent), leaf, held[name])
