"""``tsxfer fit`` and ``tsxfer predict``: a fine-tuned model to keep, and its use."""

from __future__ import annotations

import sys
from pathlib import Path

from tsxfer.api.fitting import Asked, made_of
from tsxfer.core.plugins import with_plugins
from tsxfer.errors import StoreError
from tsxfer.store.workspace import Workspace


def fit_and_keep(asked: Asked, out: Path, workspace: Workspace, device: str) -> None:
    """Pretrain where no weights are available, fine-tune on all labels, and write model and card.

    Raises:
        TsxferError: For names, files or flags that make no model; nothing is written then. Where
            only the export to ONNX fails, the model is kept without it.
    """
    from tsxfer.keep.making import keep
    from tsxfer.keep.onnx import refuse_missing
    from tsxfer.keep.saved import refuse_taken

    refuse_taken(out)
    if asked.onnx:
        refuse_missing()
    made = made_of(asked, workspace, device)
    refused = keep(made, out, asked.onnx)
    sys.stdout.write(
        f"{made.sentence}\nkept in {out}; use it: {with_plugins(f'tsxfer predict {out} FILE')} "
        "--out predictions.csv\n"
    )
    if refused is not None:
        raise refused


def predict_file(
    folder: Path,
    file: Path,
    out: Path,
    device: str,
    label: str = "",
    scale: float | None = None,
    rate: float = 0.0,
) -> None:
    """Predict each window of a file with a kept model, as CSV.

    Args:
        folder: What `fit` wrote.
        file: Windows.
        out: The CSV.
        device: Where to compute.
        label: Column or array of labels in the file to score against; "" where there are none.
        scale: What its samples are multiplied by; None warns of a size far from the model's data.
        rate: Samples a second, where the file does not state it rightly; 0 where it does.

    Raises:
        TsxferError: If the model or the file cannot be read, or do not fit each other.
    """
    from tsxfer.api.models import FittedModel

    model = FittedModel.load(folder, device)
    if model.simulated:
        sys.stderr.write("SIMULATED DATA was used to make this model\n")
    predicted = model.of_file(file, label, scale, rate)
    for note in predicted.notes:
        sys.stderr.write(f"{file}: NOTE {note}\n")
    if predicted.warned:
        sys.stderr.write(f"warning: {predicted.warned}\n")
    try:
        predicted.table.to_csv(out, index=False)
    except OSError as error:
        raise StoreError(
            f"{out} cannot be written: {error.strerror}", mend="choose another --out"
        ) from None
    sys.stdout.write(f"wrote {len(predicted.table):,} predictions to {out}\n")
    if predicted.scores:
        said = ", ".join(f"{name} {score:.4g}" for name, score in predicted.scores.items())
        without = predicted.unscored
        end = f"; {without} windows without a label are not scored" if without else ""
        sys.stdout.write(f"against {label}: {said}{end}\n")
