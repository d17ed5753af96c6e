"""A model to keep, from a settled study: source found or pretrained, fitted, kept with a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tsxfer.core.expansion import expand
from tsxfer.core.names import is_simulated
from tsxfer.core.specs import Trial
from tsxfer.core.strategy import Channels
from tsxfer.core.study import Overlaps, Study
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import prepared
from tsxfer.errors import SpecError
from tsxfer.keep import onnx as export
from tsxfer.keep.fit import VALIDATION_SHARE, Fitted, Labelled, Terms, fit
from tsxfer.keep.overlap import Shared, with_target, with_weights
from tsxfer.keep.saved import Source, save, source_at
from tsxfer.own.budgets import QUICK_STEPS, STEPS, lengthened, longer
from tsxfer.own.reading import reading_of
from tsxfer.running.given import fitting
from tsxfer.running.runner import Job, run
from tsxfer.store import given
from tsxfer.store.workspace import Workspace

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """A model that is wanted.

    Attributes:
        study: Its one target and model, its recipe and pretraining; its source where that is a data
            set to pretrain on.
        source: The study's source, a data set or weights made elsewhere; None for scratch.
        pretrain: Start from the pretraining of the study.
        frozen: Keep the copied layers as they are.
        channels: How kernels are fitted to other channels.
        quick: As in a quick study.
        seed: Of weights, order and the held-out part.
        device: Where it is trained.
        overlap: ``refuse`` a source that has seen windows of the target, or ``label`` the model.
    """

    study: Study
    source: str | None
    pretrain: bool
    frozen: bool
    channels: Channels
    quick: bool
    seed: int
    device: str
    overlap: Overlaps = "refuse"

    @property
    def model(self) -> str:
        """The backbone."""
        return self.study.models[0]


@dataclass(frozen=True, slots=True)
class Made:
    """A fitted model with all that its card says.

    Attributes:
        fitted: The model.
        target: What it was fitted on.
        source: What it started from; None from scratch.
        terms: How it was fitted.
        shared: What source and target share; None from scratch.
    """

    fitted: Fitted
    target: Prepared
    source: Source | None
    terms: Terms
    shared: Shared | None = None

    @property
    def sentence(self) -> str:
        """What was fitted from what, and how it did on what was held out."""
        fitted, source = self.fitted, self.source
        held = (
            f"on {fitted.validated:,} windows held out (no test: `tsxfer run` tells what transfer "
            "is worth)"
            if fitted.validated
            else "on the TRAINING windows: there was nothing to hold out"
        )
        return (
            f"fitted {fitted.model} from {source.corpus if source else 'scratch'} on "
            f"{fitted.trained:,} windows of {self.target.card.id}\n"
            f"{fitted.metric} {fitted.score:.4g} {held}"
        )

    @property
    def facts(self) -> dict[str, Any]:
        """What the card says beside the model's own facts."""
        card, source = self.target.card, self.source
        simulated = is_simulated(card.id) or bool(source and source.simulated)
        return {
            "target": card.id,
            "fingerprint": self.target.fingerprint,
            "source": source.corpus if source else "none",
            "source_weights": str(source.path.name) if source else "none",
            "simulated": simulated,
            "warnings": [
                *card.warnings,
                *(["simulated"] if simulated else []),
                *(self.shared.words if self.shared else ()),
            ],
            # All fields: a card must not depend on what the defaults will be.
            "recipe": asdict(self.terms.recipe),
            "frozen": self.terms.frozen,
            "channel_fitting": self.terms.channels,
            "seed": self.terms.seed,
            "monitor": self.terms.monitor,
            "validation_share": self.terms.validation_share,
            "task": card.task,
            "label": card.label,
            "unit": card.unit,
            "group": card.group,
            "channels": list(card.channels),
            "rate_hz": card.rate_hz,
            "read": asdict(reading_of(self.target)),
            "licence": card.licence,
            "cite": card.cite,
        }


