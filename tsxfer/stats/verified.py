"""Whether a study passed `tsxfer verify`: kept beside its rows, with the state that was checked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tsxfer import __version__
from tsxfer.core.building import from_plain
from tsxfer.core.plugins import with_plugins
from tsxfer.errors import TsxferError
from tsxfer.store.predictions import PREDICTIONS
from tsxfer.store.workspace import write_whole

FILE = "verified.json"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a run of `tsxfer verify` found.

    Attributes:
        when: UTC, ISO 8601.
        version: Of tsxfer.
        checks: Names of all checks that were made.
        failed: Names of those that found a fault.
        skipped: Things that could not be looked at.
        state: Hash of rows, declaration and predictions as they were then.
    """

    when: str
    version: str
    checks: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: int
    state: str


def keep(
    folder: Path, checks: tuple[str, ...], failed: tuple[str, ...], skipped: int, state: str
) -> Verified:
    """Write down what was found of a study's folder in the state that was read."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    found = Verified(when, __version__, checks, failed, skipped, state)
    write_whole(folder / FILE, json.dumps(asdict(found), indent=1))
    return found


def read(folder: Path) -> Verified | None:
    """What was found last; None where nothing was checked, or the file is no longer understood."""
    try:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return from_plain(Verified, data, str(folder / FILE))
    except (OSError, ValueError, TypeError, RecursionError, TsxferError):
        return None


def state_of(folder: Path) -> str:
    """Hash of rows, study and declaration, and of size and time of the predictions."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.toml")]):
        with path.open("rb") as file:
            digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    for path in sorted((folder / PREDICTIONS).glob("*.npz")):
        stat = path.stat()
        digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def in_words(found: Verified | None, folder: Path, name: str) -> tuple[bool | None, str]:
    """Whether the study is sound, and a sentence; None where that was not checked as it is now."""
    ask = with_plugins(f"tsxfer verify {name}")
    if found is None:
        return None, f"not checked: {ask} looks at rows, predictions, declaration and overlap"
    if found.state != state_of(folder):
        return None, f"changed since it was checked on {found.when}: {ask}"
    if found.failed:
        return False, f"FAILED on {found.when}: {', '.join(found.failed)}; {ask} says what"
    left = f"; {found.skipped} things could not be looked at" if found.skipped else ""
    return True, f"all {len(found.checks)} checks passed on {found.when}{left}"
