"""Rows of a result set as a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tsxfer import metrics
from tsxfer.core.results import Result
from tsxfer.exchange.finding import find
from tsxfer.exchange.packed import flat
from tsxfer.exchange.sets import ResultSet
from tsxfer.store.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


def load_results(name: str = "real@1", workspace: str | None = None) -> pd.DataFrame:
    """Rows of a result set, without training anything.

    Args:
        name: A suite that comes with the package (``real@1``), a study of the workspace, a
            ``.parquet`` or ``.jsonl`` file, a folder, or ``https://...#sha256=...``.
        workspace: Where studies are looked for; as ``--workspace``.

    Returns:
        One line for each trial, in the order of the set: what it was (``source``, ``target``,
        ``model``, ``size``, ``repeat``, ``control``, ``baseline``, ...), ``score`` on the sealed
        test and ``chance`` (the best trivial prediction) in units of ``metric``, curves, and for
        transfers ``scratch`` (their twin's score) and ``gain`` (better than the twin where above
        0, whatever the metric). Scratch runs have no ``source``, and neither have the
        pretrainings among them: those of the size that sources are trained on.

    Raises:
        TsxferError: If the name means nothing or what it means cannot be read.

    Example:
        >>> rows = tsxfer.load_results("real@1")
        >>> rows[rows.control.isna()].groupby(["target", "source"]).gain.mean()
    """
    return frame(find(name, Workspace.at(workspace)))


def frame(found: ResultSet) -> pd.DataFrame:
    """The rows of a set; see `load_results`."""
    import pandas as pd

    records = [
        {
            "study": part.study,
            **flat(row),
            **_gain(row, rows),
            "predictions": part.hashes.get(row.key, ""),
        }
        for part in found.parts
        for rows in [{row.key: row for row in part.rows}]
        for row in part.rows
    ]
    return pd.DataFrame.from_records(records)


def _gain(row: Result, rows: Mapping[str, Result]) -> dict[str, Any]:
    twin = rows.get(row.trial.twin().key) if row.trial.reuse else None
    whole = twin is not None and row.status == twin.status == "done"
    if twin is None or not whole:
        return {"scratch": None, "gain": None}
    first, second = (one.scores[one.metric] for one in (twin, row))
    return {"scratch": first, "gain": metrics.get(row.metric).sign * (second - first)}
