"""What a weights file says of itself, read without torch: the row of its trial and its own hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROW, DIGEST = "tsxfer.row", "tsxfer.digest"


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a weights file.

    Attributes:
        row: Record of the trial that made the weights.
        intact: The tensors still have the hash that was written with them; files from before
            hashes were written count as intact.
    """

    row: dict[str, object]
    intact: bool


def digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    """First 16 hexadecimal digits of the sha256 over names, shapes and bytes."""
    total = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        total.update(f"{name}{tensor.dtype}{tensor.shape}".encode())
        total.update(np.ascontiguousarray(tensor).tobytes())
    return total.hexdigest()[:16]


def holds(path: Path, data: Mapping[str, str]) -> bool:
    """Whether a weights file is whole, of the trial it is named after, and made from this data."""
    found = header(path)
    if found is None or not found.intact:
        return False
    return found.row.get("key") == path.stem and found.row.get("data") == data


def header(path: Path) -> Header | None:
    """The header of a weights file; None where there is no whole file with a row."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            facts = file.metadata() or {}
            row = json.loads(facts.get(ROW, ""))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    return Header(row, DIGEST not in facts or facts[DIGEST] == digest(tensors))
