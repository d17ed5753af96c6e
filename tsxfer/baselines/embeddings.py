"""Embeddings of windows by a foundation model in another interpreter, kept in the workspace."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsxfer.baselines import foundations
from tsxfer.core.cautions import Caution
from tsxfer.errors import SpecError
from tsxfer.store.workspace import Workspace, unique

Floats = NDArray[np.float32]
ADAPTERS = Path(__file__).parent / "adapters"
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
NO_PACKAGE = 3  # exit status of an adapter


def labels(name: str) -> tuple[str, ...]:
    """What a row says of the model: weights differ, and so do scores."""
    return (Caution.WEIGHTS.of(f"{name} {foundations.digest(name)}"),)


def embed(name: str, workspace: Workspace, threads: int, x: Floats) -> Floats:
    """Embeddings of windows, channels one by one and side by side.

    Args:
        name: ``mantis`` or ``moment``.
        workspace: Keeps embeddings under the hash of weights and windows; deleting them is safe.
        threads: Of the CPU.
        x: ``(n, channel, time)``.

    Returns:
        ``(n, channel · width)``.

    Raises:
        SpecError: If weights, interpreter or package are not there, or do not fit each other.
    """
    weights = foundations.folder(name)
    kept = workspace.root / "embeddings" / f"{name}-{_key(foundations.digest(name), name, x)}.npy"
    if kept.exists():
        return _read(kept, name, len(x))
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tsxfer-") as place:
        given, made = Path(place) / "windows.npy", Path(place) / "embeddings.npy"
        np.save(given, np.ascontiguousarray(x, np.float32), allow_pickle=False)
        _run(name, threads, weights, given, made)
        found = _read(made, name, len(x))
    partial = kept.with_name(f".{kept.name}.{unique()}.partial")
    with partial.open("wb") as file:
        np.save(file, found, allow_pickle=False)
    partial.replace(kept)
    return found


def _key(weights: str, name: str, x: Floats) -> str:
    code = (ADAPTERS / f"embed_{name}.py").read_bytes()
    held = hashlib.sha256(f"{weights} {x.shape} ".encode() + code)
    held.update(np.ascontiguousarray(x, np.float32).tobytes())
    return held.hexdigest()[:24]


def _run(name: str, threads: int, weights: Path, given: Path, made: Path) -> None:
    python = foundations.interpreter(name)
    script = str(ADAPTERS / f"embed_{name}.py")
    own = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "PYTHONHOME")}
    own |= OFFLINE | {"OMP_NUM_THREADS": str(threads)}
    words = [python, script, str(weights.resolve()), str(given), str(made)]
    try:
        ended = subprocess.run(  # noqa: S603  (the interpreter that the user named, our script)
            words, env=own, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise SpecError(
            f"the interpreter {python!r} does not start: {error.strerror}",
            where=f"{foundations.variable(name)}_PYTHON",
            mend="name a Python, e.g. the bin/python of a virtual environment",
        ) from None
    if ended.returncode:
        raise _failure(name, python, ended)


def _failure(name: str, python: str, ended: subprocess.CompletedProcess[str]) -> SpecError:
    """One message from what an adapter wrote last."""
    said = ended.stderr.strip().splitlines() or [f"it ended with {ended.returncode}"]
    package = foundations.PACKAGES[name]
    if ended.returncode == NO_PACKAGE:
        return SpecError(
            f"the interpreter {python!r} cannot load {package}: {said[-1]}",
            where=f"{foundations.variable(name)}_PYTHON",
            mend=f"{python} -m pip install {package}, or name another interpreter in "
            f"{foundations.variable(name)}_PYTHON",
        )
    return SpecError(
        f"{name} gave no embeddings: {said[-1]}",
        where=str(foundations.folder(name)),
        mend=f"check that the weights are those of {name} and fit the installed {package}",
    )


def _read(path: Path, name: str, windows: int) -> Floats:
    """Embeddings of so many windows, and nothing that is not a number."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise SpecError(
            f"embeddings cannot be read: {error}", where=str(path), mend="delete the file"
        ) from None
    whole = found.ndim == 2 and len(found) == windows and bool(np.isfinite(found).all())
    if not whole or found.dtype != np.float32:
        raise SpecError(
            f"{name} gave {found.dtype} {found.shape} for {windows} windows, or numbers that are "
            "not finite",
            where=str(path),
            mend="delete the file; check weights and package",
        )
    return found  # type: ignore[no-any-return]
