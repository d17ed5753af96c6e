"""Where the state of trainings that have not ended lies, until their rows are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from tsxfer.store.workspace import Workspace


def place(workspace: Workspace, keys: Sequence[str]) -> Path:
    """File of the trials that train together; it begins with the key of the first.

    Args:
        workspace: Where they train.
        keys: Of the trials, in order.
    """
    together = hashlib.sha256(" ".join(keys).encode()).hexdigest()[:8]
    return workspace.root / "unfinished" / f"{keys[0]}.{together}.state"


def forget(workspace: Workspace, keys: Sequence[str]) -> None:
    """The rows of these trials are stored: their state, and what a kill left of it, goes."""
    folder = workspace.root / "unfinished"
    if not folder.exists():
        return
    for key in keys:
        for path in folder.glob(f"{key}.*"):
            path.unlink(missing_ok=True)
