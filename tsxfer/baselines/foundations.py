"""Foundation models that a user has on disk: where their weights lie and what names them.

``TSXFER_MANTIS`` and ``TSXFER_MOMENT`` name folders as their authors publish them (``config.json``
and ``model.safetensors``); ``TSXFER_MANTIS_PYTHON`` and ``TSXFER_MOMENT_PYTHON`` name the
interpreter that has the package, the running one if they are not set. Nothing is ever downloaded.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from tsxfer.core.specs import FOUNDATIONS, Trial
from tsxfer.errors import SpecError

FILES = ("config.json", "model.safetensors")
PACKAGES = {"mantis": "mantis-tsfm", "moment": "momentfm"}


def variable(name: str) -> str:
    """The environment variable that names a model's weights."""
    return f"TSXFER_{name.upper()}"


def folder(name: str) -> Path:
    """The folder with a model's weights.

    Raises:
        SpecError: If it is not named, or is not such a folder.
    """
    said = os.environ.get(variable(name), "")
    missing = [file for file in FILES if not (Path(said) / file).is_file()]
    if said and not missing:
        return Path(said)
    raise SpecError(
        f"the baseline {name} needs weights on disk: {said!r} holds no {' and no '.join(missing)}"
        if said
        else f"the baseline {name} needs weights on disk",
        where=variable(name),
        mend=f"export {variable(name)}=FOLDER with {' and '.join(FILES)}, as published; "
        f"or leave {name} out of the baselines",
    )


def interpreter(name: str) -> str:
    """The Python that has the model's package."""
    return os.environ.get(f"{variable(name)}_PYTHON") or sys.executable


def digest(name: str) -> str:
    """Hash of a model's configuration and weights, as 16 hexadecimal digits.

    Raises:
        SpecError: If they are not there.
    """
    found = folder(name)
    return _hash(tuple((found / f, (found / f).stat().st_mtime_ns) for f in FILES))


@lru_cache(maxsize=8)
def _hash(files: tuple[tuple[Path, int], ...]) -> str:
    held = hashlib.sha256()
    for path, _ in files:
        with path.open("rb") as file:
            held.update(hashlib.file_digest(file, "sha256").digest())
    return held.hexdigest()[:16]


def fingerprint(trial: Trial) -> dict[str, str]:
    """What a trial's row says of the weights that it read; nothing where they are not named now."""
    name = trial.baseline
    if name not in FOUNDATIONS or not os.environ.get(variable(name)):
        return {}
    return {f"{name} weights": digest(name)}


def check(trials: Iterable[Trial]) -> None:
    """Say at once that weights are missing, not after hours of other trials.

    Raises:
        SpecError: For the first that are.
    """
    for name in dict.fromkeys(t.baseline for t in trials if t.baseline in FOUNDATIONS):
        assert name is not None  # noqa: S101  (it is in FOUNDATIONS)
        folder(name)