def make(order: Order, workspace: Workspace, say: Say) -> Made:
    """Pretrain where no weights are available, and fine-tune on all labels.

    Args:
        order: The model that is wanted.
        workspace: Where data is prepared, and weights.
        say: Told what takes a while, and what was changed.

    Raises:
        TsxferError: If there is no such source, or it does not fit.
    """
    target = prepared(workspace, order.study.targets[0])
    source = _source(order, workspace, say)
    shared = _shared(order, source, target, workspace) if source else None
    for line in shared.words if shared else ():
        say(line)
    if shared and order.overlap == "refuse":
        shared.refuse("take them out of the source, or --overlap label to fit all the same")
    before, steps = order.study.recipe, QUICK_STEPS if order.quick else STEPS
    recipe = longer(before, round(target.count * (1 - VALIDATION_SHARE)), steps)
    for line in lengthened(before, recipe):
        say(line)
    terms = Terms(
        model=order.model,
        recipe=recipe,
        monitor="loss",
        frozen=order.frozen,
        channels=order.channels,
        seed=order.seed,
        device=order.device,
    )
    fitted = fit(_labelled(target), terms, source.weights if source else None)
    return Made(fitted, target, source, terms, shared)


def _shared(order: Order, source: Source, target: Prepared, workspace: Workspace) -> Shared:
    """What the source has learned from, compared with all windows to fit on."""
    if order.source is None or order.pretrain:
        return with_target(source, target, workspace)
    return with_weights(given.read(order.source, workspace), target, workspace)


def keep(made: Made, out: Path, onnx: bool) -> SpecError | None:
    """Write weights and card, and the ONNX file where one is wanted; gives why there is none."""
    if not onnx:
        save(made.fitted, out, made.facts)
        return None
    try:
        file = export.exported(made.fitted, made.facts)
    except SpecError as refused:
        save(made.fitted, out, {**made.facts, "onnx": {"refused": refused.problem}})
        return refused
    save(made.fitted, out, {**made.facts, "onnx": export.described(made.fitted)}, file)
    return None


def _source(order: Order, workspace: Workspace, say: Say) -> Source | None:
    if order.source is None:
        if order.frozen:
            raise SpecError("--frozen without a source keeps noise", mend="name a --source")
        return None
    if not order.pretrain:
        return _given(order, order.source, workspace, say)
    study = order.study
    if study.sources == study.targets:
        raise SpecError(
            f"{study.sources[0]} is source and target", mend="name another source, or none"
        )
    trial = expand(study)[0]
    _pretrain(trial, workspace, order.device, say)
    return source_at(workspace.weights(trial.key), order.model)


def _given(order: Order, name: str, workspace: Workspace, say: Say) -> Source:
    """Weights that were made elsewhere, under the names of the model."""
    card, origin = given.read(name, workspace), Trial(name, order.model, "all", 0)
    mapping = fitting(origin, order.study.targets[0], workspace)
    say(f"PRETRAINED ELSEWHERE: {card.said}.")
    say(f"{card.name} as {order.model}: {mapping.words}")
    corpus = ", ".join(card.trained_on) or "not stated"
    named = card.name if card.words else corpus
    path = given.weights_of(workspace, origin)
    return Source(named, card.simulated, path, mapping.weights)


def _pretrain(trial: Trial, workspace: Workspace, device: str, say: Say) -> None:
    """Weights of a source: those of an earlier study where they are there."""
    if not workspace.weights(trial.key).exists():
        say(f"pretraining {trial.model} on {trial.dataset} (once) ...")
    threads = torch.get_num_threads()
    # One, as in `tsxfer run`: the same bits, and no core that waits for others on a busy machine.
    job = Job(
        trial=trial,
        workspace=str(workspace.root),
        study="fit",
        device=device,
        keep_weights=True,
        threads=1,
    )
    row = run(job)
    torch.set_num_threads(threads)
    if row.status != "done":
        raise SpecError(
            f"pretraining on {trial.dataset} failed: {row.error}",
            mend="try another model or source",
        )


def _labelled(made: Prepared) -> Labelled:
    arrays = {name: np.asarray(made.array(name)) for name in ("x", "y", "group", "start", "end")}
    off = reading_of(made).taken_off
    return Labelled(**arrays, classes=made.classes, card=made.card, taken_off=off)
