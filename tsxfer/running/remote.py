"""Pretrained weights in an object store: workspaces that share no folder share these."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tsxfer.core.specs import Trial
from tsxfer.errors import SpecError, StoreError
from tsxfer.keys import content_key
from tsxfer.running.fingerprints import fingerprints
from tsxfer.store.workspace import Workspace, unique


def name_of(workspace: Workspace, trial: Trial) -> str:
    """What a trial's weights are called there: other data, other name."""
    return f"{trial.key}-{content_key(fingerprints(workspace, trial))}.safetensors"


def push(url: str, name: str, path: Path) -> None:
    """Copy a weights file to the store; others see it whole or not at all.

    Raises:
        SpecError: If there is no driver for such a URL.
        StoreError: If the store refuses.
    """
    with _store(url) as (files, root):
        partial = f"{root}/.{unique()}.partial"
        files.makedirs(root, exist_ok=True)
        files.put_file(str(path), partial)
        files.mv(partial, f"{root}/{name}")


def pull(url: str, name: str, path: Path) -> None:
    """Fetch a weights file if it is missing here and the store has it.

    Raises:
        SpecError: If there is no driver for such a URL.
        StoreError: If the store refuses.
    """
    if path.exists():
        return
    with _store(url) as (files, root):
        there = f"{root}/{name}"
        if not files.exists(there):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{unique()}.partial")
        files.get_file(there, str(partial))
        partial.replace(path)


@contextmanager
def _store(url: str) -> Iterator[tuple[Any, str]]:
    try:
        import fsspec

        files, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise SpecError(
            f"weights cannot be shared through {url}: {error}",
            mend='pip install "tsxfer[remote]" and the driver of that URL (s3fs, gcsfs, ...)',
        ) from None
    try:
        yield files, root.rstrip("/")
    except Exception as error:  # each driver has exceptions of its own
        raise StoreError(
            f"the store of weights fails: {type(error).__name__}: {error}",
            where=url,
            mend="check the address and your rights there, then run again to resume",
        ) from error
