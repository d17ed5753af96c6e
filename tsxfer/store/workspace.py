"""Where prepared data, weights and results live, and what machine made them."""

from __future__ import annotations

import json
import os
import platform
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path

from tsxfer import __version__
from tsxfer.errors import StoreError

DEFAULT = "tsxfer-workspace"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One folder: ``data/``, ``weights/``, ``results/<study>/``, ``reports/``."""

    root: Path

    @classmethod
    def at(cls, place: str | None) -> Workspace:
        """The workspace named on the command line, else by ``TSXFER_WORKSPACE``, else here."""
        return cls(Path(place or os.environ.get("TSXFER_WORKSPACE") or DEFAULT))

    def data(self, dataset: str) -> Path:
        """Folder of a prepared data set."""
        return self.root / "data" / dataset

    def has(self, dataset: str) -> bool:
        """Whether a data set is prepared here; it may be damaged."""
        return (self.data(dataset) / "meta.json").exists()

    def weights(self, key: str) -> Path:
        """File with a trial's weights."""
        return self.root / "weights" / f"{key}.safetensors"

    def results(self, study: str) -> Path:
        """Folder of a study's rows and predictions."""
        return self.root / "results" / study

    def studies(self) -> list[str]:
        """Names of studies that have been started here."""
        return sorted(p.parent.name for p in (self.root / "results").glob("*/study.toml"))

    def fingerprints(self) -> dict[str, str]:
        """Fingerprint of each data set that is prepared, by versioned name."""
        found = {}
        for facts in sorted((self.root / "data").glob("*/meta.json")):
            try:
                found[facts.parent.name] = str(json.loads(facts.read_bytes())["fingerprint"])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # `prepare.load` says what is wrong with it
        return found

    def make(self) -> None:
        """Create the root, or say why it cannot be written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".write-{unique()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"the workspace cannot be written: {error.strerror}",
                where=str(self.root),
                mend="choose another folder with --workspace, or free space",
            ) from None


def unique() -> str:
    """A file stem that no other process on any machine uses: ``host-pid-random``."""
    host = "".join(c if c.isalnum() or c in "-_" else "-" for c in socket.gethostname())[:40]
    return f"{host}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file that appears whole or not at all, whenever the process or the disk ends.

    What a kill leaves of it is ``NAME.*.partial`` in the same folder.
    """
    held = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{unique()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(held)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def environment() -> dict[str, str]:
    """Versions and platform for a row, without importing what they belong to."""
    from importlib import metadata

    found = {"tsxfer": __version__, "python": platform.python_version()}
    for package in ("torch", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    found["platform"] = platform.platform(terse=True)
    return found
