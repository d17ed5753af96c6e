"""From what is asked of a model to keep to a fitted one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tsxfer.api import weights
from tsxfer.api.choose import tell
from tsxfer.api.own import bring_all
from tsxfer.api.settling import resolve
from tsxfer.api.training import announce, tell_of_simulating
from tsxfer.core.models_index import model_names
from tsxfer.core.names import is_given
from tsxfer.core.strategy import CHANNELS, Channels
from tsxfer.core.study import OVERLAPS, Overlaps, Study, quick
from tsxfer.errors import SpecError, nearest
from tsxfer.own.budgets import source_fitted
from tsxfer.own.description import Description
from tsxfer.running.device import device_of, refuse_device
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:  # these import torch
    from tsxfer.keep.making import Made, Order

SCRATCH = "none"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked of a model to keep.

    Attributes:
        source: A data set to pretrain on, a file of weights or a fitted model; "none" for none.
        target: A data set, or a file of the user's own.
        model: Backbone.
        frozen: Keep the copied layers as they are.
        channels: How kernels are fitted to other channels, a name in `CHANNELS`.
        quick: As in a quick study.
        data: real, simulated or auto.
        seed: Of weights, order and the held-out part.
        described: What flags say of the target's file.
        onnx: Write the model as ONNX, too.
        overlap: ``refuse`` a source that has seen windows of the target, or ``label`` the model.
    """

    source: str
    target: str
    model: str
    frozen: bool
    quick: bool
    data: str | None
    seed: int
    described: Description
    onnx: bool = False
    channels: str = "repeat"
    overlap: str = "refuse"


def made_of(asked: Asked, workspace: Workspace, device: str) -> Made:
    """Pretrain where no weights are available, and fine-tune on all labels.

    Raises:
        TsxferError: For names, files or flags that make no model.
    """
    refuse_device(device)
    if asked.model not in model_names():
        raise SpecError(f"unknown model {asked.model!r}", mend=nearest(asked.model, model_names()))
    if asked.channels not in CHANNELS:
        raise SpecError(
            f"unknown --channels {asked.channels!r}", mend=nearest(asked.channels, CHANNELS)
        )
    if asked.overlap not in OVERLAPS:
        raise SpecError(
            f"unknown --overlap {asked.overlap!r}", mend=nearest(asked.overlap, OVERLAPS)
        )
    study = _settled(asked, workspace)
    from tsxfer.keep.making import make

    order = _order(asked, study, device_of(device))
    announce(study)
    for name in dict.fromkeys((*study.targets, *study.sources)):
        tell_of_simulating(name, workspace)
    return make(order, workspace, _tell)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _settled(asked: Asked, workspace: Workspace) -> Study:
    """The study whose pretraining and recipe are meant; the target stands for no source."""
    target = bring_all([asked.target], asked.described, workspace)
    source = target
    if asked.source != SCRATCH:
        named = weights.bring_all([asked.source], (), workspace)
        source = bring_all(named, Description(), workspace)
    if len(target) != 1 or len(source) != 1:
        raise SpecError(
            "a model to keep has one source and one target",
            where=f"--source {asked.source} --target {asked.target}",
            mend="fit one after the other; `tsxfer run` compares several",
        )
    mode: Any = asked.data or "auto"
    wanted = Study("fit", tuple(source), tuple(target), (asked.model,), data=mode)
    study = resolve(wanted, workspace)
    return tell(source_fitted(quick(study) if asked.quick else study, False, workspace))


def _order(asked: Asked, study: Study, device: str) -> Order:
    from tsxfer.keep.making import Order

    return Order(
        study=study,
        source=None if asked.source == SCRATCH else study.sources[0],
        pretrain=asked.source != SCRATCH and not is_given(study.sources[0]),
        frozen=asked.frozen,
        channels=cast("Channels", asked.channels),
        quick=asked.quick,
        seed=asked.seed,
        device=device,
        overlap=cast("Overlaps", asked.overlap),
    )
