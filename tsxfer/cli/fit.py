"""``tsxfer fit`` and ``tsxfer predict``: a fine-tuned model to keep, and its use."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from tsxfer.api.choose import resolve, tell
from tsxfer.api.own import bring_all
from tsxfer.api.training import announce, tell_of_simulating
from tsxfer.core.models_index import model_names
from tsxfer.core.strategy import CHANNELS, Channels
from tsxfer.core.study import OVERLAPS, Overlaps, Study, quick
from tsxfer.errors import SpecError, StoreError, nearest
from tsxfer.own.budgets import source_fitted
from tsxfer.own.description import Description
from tsxfer.own.reading import Reading, reading, windows_like
from tsxfer.running.device import device_of, refuse_device
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:  # these import torch
    from tsxfer.keep.fit import Fitted
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


def fit_and_keep(asked: Asked, out: Path, workspace: Workspace, device: str) -> None:
    """Pretrain where no weights are available, fine-tune on all labels, and write model and card.

    Raises:
        TsxferError: For names, files or flags that make no model; nothing is written then. Where
            only the export to ONNX fails, the model is kept without it.
    """
    refuse_device(device)
    if asked.model not in model_names():
        raise SpecError(f"unknown model {asked.model!r}", mend=nearest(asked.model, model_names()))
    if asked.channels not in CHANNELS:
        raise SpecError(
            f"unknown --channels {asked.channels!r}", mend=nearest(asked.channels, CHANNELS)
        )
    if asked.overlap not in OVERLAPS:
        raise SpecError(f"unknown --overlap {asked.overlap!r}", mend=nearest(asked.overlap, OVERLAPS))
    study = _settled(asked, workspace)
    from tsxfer.keep.making import keep, make
    from tsxfer.keep.onnx import refuse_missing
    from tsxfer.keep.saved import refuse_taken

    refuse_taken(out)
    if asked.onnx:
        refuse_missing()
    order = _order(asked, study, device_of(device))
    announce(study)
    for name in dict.fromkeys((*study.targets, *study.sources)):
        tell_of_simulating(name, workspace)
    made = make(order, workspace, _tell)
    refused = keep(made, out, asked.onnx)
    _say(made, out)
    if refused is not None:
        raise refused


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _settled(asked: Asked, workspace: Workspace) -> Study:
    """The study whose pretraining and recipe are meant; the target stands for no source."""
    target = bring_all([asked.target], asked.described, workspace)
    source = target
    if _is_corpus(asked.source):
        source = bring_all([asked.source], Description(), workspace)
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


def _is_corpus(source: str) -> bool:
    """Whether a source is a data set, and neither weights nor nothing."""
    path = Path(source)
    weights = path.suffix == ".safetensors" or (path / "weights.safetensors").is_file()
    return source != SCRATCH and not weights


def _order(asked: Asked, study: Study, device: str) -> Order:
    from tsxfer.keep.making import Order

    return Order(
        study=study,
        source=None if asked.source == SCRATCH else asked.source,
        pretrain=_is_corpus(asked.source),
        frozen=asked.frozen,
        channels=cast("Channels", asked.channels),
        quick=asked.quick,
        seed=asked.seed,
        device=device,
        overlap=cast("Overlaps", asked.overlap),
    )


def _say(made: Made, out: Path) -> None:
    fitted, source = made.fitted, made.source
    held = (
        f"on {fitted.validated:,} windows held out "
        "(no test: `tsxfer run` tells what transfer is worth)"
        if fitted.validated
        else "on the TRAINING windows: there was nothing to hold out"
    )
    sys.stdout.write(
        f"fitted {fitted.model} from {source.corpus if source else 'scratch'} on "
        f"{fitted.trained:,} windows of {made.target.card.id}\n"
        f"{fitted.metric} {fitted.score:.4g} {held}\n"
        f"kept in {out}; use it: tsxfer predict {out} FILE --out predictions.csv\n"
    )


def predict_file(folder: Path, file: Path, out: Path, device: str) -> None:
    """Predict each window of a file with a kept model, as CSV.

    Raises:
        TsxferError: If the model or the file cannot be read, or do not fit each other.
    """
    refuse_device(device)
    from tsxfer.keep.saved import load

    fitted, card = load(folder)
    x, rows_of_file = windows_like(file, _reading(card, folder))
    if card["simulated"]:
        sys.stderr.write("SIMULATED DATA was used to make this model\n")
    rows = list(_rows(fitted, x, rows_of_file, device_of(device)))
    try:
        with out.open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows(rows)
    except OSError as error:
        raise StoreError(
            f"{out} cannot be written: {error.strerror}", mend="choose another --out"
        ) from None
    sys.stdout.write(f"wrote {len(x):,} predictions to {out}\n")


def _reading(card: dict[str, Any], folder: Path) -> Reading:
    """How a file to predict is read: as that which the model was fitted on."""
    if "read" in card:
        return reading(card["read"], str(folder))
    blind = Description(unlabelled=True)
    return Reading(blind, tuple(card["channels"]), card["length"], card["rate_hz"], card["rate_hz"])


def _rows(
    fitted: Fitted, x: NDArray[np.float64], places: NDArray[np.int64], device: str
) -> Iterator[list[Any]]:
    numbers = (places + 1).tolist()
    if not fitted.classes:
        yield ["row", "predicted"]
        found = fitted.numbers(x, device).tolist()
        yield from ([row, value] for row, value in zip(numbers, found, strict=True))
        return
    yield ["row", "predicted", *(f"p_{name}" for name in fitted.classes)]
    for row, shares in zip(numbers, fitted.probabilities(x, device), strict=True):
        best = fitted.classes[int(shares.argmax())]
        yield [row, best, *(round(float(share), 6) for share in shares)]
