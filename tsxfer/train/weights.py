"""Weights on disk: safetensors, with the row of the trial that made them in the header."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tsxfer.errors import StoreError
from tsxfer.store.checkpoints import DIGEST, ROW, digest, header
from tsxfer.store.workspace import unique

AGAIN = "delete the file and run the study again; only that training is repeated"


def save(path: Path, weights: dict[str, Tensor], row: str) -> None:
    """Write weights and the trial's row (JSON); the file appears whole or not at all.

    Raises:
        StoreError: If it cannot be written.
    """
    partial = path.with_suffix(f".{unique()}.partial")
    tensors = {n: t.detach().cpu().contiguous() for n, t in weights.items()}
    facts = {ROW: row, DIGEST: digest({n: t.numpy() for n, t in tensors.items()})}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, partial, facts)
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise StoreError(
            f"weights cannot be written: {error}",
            where=str(path.parent),
            mend="free space or choose another --workspace, then run again to resume",
        ) from None


def load(path: Path, mend: str = AGAIN) -> dict[str, Tensor]:
    """Weights by tensor name.

    Args:
        path: The file.
        mend: What helps where it is damaged; only weights of a workspace are trained again.

    Raises:
        StoreError: If the file is missing or damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            found: dict[str, Tensor] = {n: file.get_tensor(n) for n in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, str(error), mend) from None
    if DIGEST in facts and facts[DIGEST] != digest({n: t.numpy() for n, t in found.items()}):
        raise _unreadable(path, "their hash is not the one that was written with them", mend)
    return found


def _unreadable(path: Path, why: str, mend: str) -> StoreError:
    return StoreError(
        f"weights cannot be read: {why}",
        where=str(path),
        mend=mend,
    )


def row(path: Path) -> dict[str, object] | None:
    """The row kept in a weights file; None where there is no whole and intact file."""
    found = header(path)
    return found.row if found is not None and found.intact else None
