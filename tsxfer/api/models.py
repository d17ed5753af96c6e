"""A fitted model in hand: predict, score, save; what `tsxfer.fit` gives and `predict` reads."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.errors import DataError
from tsxfer.keep import onnx as export
from tsxfer.keep.amplitude import other_size, rescaled
from tsxfer.keep.fit import Fitted
from tsxfer.keep.saved import load, save
from tsxfer.own.description import Description
from tsxfer.own.labels import compared, names_as_text, plain
from tsxfer.own.like import read_like
from tsxfer.own.panels import column_of, windows_of
from tsxfer.own.reading import Reading, at_rate, reading, refuse_rate
from tsxfer.running.device import device_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Predicted:
    """Predictions of a file.

    Attributes:
        table: ``row`` (from 1, in the file), ``predicted``, and ``p_CLASS`` for each class.
        scores: Against the file's labels by metric; empty without labels.
        unscored: Windows without a label, where labels are there to score against.
        warned: That windows are far from those of training in size; "" where they are not.
        notes: What was guessed while the file was read.
    """

    table: pd.DataFrame
    scores: dict[str, float] = field(default_factory=dict)
    unscored: int = 0
    warned: str = ""
    notes: tuple[str, ...] = ()


class FittedModel:
    """A fitted model with what its card says.

    Attributes:
        fitted: The network as plain data, with its scaling.
        card: What it is and how it was made.
        device: Where it computes.
    """

    def __init__(self, fitted: Fitted, card: dict[str, Any], device: str = "cpu") -> None:
        self.fitted, self.card, self.device = fitted, card, device

    @classmethod
    def load(cls, folder: str | Path, device: str = "auto") -> FittedModel:
        """A model that was saved.

        Raises:
            StoreError: If the folder holds none, or it is damaged.
        """
        fitted, card = load(Path(folder))
        return cls(fitted, card, device_of(device))

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in order of `predict_proba`; empty for a regression."""
        return self.fitted.classes

    @property
    def simulated(self) -> bool:
        """Whether simulated data was used to make it."""
        return bool(self.card["simulated"])

    def predict(self, x: Any) -> NDArray[Any]:
        """Class names, or numbers in the unit of the labels: ``(n,)``.

        Args:
            x: ``(n, channel, time)`` or ``(n, time)`` in the unit of the data it was fitted on, or
                a panel of sktime; the channels and length of that data.

        Raises:
            DataError: For other shapes, or samples that are missing.
        """
        windows = self._windows(x)
        _warn(self._warned(windows))
        if not self.classes:
            return self.fitted.numbers(windows, self.device).astype(np.float64)
        shares = self.fitted.probabilities(windows, self.device)
        named: NDArray[Any] = np.asarray(self.classes)[shares.argmax(axis=1)]
        return named

    def predict_proba(self, x: Any) -> NDArray[np.float64]:
        """Class probabilities ``(n, class)``, in order of `classes`.

        Raises:
            DataError: As `predict`, and for a regression.
        """
        if not self.classes:
            raise DataError("a regression has no class probabilities", mend="use predict")
        windows = self._windows(x)
        _warn(self._warned(windows))
        return self.fitted.probabilities(windows, self.device)

    def score(self, x: Any, y: Any) -> float:
        """The model's metric (``card["metric"]``) against labels.

        Args:
            x: As of `predict`.
            y: ``(n,)`` class names, or numbers.

        Raises:
            DataError: For labels that are missing, too few, or of unknown classes.
        """
        return self.scores(self.predict(x), column_of(y, "y"))[self.fitted.metric]

    def scores(self, predicted: NDArray[Any], truth: NDArray[Any]) -> dict[str, float]:
        """Every metric of the task, the model's own first."""
        if len(predicted) != len(truth):
            raise DataError(
                f"{len(truth)} labels for {len(predicted)} windows", mend="give one a window"
            )
        task = "classification" if self.classes else "regression"
        names = dict.fromkeys((self.fitted.metric, *metrics.names(task)))
        true, answer = self._codes(truth), predicted
        if self.classes:
            answer = self._codes(predicted)
        return {name: metrics.get(name).score(true, answer) for name in names}

    def _codes(self, y: NDArray[Any]) -> NDArray[Any]:
        """Labels as the metrics take them."""
        found = plain(y)
        if not self.classes:
            return _numbers(found)
        words = list(map(compared, names_as_text(found).tolist()))
        codes = {compared(name): code for code, name in enumerate(self.classes)}
        strange = sorted(set(words) - set(codes))
        if strange:
            shown = ", ".join(map(repr, strange[:6]))
            raise DataError(
                f"labels of classes that the model does not know: {shown}",
                mend=f"it knows {', '.join(self.classes[:12])}; leave those windows out",
            )
        return np.array([codes[word] for word in words], np.int64)

    def _windows(self, x: Any) -> NDArray[np.float64]:
        found = windows_of(x, Description())
        if found.lengths is not None:
            raise DataError(
                f"windows of {found.lengths.min()} to {found.lengths.max()} samples",
                mend=f"give windows of {self.fitted.length} samples",
            )
        windows = found.x.astype(np.float64)
        bad = np.asarray(~np.isfinite(windows).all(axis=(1, 2)))
        if bad.any():
            raise DataError(
                f"{int(bad.sum())} of {len(bad)} windows have samples that are missing or infinite",
                where=f"first in window {int(np.argmax(bad))}",
                mend="repair them, or leave those windows out",
            )
        return windows

    def of_file(
        self, file: str | Path, label: str = "", scale: float | None = None, rate: float = 0.0
    ) -> Predicted:
        """Predict each window of a file.

        Args:
            file: Read as the file that the model was fitted on.
            label: Column or array of labels in it to score against; "" where there are none.
            scale: What its samples are multiplied by to be in the unit of the data that the model
                was fitted on; None warns where their size is far from that data's.
            rate: Samples a second, where the file does not state it rightly; 0 where it does.

        Raises:
            TsxferError: If it cannot be read, or does not fit the model.
        """
        found = read_like(Path(file), at_rate(self._reading(), rate), label)
        x = rescaled(found.x, scale)
        table, warned = self._table(x, found.places), self._warned(x, scale)
        if found.y is None:
            return Predicted(table, warned=warned, notes=found.notes)
        scores = self.scores(table["predicted"].to_numpy()[found.known], found.y[found.known])
        return Predicted(table, scores, int((~found.known).sum()), warned, found.notes)

    def of_windows(self, x: Any, scale: float | None = None, rate: float = 0.0) -> Predicted:
        """As `of_file`, for windows in memory as `predict` takes them."""
        refuse_rate(0.0, at_rate(self._reading(), rate), "x")
        windows = rescaled(self._windows(x), scale)
        table = self._table(windows, np.arange(len(windows)))
        return Predicted(table, warned=self._warned(windows, scale))

    def of_table(
        self,
        table: pd.DataFrame,
        label: str = "",
        scale: float | None = None,
        rate: float = 0.0,
    ) -> Predicted:
        """As `of_file`, for a table with one window a row."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            file = Path(folder) / "DataFrame.parquet"
            called = table.set_axis([str(column) for column in table.columns], axis=1)
            called.to_parquet(file, index=False)
            return self.of_file(file, label, scale, rate)

    def _warned(self, x: NDArray[np.float64], scale: float | None = None) -> str:
        """What is to be said of the size of windows, where the user has said nothing."""
        return "" if scale is not None else other_size(x, self.fitted.taken_off, self.fitted.scaler)

    def _table(self, x: NDArray[np.float64], places: NDArray[np.int64]) -> pd.DataFrame:
        import pandas as pd

        columns: dict[str, Any] = {"row": places + 1}
        if not self.classes:
            return pd.DataFrame(columns | {"predicted": self.fitted.numbers(x, self.device)})
        shares = self.fitted.probabilities(x, self.device)
        columns["predicted"] = np.asarray(self.classes)[shares.argmax(axis=1)]
        rounded = np.round(shares, 6)
        named = {f"p_{name}": rounded[:, code] for code, name in enumerate(self.classes)}
        return pd.DataFrame(columns | named)

    def _reading(self) -> Reading:
        """How a file to predict is read: as that which the model was fitted on."""
        card = self.card
        if "read" in card:
            return reading(card["read"], "the model's card")
        return Reading(
            Description(unlabelled=True),
            tuple(card["channels"]),
            card["length"],
            card["rate_hz"],
            card["rate_hz"],
        )

    def save(self, folder: str | Path, *, onnx: bool = False) -> Path:
        """Keep it: ``weights.safetensors`` and ``card.json``, for `tsxfer.predict` and as a source.

        Args:
            folder: Made where it is not there; one that holds a model is left alone.
            onnx: Write ``model.onnx``, too; needs ``tsxfer[onnx]``.

        Raises:
            StoreError: If the folder holds a model, or cannot be written.
            SpecError: If the model cannot be written as ONNX; nothing is written then.
        """
        facts, file = dict(self.card), b""
        if onnx:
            export.refuse_missing()
            file = export.exported(self.fitted, facts)
            facts["onnx"] = export.described(self.fitted)
        save(self.fitted, Path(folder), facts, file)
        return Path(folder)

    def __repr__(self) -> str:
        fitted, mark = self.fitted, " (SIMULATED DATA)" if self.simulated else ""
        held = f"{fitted.validated:,} windows held out" if fitted.validated else "training windows"
        return (
            f"{fitted.model} from {self.card['source']} on {fitted.trained:,} windows of "
            f"{self.card['target']}{mark}: {fitted.metric} {fitted.score:.4g} on {held}"
        )


def _warn(said: str) -> None:
    if said:
        warnings.warn(said, stacklevel=3)


def _numbers(found: NDArray[Any]) -> NDArray[np.float64]:
    try:
        numbers = found.astype(np.float64)
    except ValueError as error:
        raise DataError(f"labels are not numbers: {error}", mend="correct them") from None
    if not np.isfinite(numbers).all():
        raise DataError(
            f"{int((~np.isfinite(numbers)).sum())} labels are missing or infinite",
            mend="leave those windows out",
        )
    return numbers
