"""The two published files as they lie there, checked column by column.

``runs.parquet`` has one row a trained model, ``curves.parquet`` one a model and epoch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.published import RECIPE
from tsxfer.errors import DataError, nearest

RUNS, CURVES = "runs.parquet", "curves.parquet"
RUN_COLUMNS = (
    "id",
    "model",
    "source",
    "target",
    "size",
    "run",
    "lr_multiplier",
    "best_epoch",
    "last_epoch",
)
CURVE_COLUMNS = ("id", "epoch", "mae", "f1")
MODELS = {
    "convnetquakeingv": "convnetquake",
    "magnet": "magnet",
    "mlstm_fcn": "mlstm_fcn",
    "tcn": "tcn",
}
FETCH = "fetch the two files again; both lie in one folder"
Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Set:
    """A data set of the study: what a row needs to know of it (sections 2.1 and 9).

    Attributes:
        published: Its name in the files.
        name: Its versioned name here, distinct from the data sets of this package.
        metric: Primary metric.
        margin: Smallest difference that matters in practice, as on our own cards; 0.02 magnitude
            units or F1, 1 index point.
        classes: Number of classes, 0 for regression.
    """

    published: str
    name: str
    metric: str
    margin: float
    classes: int = 0

    @property
    def column(self) -> str:
        """Column of `CURVES` that holds its curve."""
        return "f1" if self.classes else "mae"

    @property
    def chance(self) -> dict[str, float]:
        """Guessing by class shares; the files hold no labels, so none is known for regression."""
        return {self.metric: 1 / self.classes} if self.classes else {}


SETS = {
    one.published: one
    for one in (
        Set("lomax", "lomax+published@1", "mae", 0.02),
        Set("lendb", "lendb+published@1", "mae", 0.02),
        Set("stead", "stead+published@1", "mae", 0.02),
        Set("speech8khz", "speech+published@1", "weighted_f1", 0.02, 35),
        Set("emg", "emg+published@1", "weighted_f1", 0.02, 4),
        Set("sp500", "sp500+published@1", "mae", 1.0),
    )
}


@dataclass(frozen=True, slots=True)
class Runs:
    """The columns of `RUNS` as arrays of one length.

    Attributes:
        ids: Folder name of the run.
        model: Its model, in our names.
        source: Published name of the source, ``none`` from scratch.
        target: Published name of the target.
        size: Training instances.
        repeat: 0, 1, ...
        multiplier: Rate of the copied layers, NaN from scratch.
        best: Epoch with the best validation value, from 1.
        last: Epochs trained.
        scores: Test scores of each epoch, one array a run.
    """

    ids: Sequence[str]
    model: Sequence[str]
    source: Sequence[str]
    target: Sequence[str]
    size: Sequence[int]
    repeat: Sequence[int]
    multiplier: Numbers
    best: Sequence[int]
    last: Sequence[int]
    scores: Sequence[Numbers]


def read(folder: Path) -> Runs:
    """Both files, checked column by column."""
    table, curves = (
        _table(folder / RUNS, RUN_COLUMNS),
        _table(folder / CURVES, CURVE_COLUMNS),
    )
    path = folder / RUNS
    _known(table["model"], MODELS, path)
    _known(table["target"], SETS, path)
    _known(table["source"], (*SETS, "none"), path)
    _unique(table["id"], path)
    _whole_numbers(table, path)
    last = table["last_epoch"].to_numpy(np.int64)
    scores = _curves(table, curves, folder / CURVES)
    return Runs(
        ids=table["id"].tolist(),
        model=[MODELS[name] for name in table["model"]],
        source=table["source"].tolist(),
        target=table["target"].tolist(),
        size=table["size"].tolist(),
        repeat=table["run"].tolist(),
        multiplier=table["lr_multiplier"].to_numpy(np.float64),
        best=table["best_epoch"].tolist(),
        last=last.tolist(),
        scores=scores,
    )


def _table(path: Path, columns: Sequence[str]) -> Any:
    """A ``pandas.DataFrame`` with at least these columns and one row."""
    import pandas as pd

    if not path.is_file():
        raise DataError(
            f"there is no {path.name}",
            where=str(path.parent),
            mend=f"name the folder that holds {RUNS} and {CURVES}",
        )
    try:
        table = pd.read_parquet(path)
    except ImportError:
        raise DataError(
            "no package that reads Parquet is installed",
            where=str(path),
            mend="python -m pip install pyarrow",
        ) from None
    except (OSError, ValueError) as error:  # pyarrow's own errors are subclasses
        raise DataError(
            f"{path.name} is no readable Parquet file: {error}", where=str(path), mend=FETCH
        ) from None
    missing = [name for name in columns if name not in table.columns]
    if missing or not len(table):
        problem = f"lacks the columns {', '.join(missing)}" if missing else "has no row"
        raise DataError(f"{path.name} {problem}", where=str(path), mend=FETCH)
    return table


def _known(column: Any, known: Sequence[str] | dict[str, Any], path: Path) -> None:
    for name in column.unique():
        if name not in known:
            raise DataError(
                f"{column.name} {name!r} is not known", where=str(path), mend=nearest(name, known)
            )


def _unique(ids: Any, path: Path) -> None:
    twice = ids[ids.duplicated()]
    if len(twice):
        raise DataError(
            f"{len(twice):,} id occur twice; first: {twice.iloc[0]}", where=str(path), mend=FETCH
        )


def _whole_numbers(table: Any, path: Path) -> None:
    """Counts are whole and in range; a multiplier is there exactly where a source is."""
    scratch = (table["source"] == "none").to_numpy()
    multiplier = table["lr_multiplier"].to_numpy(np.float64)
    tests = {
        "size is a count of at least one batch": table["size"] >= RECIPE.batch,
        "run counts from 0": table["run"] >= 0,
        "best_epoch lies in 1 ... last_epoch": table["best_epoch"].between(1, table["last_epoch"]),
        "lr_multiplier is above 0 with a source and empty without": np.where(
            scratch, np.isnan(multiplier), multiplier > 0
        ),
    }
    for rule, holds in tests.items():
        bad = np.flatnonzero(~np.asarray(holds, dtype=bool))
        if len(bad):
            raise DataError(
                f"{table['id'].iloc[bad[0]]}: not true that {rule} ({len(bad):,} rows)",
                where=str(path),
                mend=FETCH,
            )


def _curves(runs: Any, curves: Any, path: Path) -> list[Numbers]:
    """The curve of each run, in the order of `runs`, epochs 1, 2, ... without a gap."""
    import pandas as pd

    order = pd.Index(runs["id"].astype(str)).get_indexer(curves["id"].astype(str))
    if (order < 0).any():
        stray = curves["id"].iloc[int(np.argmin(order))]
        raise DataError(f"curve of {stray}, which has no run", where=str(path), mend=FETCH)
    epochs = curves["epoch"].to_numpy(np.int64)
    sequence = np.lexsort((epochs, order))
    order, epochs = order[sequence], epochs[sequence]
    lengths = np.bincount(order, minlength=len(runs))
    starts = np.cumsum(lengths) - lengths
    wanted = np.arange(len(order)) - np.repeat(starts, lengths) + 1
    short = np.flatnonzero(lengths != runs["last_epoch"].to_numpy())
    bad = [int(order[np.argmax(epochs != wanted)])] if (epochs != wanted).any() else short.tolist()
    if bad:
        raise DataError(
            f"the curve of {runs['id'].iloc[bad[0]]} does not hold epochs 1 to "
            f"{runs['last_epoch'].iloc[bad[0]]} once each",
            where=str(path),
            mend=FETCH,
        )
    values = _values(runs, curves, sequence, order, path)
    return list(
        itertools.starmap(lambda a, n: values[a : a + n], zip(starts, lengths, strict=True))
    )


def _values(
    runs: Any, curves: Any, sequence: NDArray[np.int64], order: NDArray[np.int64], path: Path
) -> Numbers:
    """The scores in order; float32 becomes the shortest decimal that stands for it."""
    classes = np.array([SETS[name].classes > 0 for name in runs["target"]])[order]
    mae, f1 = (curves[name].to_numpy()[sequence] for name in ("mae", "f1"))
    values = np.where(classes, f1, mae)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"the curve of {runs['id'].iloc[order[bad[0]]]} has no number at some epoch "
            f"({len(bad):,} points)",
            where=str(path),
            mend=FETCH,
        )
    shortest: Numbers = values.astype(np.str_).astype(np.float64)
    return shortest
