"""A fitted model as ONNX: raw windows in, class probabilities or numbers in the labels' unit out.

Scaling is part of the graph, since it is fitted on training windows and nobody else knows it. The
graph carries in its metadata what a reader must know who has no card: above all, simulated data.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from tsxfer.data.scale import Scaler
from tsxfer.errors import SpecError
from tsxfer.keep.fit import Fitted
from tsxfer.keep.saved import ONNX

INPUT = "windows"
NEEDED = ("onnx", "onnxscript")
CARRIED = (
    "target",
    "source",
    "simulated",
    "label",
    "unit",
    "channels",
    "rate_hz",
    "licence",
    "cite",
)


class Whole(nn.Module):
    """Scaling, network and the way back to the unit of the labels, as one module.

    It does what `tsxfer.keep.fit.Fitted.probabilities` and `numbers` do, in operations that can be
    exported.
    """

    def __init__(self, fitted: Fitted) -> None:
        super().__init__()
        self.network = fitted.network().eval()
        self.scaler = fitted.scaler
        self.classify = bool(fitted.classes)

    def forward(self, windows: Tensor) -> Tensor:
        """``(batch, channel, time)`` to ``(batch, class)``, or ``(batch,)`` of a regression."""
        x, extra, spread = _scaled(windows, self.scaler)
        output: Tensor = self.network(x, extra)
        if self.classify:
            return torch.softmax(output, dim=1)
        y = output[:, 0].double() * self.scaler.y_sd + self.scaler.y_mean
        if self.scaler.relative:
            y = y * spread.double() + windows[:, -1, -1].double()
        return y.float()


def _scaled(windows: Tensor, scaler: Scaler) -> tuple[Tensor, Tensor, Tensor]:
    """What `tsxfer.data.scale.Scaler.windows` makes under the strict profile, and the spread."""
    peak = windows.abs().amax(dim=(1, 2))
    x = windows - windows.mean(dim=2, keepdim=True)
    spread = x.abs().amax(dim=(1, 2))
    spread = torch.where(spread > 0, spread, torch.ones_like(spread))
    extra = (torch.log10(peak + 1e-12) - scaler.extra_mean) / scaler.extra_sd
    return x / spread[:, None, None], extra[:, None][:, : int(scaler.amplitude)], spread


def refuse_missing() -> None:
    """Demand what the export needs, before anything is trained.

    Raises:
        SpecError: If it is not installed.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SpecError(f"--onnx needs {' and '.join(missing)}", mend='pip install "tsxfer[onnx]"')


def described(fitted: Fitted) -> dict[str, Any]:
    """What the card says of the file: names, shapes and units of input and output."""
    answer = "class probabilities" if fitted.classes else "prediction in the unit of the label"
    shape = ["batch", len(fitted.classes)] if fitted.classes else ["batch"]
    levels = ", ".join(f"{level:.10g}" for level in fitted.taken_off)
    less = (
        f", less the level of each channel, which float32 could not hold: {levels}"
        if levels
        else ""
    )
    return {
        "file": ONNX,
        "input": {
            "name": INPUT,
            "shape": ["batch", fitted.channels, fitted.length],
            "type": "float32",
            "holds": f"raw windows in their own unit{less}; scaling is part of the graph",
        },
        "output": {"name": _output(fitted), "shape": shape, "type": "float32", "holds": answer},
    }


def exported(fitted: Fitted, card: dict[str, Any]) -> bytes:
    """The model as the bytes of an ONNX file with any number of windows a batch.

    Args:
        fitted: The model.
        card: What is said beside the model's own facts; its `CARRIED` facts go into the file.

    Raises:
        SpecError: If something in the network has no form in ONNX.
    """
    windows = torch.zeros(2, fitted.channels, fitted.length)
    windows[:, :, ::2] = 1.0
    try:
        with _quiet():
            program = torch.onnx.export(
                Whole(fitted).eval(),
                (windows,),
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=[_output(fitted)],
                # A named Dim is refused by PyTorch 2.9, which guards against batches of one.
                dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
            )
            assert program is not None  # noqa: S101  (only older exporters return nothing)
            made = program.model_proto
    except Exception as error:  # whatever a network of the user's own brings up in the exporter
        raise SpecError(
            f"{fitted.model} cannot be exported to ONNX: {_first_line(error)}",
            mend="the model is kept as safetensors, which `tsxfer predict` uses; a newer PyTorch "
            "exports more (an LSTM needs 2.13)",
        ) from error
    carried = {name: card[name] for name in CARRIED if name in card}
    entry = made.metadata_props.add()
    own = {"classes": list(fitted.classes), "taken_off": list(fitted.taken_off)}
    entry.key, entry.value = "tsxfer", json.dumps({**carried, **own})
    return bytes(made.SerializeToString())


def _output(fitted: Fitted) -> str:
    return "probabilities" if fitted.classes else "prediction"


def _first_line(error: BaseException) -> str:
    """The cause that the exporter wraps, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on packages that nobody asked for and on its own future."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with torch.no_grad(), _one_flag():
                yield
    finally:
        log.setLevel(before)


@contextmanager
def _one_flag() -> Iterator[None]:
    """The exporter reads cuDNN's old flag, which cannot be read where a caller has set the new.

    The flag comes back before its parts: parts that say otherwise than it make it unreadable.
    """
    cudnn: Any = torch.backends.cudnn  # its parts are not typed
    parts = (cudnn.conv, cudnn.rnn)
    before = [part.fp32_precision for part in parts]
    cudnn.allow_tf32 = False
    try:
        yield
    finally:
        cudnn.allow_tf32 = before == ["tf32", "tf32"]
        for part, precision in zip(parts, before, strict=True):
            part.fp32_precision = precision
