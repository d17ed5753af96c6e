"""``tsxfer fit`` and ``tsxfer predict``: a fine-tuned model to keep, and its use."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.cli.choose import resolve
from tsxfer.cli.own import QUICK_STEPS, STEPS, bring_all, longer, source_fitted
from tsxfer.cli.run import announce, tell_of_simulating
from tsxfer.core.models_index import model_names
from tsxfer.core.names import is_simulated
from tsxfer.core.specs import Trial
from tsxfer.core.study import Study, expand, quick
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import prepared
from tsxfer.errors import SpecError, StoreError, nearest
from tsxfer.own.description import Description
from tsxfer.own.reading import Reading, reading, reading_of, windows_like
from tsxfer.running.device import device_of, refuse_device
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:  # these import torch
    from tsxfer.keep.fit import Fitted, Labelled, Terms
    from tsxfer.keep.saved import Source

SCRATCH = "none"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked of a model to keep.

    Attributes:
        source: A data set to pretrain on, a file of weights or a fitted model; "none" for none.
        target: A data set, or a file of the user's own.
        model: Backbone.
        frozen: Keep the copied layers as they are.
        quick: As in a quick study.
        data: real, simulated or auto.
        seed: Of weights, order and the held-out part.
        described: What flags say of the target's file.
        onnx: Write the model as ONNX, too.
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


def fit_and_keep(asked: Asked, out: Path, workspace: Workspace, device: str) -> None:
    """Pretrain where no weights are available, fine-tune on all labels, and write model and card.

    Raises:
        TsxferError: For names, files or flags that make no model; nothing is written then. Where
            only the export to ONNX fails, the model is kept without it.
    """
    refuse_device(device)
    if asked.model not in model_names():
        raise SpecError(f"unknown model {asked.model!r}", mend=nearest(asked.model, model_names()))
    study = _settled(asked, workspace)
    from tsxfer.keep.fit import Terms, fit
    from tsxfer.keep.onnx import refuse_missing
    from tsxfer.keep.saved import refuse_taken

    refuse_taken(out)
    if asked.onnx:
        refuse_missing()
    chosen = device_of(device)
    announce(study)
    for name in dict.fromkeys((*study.targets, *study.sources)):
        tell_of_simulating(name, workspace)
    target = prepared(workspace, study.targets[0])
    source = _source(asked, study, workspace, chosen)
    steps = QUICK_STEPS if asked.quick else STEPS
    recipe = longer(study.recipe, round(target.count * 0.8), steps)
    terms = Terms(
        asked.model, recipe, monitor="loss", frozen=asked.frozen, seed=asked.seed, device=chosen
    )
    fitted = fit(_labelled(target), terms, source.weights if source else None)
    refused = _keep(fitted, out, _facts(target, source, terms), asked.onnx)
    _say(fitted, target, source, out)
    if refused is not None:
        raise refused


def _keep(fitted: Fitted, out: Path, facts: dict[str, Any], onnx: bool) -> SpecError | None:
    """Write weights and card, and the ONNX file where one is wanted; gives why there is none."""
    from tsxfer.keep import onnx as export
    from tsxfer.keep.saved import save

    if not onnx:
        save(fitted, out, facts)
        return None
    try:
        file = export.exported(fitted, facts)
    except SpecError as refused:
        save(fitted, out, {**facts, "onnx": {"refused": refused.problem}})
        return refused
    save(fitted, out, {**facts, "onnx": export.described(fitted)}, file)
    return None


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
    return source_fitted(quick(study) if asked.quick else study, False, workspace)


def _is_corpus(source: str) -> bool:
    """Whether a source is a data set, and neither weights nor nothing."""
    path = Path(source)
    weights = path.suffix == ".safetensors" or (path / "weights.safetensors").is_file()
    return source != SCRATCH and not weights


def _source(asked: Asked, study: Study, workspace: Workspace, device: str) -> Source | None:
    from tsxfer.keep.saved import find_source, source_at

    if asked.source == SCRATCH:
        if asked.frozen:
            raise SpecError("--frozen without a source keeps noise", mend="name a --source")
        return None
    if not _is_corpus(asked.source):
        return find_source(asked.source, asked.model, workspace)
    if study.sources == study.targets:
        raise SpecError(
            f"{study.sources[0]} is source and target", mend="name another source, or none"
        )
    trial = expand(study)[0]
    _pretrain(trial, workspace, device)
    return source_at(workspace.weights(trial.key), asked.model)


def _pretrain(trial: Trial, workspace: Workspace, device: str) -> None:
    """Weights of a source: those of an earlier study where they are there."""
    import torch

    from tsxfer.running.runner import Job, run

    if not workspace.weights(trial.key).exists():
        sys.stderr.write(f"pretraining {trial.model} on {trial.dataset} (once) ...\n")
    threads = torch.get_num_threads()
    # One, as in `tsxfer run`: the same bits, and no core that waits for others on a busy machine.
    row = run(
        Job(
            trial=trial,
            workspace=str(workspace.root),
            study="fit",
            device=device,
            keep_weights=True,
            threads=1,
        )
    )
    torch.set_num_threads(threads)
    if row.status != "done":
        raise SpecError(
            f"pretraining on {trial.dataset} failed: {row.error}",
            mend="try another model or source",
        )


def _labelled(made: Prepared) -> Labelled:
    from tsxfer.keep.fit import Labelled

    x, y, group, start, end = (
        np.asarray(made.array(n)) for n in ("x", "y", "group", "start", "end")
    )
    off = reading_of(made).taken_off
    return Labelled(
        x=x,
        y=y,
        group=group,
        classes=made.classes,
        card=made.card,
        start=start,
        end=end,
        taken_off=off,
    )


def _facts(target: Prepared, source: Source | None, terms: Terms) -> dict[str, Any]:
    """What the card says beside the model's own facts."""
    card = target.card
    simulated = is_simulated(card.id) or bool(source and source.simulated)
    return {
        "target": card.id,
        "fingerprint": target.fingerprint,
        "source": source.corpus if source else "none",
        "source_weights": str(source.path.name) if source else "none",
        "simulated": simulated,
        "warnings": [*card.warnings, *(["simulated"] if simulated else [])],
        # All fields: a card must not depend on what the defaults will be.
        "recipe": asdict(terms.recipe),
        "frozen": terms.frozen,
        "seed": terms.seed,
        "monitor": terms.monitor,
        "validation_share": terms.validation_share,
        "task": card.task,
        "label": card.label,
        "unit": card.unit,
        "group": card.group,
        "channels": list(card.channels),
        "rate_hz": card.rate_hz,
        "read": asdict(reading_of(target)),
        "licence": card.licence,
        "cite": card.cite,
    }


def _say(fitted: Fitted, target: Prepared, source: Source | None, out: Path) -> None:
    held = (
        f"on {fitted.validated:,} windows held out "
        "(no test: `tsxfer run` tells what transfer is worth)"
        if fitted.validated
        else "on the TRAINING windows: there was nothing to hold out"
    )
    sys.stdout.write(
        f"fitted {fitted.model} from {source.corpus if source else 'scratch'} on "
        f"{fitted.trained:,} windows of {target.card.id}\n"
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
