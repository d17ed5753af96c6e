"""Whose predictions a file holds: the hash of their row lies beside them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from tsxfer.core.results import Result

PREDICTIONS = "predictions"  # in the folder of a study; one file a key, that of the last training


def row_digest(folder: Path, key: str) -> str:
    """Hash of the row that kept predictions are of.

    Args:
        folder: Of the study.
        key: Of the trial.

    Returns:
        `Result.digest` of that row; "" where no whole file lies there, or one of an earlier
        version, which did not say it.
    """
    try:
        path = folder / PREDICTIONS / f"{key}.npz"
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return str(kept["row"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return ""  # the check of predictions says what is wrong with them


def of_another(folder: Path, row: Result) -> bool:
    """Whether the predictions that lie under a row's key are those of another row."""
    return row_digest(folder, row.key) not in ("", row.digest)
