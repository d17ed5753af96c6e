"""``tsxfer.fit`` and ``tsxfer.predict``: a model to keep, and its use."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from tsxfer.api.asked import DataWords
from tsxfer.api.chosen import Place, use_plugins, workspace_at
from tsxfer.api.given import Data, described_by, names_of, refuse_several
from tsxfer.api.public import in_python, public
from tsxfer.errors import SpecError
from tsxfer.own.description import Description
from tsxfer.running.device import device_of

if TYPE_CHECKING:
    import pandas as pd

    from tsxfer.api.models import FittedModel


@public(DataWords)
def fit(
    target: Data,
    *,
    source: Data = "none",
    model: str = "convnetquake",
    frozen: bool = False,
    quick: bool = False,
    data: Literal["auto", "real", "simulated"] | None = None,
    seed: int = 0,
    channels: str = "repeat",
    device: str = "auto",
    out: str | Path | None = None,
    onnx: bool = False,
    workspace: Place = None,
    plugins: str | Path = "",
    **words: Unpack[DataWords],
) -> FittedModel:
    """Fine-tune one model on all labels of a target.

    Args:
        target: One target, as of `tsxfer.run`.
        source: A data set to pretrain on, a ``.safetensors`` file, a fitted model, data of your
            own, or ``"none"``.
        model: Backbone.
        frozen: Keep copied layers as they are.
        quick: As in a quick study.
        data: ``real``, ``simulated``, or ``auto``: real if all is prepared, else simulated.
        seed: Of weights, order and the held-out part, from 0.
        channels: How kernels are fitted to another number of channels: ``repeat``, ``divided``,
            ``spread``, ``fresh`` or ``independent``.
        device: ``auto``, ``cpu``, ``cuda`` or e.g. ``cuda:1``.
        out: Folder to keep it in; None keeps it in memory (`FittedModel.save`).
        onnx: Write ``model.onnx`` into `out`, too.
        workspace: Where data and pretrainings lie.
        plugins: Folder with data sets and models of yours.
        **words: Of data of your own, as of `tsxfer.run`.

    Returns:
        ``.predict(x)``, ``.predict_proba(x)``, ``.score(x, y)``, ``.save(folder)``. Its score is of
        windows held out to choose the checkpoint, and no test: `tsxfer.run` tells what transfer is
        worth.

    Raises:
        TsxferError: For names, data or words that make no model.
    """
    from tsxfer.api.fitting import Asked, made_of
    from tsxfer.api.models import FittedModel

    if onnx and out is None:
        raise SpecError("--onnx without a folder", mend="name a folder with --out")
    use_plugins(plugins)
    described, place = described_by(words), workspace_at(workspace)
    targets, first = names_of("target", target, described, place)
    sources, second = names_of("source", source, described, place)
    refuse_several([*targets, *sources], first + second, described)
    asked = Asked(
        source=",".join(sources) or "none",
        target=",".join(targets),
        model=model,
        frozen=frozen,
        quick=quick,
        data=data,
        seed=int(seed),
        described=Description() if first + second else described,
        onnx=onnx,
        channels=channels,
    )
    made = made_of(asked, place, device)
    fitted = FittedModel(made.fitted, made.facts, device_of(device))
    if out is not None:
        fitted.save(out, onnx=onnx)
    return fitted


@public()
def predict(
    model: FittedModel | str | Path,
    data: Any,
    *,
    label: str = "",
    scale: float | None = None,
    rate: float = 0.0,
    device: str = "auto",
) -> pd.DataFrame:
    """Predict each window of a file, table or array with a fitted model.

    Args:
        model: What `tsxfer.fit` gave, or the folder that it was kept in.
        data: A file or DataFrame like that which the model was fitted on, labels not needed; or
            windows ``(n, channel, time)`` or ``(n, time)``.
        label: Column or array of labels in a file or DataFrame, to score against: every metric of
            the task is then in ``.attrs["scores"]``.
        scale: What samples are multiplied by to be in the unit of the data that the model was
            fitted on; None warns of windows whose size is far from that data's.
        rate: Samples a second of the data, where it does not state it rightly; another than that
            of the fit is refused.
        device: Where to compute, for a model from a folder.

    Returns:
        ``row`` (from 1), ``predicted`` (class name, or number in the unit of the labels), and
        ``p_CLASS``, the probability of each class. What was guessed of a file is in
        ``.attrs["notes"]``.

    Raises:
        TsxferError: If the model or the data cannot be read, or do not fit each other.
    """
    from tsxfer.api.models import FittedModel
    from tsxfer.own.panels import is_table

    if isinstance(model, (str, Path)):
        model = FittedModel.load(model, device)
    elif not isinstance(model, FittedModel):
        raise SpecError(
            f"model is {type(model).__name__}, no fitted model",
            mend="give what tsxfer.fit returned, or the folder that it was saved in",
        )
    if isinstance(data, (str, Path)):
        found = model.of_file(data, label, scale, rate)
    elif is_table(data) and data.index.nlevels == 1 and not is_nested(data):
        found = model.of_table(data, label, scale, rate)
    else:
        if label:
            raise SpecError(
                f"--label {label!r} names a column, and arrays have none",
                mend="score arrays with model.score(x, y)",
            )
        found = model.of_windows(data, scale, rate)
    found.table.attrs["scores"] = found.scores
    found.table.attrs["notes"] = found.notes
    if found.warned:
        warnings.warn(in_python(found.warned, ("scale",)), stacklevel=3)  # public() is between
    return found.table


def is_nested(table: pd.DataFrame) -> bool:
    """Whether the cells of a table are series, as in sktime's older panels."""
    return bool(len(table)) and hasattr(table.iloc[0, 0], "index")
