"""Weights that were made elsewhere, fitted to the names of a trial's model."""

from __future__ import annotations

from collections.abc import Sequence

from tsxfer.core.models_index import model_names
from tsxfer.core.specs import PROFILES, Reuse, Trial
from tsxfer.data import catalogue, scale
from tsxfer.errors import SpecError, StoreError
from tsxfer.keys import seed
from tsxfer.models.base import Model, build
from tsxfer.store import given
from tsxfer.store.checkpoints import digest
from tsxfer.store.workspace import Workspace
from tsxfer.train import channels, reuse, weights
from tsxfer.train.mapping import Mapping, complete, mapped
from tsxfer.train.rehearsal import stand_in

AGAIN = "name the file, address or zoo:NAME itself as the source: it is brought in again"


def weights_for(origin: Trial, model: Model, workspace: Workspace) -> Mapping:
    """Weights of an origin under the names of a model.

    Raises:
        TsxferError: If they are not there, were changed, or do not fit.
    """
    card = given.read(origin.dataset, workspace)
    if card.model and card.model != origin.model:
        raise SpecError(
            f"{card.name} was trained as {card.model}, not as {origin.model}",
            mend=f"use the model {card.model}",
        )
    held = _held(origin, card, workspace)
    try:
        return mapped(held, model)
    except SpecError as error:
        fits = [f"--model {name}" for name in _models_of(held)]
        raise SpecError(
            f"{card.name} as {origin.model}: {error.problem}",
            mend=f"they fit {' or '.join(fits)}" if fits else error.mend,
        ) from None


def _models_of(held: reuse.Weights) -> list[str]:
    """Models all of whose copied layers are in a file; one that cannot be built is passed over."""
    found = []
    for name in model_names():
        try:
            model = stand_in(name, channels=1, outputs=1)
            complete(mapped(held, model), reuse.transferred(model), model)
        except Exception:  # noqa: S112  (a model of a user's may fail in any way)
            continue
        found.append(name)
    return found


def _held(origin: Trial, card: given.Given, workspace: Workspace) -> reuse.Weights:
    path = given.weights_of(workspace, origin)
    if path.stem not in card.files:
        raise SpecError(
            f"{card.name} has no training {origin.repeat} of {origin.model}",
            mend=f"it has: {', '.join(sorted(card.files))}",
        )
    held = weights.load(path, AGAIN)
    if digest({n: t.numpy() for n, t in held.items()}) != card.files[path.stem]:
        raise StoreError(
            f"the weights of {card.name} are not those of its card", where=str(path), mend=AGAIN
        )
    return held


def untrained(origin: Trial, mapping: Mapping, model: Model, length: int) -> reuse.Weights:
    """A network like the origin's before it learned: another draw, since its own is not known.

    Args:
        origin: Whose weights are given.
        mapping: Its weights by the names of the target's model.
        model: Of the target's shape.
        length: Samples of the target's windows, which no copied tensor depends on.
    """
    own = reuse.tensors(model)
    widths = {
        tensor.shape[1]
        for name, tensor in mapping.weights.items()
        if channels.differs(tensor, own[name])
    }
    fresh = build(
        origin.model,
        channels=widths.pop() if widths else _channels(model),
        length=length,
        extra=0,
        outputs=1,
        seed=seed("weights", origin.dataset, origin.model, origin.repeat),
        as_in_study=PROFILES[origin.profile].as_in_study,
    )
    return reuse.tensors(fresh)


def _channels(model: Model) -> int:
    """Channels that a model's first kernel reads."""
    kernels = [t for n, t in reuse.tensors(model).items() if n in reuse.transferred(model)]
    return next((int(t.shape[1]) for t in kernels if t.ndim == 3), 1)


def check(trials: Sequence[Trial], workspace: Workspace) -> list[str]:
    """Fit the weights of every source to its model before anything is trained.

    Returns:
        How names were mapped, a line for each source and model.

    Raises:
        TsxferError: If some do not fit; both sides are listed.
    """
    lines: dict[str, None] = {}
    seen = set[tuple[object, ...]]()
    for trial in trials:
        if trial.reuse is None or not trial.reuse.source.given:
            continue
        origin = trial.reuse.source
        what = (origin, trial.dataset, trial.reuse.strategy)
        if what in seen:
            continue
        seen.add(what)
        model = _like(trial, workspace)
        mapping = weights_for(origin, model, workspace)
        _refuse_part(trial.reuse, mapping, model)
        lines[f"{origin.dataset} as {origin.model}: {mapping.words}"] = None
    return list(lines)


def _refuse_part(start: Reuse, mapping: Mapping, model: Model) -> None:
    """Refuse weights that lack some of what a strategy copies.

    Raises:
        SpecError: With both sides.
    """
    wanted = reuse.chosen(model, mapping.weights, start.strategy)
    try:
        complete(mapping, [name for block in wanted for name in block], model)
    except SpecError as error:
        problem = f"{start.source.dataset} as {start.source.model}: {error.problem}"
        raise SpecError(problem, mend=error.mend) from None


def fitting(origin: Trial, target: str, workspace: Workspace) -> Mapping:
    """Weights of an origin under the names of its model, for a data set.

    Raises:
        TsxferError: If they are not there, were changed, or do not fit.
    """
    start = Trial(target, origin.model, "all", 0, reuse=Reuse(origin))
    return weights_for(origin, _like(start, workspace), workspace)


def _like(trial: Trial, workspace: Workspace) -> Model:
    """A network of the shape that a trial trains; its weights do not matter."""
    card = catalogue.find(trial.dataset, workspace).card  # shapes are known before data is here
    count = len(scale.channels_for(card, PROFILES[trial.profile]))
    apart = trial.reuse is not None and trial.reuse.strategy.channels == "independent"
    return build(
        trial.model,
        channels=count,
        length=card.length,
        extra=0,
        outputs=1,
        seed=0,
        apart=apart,
    )
