"""Weights on disk: safetensors, with the row of the trial that made them in the header."""

from __future__ import annotations

import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from tsxfer.errors import StoreError

_ROW = "tsxfer.row"


def save(path: Path, weights: dict[str, Tensor], row: str) -> None:
    """Write weights and the trial's row (JSON); the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    save_file({n: t.detach().cpu().contiguous() for n, t in weights.items()}, partial, {_ROW: row})
    partial.replace(path)


def load(path: Path) -> dict[str, Tensor]:
    """Weights by tensor name.

    Raises:
        StoreError: If the file is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise StoreError(
            f"weights cannot be read: {error}",
            where=str(path),
            mend="delete the file and run the study again; only that training is repeated",
        ) from None


def row(path: Path) -> dict[str, object] | None:
    """The row kept in a weights file; None where there is no whole file."""
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(_ROW, "")
        found = json.loads(text)
    except (OSError, SafetensorError, ValueError):
        return None
    return found if isinstance(found, dict) else None
