"""The version of an own data set: a hash of its bytes and of what is said of them."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from tsxfer.keys import canonical
from tsxfer.own.description import Description
from tsxfer.own.walking import files_below
from tsxfer.store.workspace import Workspace, write_whole

READING = 2  # raised when the same file is read as other windows, labels or groups than before
MENDED = 3  # raised when a mend may read some files otherwise and names stay: see `older`
MARK = "reading.txt"  # beside the arrays of an own data set: by which reading they were made
LARGE = 1 << 26  # bytes: from here on the hash is remembered by size and time of change
SETTLED = (
    10.0  # seconds since the last change, before which a file may change within its time stamp
)
Listing = list[tuple[str, int, int]]


def version_of(
    path: Path, described: Description, workspace: Workspace, also: tuple[Path, ...] = ()
) -> str:
    """Eight hexadecimal digits that change with any byte and any word of the description.

    Args:
        path: A file, a folder (all files below it count) or a name that means no path.
        described: What is said; files named in it (``intervals``, ``test``) count too.
        workspace: Where hashes of large files are remembered.
        also: Further files that are read with it, such as ``y.npy`` beside ``X.npy``.
    """
    digest = hashlib.sha256(f"{READING} {canonical(described)}".encode())
    beside = [Path(named) for named in (described.intervals, described.test) if named]
    for place in (path, *(path for path in (*beside, *also) if path.is_file())):
        digest.update(_bytes_of(place, workspace) if place.exists() else str(place).encode())
    return digest.hexdigest()[:8]


def older(folder: Path) -> bool:
    """Whether a prepared data set was read before the last mend of how files are read.

    Its name stays, so that rows and frozen result sets that name it stay valid; reading it again is
    offered.
    """
    try:
        return int((folder / MARK).read_text(encoding="ascii")) < MENDED
    except (OSError, ValueError):
        return True


def _bytes_of(path: Path, workspace: Workspace) -> bytes:
    listing = _listing(path)
    if path.is_file() and listing[0][1] < LARGE:
        return _hashed(path)
    if sum(size for _, size, _ in listing) < LARGE:
        return _hashed_all(path, listing)
    named = hashlib.sha256(f"{path.resolve()} {json.dumps(listing)}".encode()).hexdigest()
    memory = workspace.root / "hashes" / named[:32]
    with suppress(OSError, ValueError):
        return bytes.fromhex(memory.read_text(encoding="ascii"))
    found = _hashed(path) if path.is_file() else _hashed_all(path, listing)
    newest = max(changed for *_, changed in listing) / 1e9
    if time.time() - newest > SETTLED:
        with suppress(OSError):  # a workspace that cannot be written says so elsewhere
            write_whole(memory, found.hex())
    return found


def _listing(path: Path) -> Listing:
    """Name, bytes and time of change of each file, in order of names."""
    files = [path] if path.is_file() else files_below(path)
    facts = ((file, file.stat()) for file in files)
    return [(file.relative_to(path).as_posix(), s.st_size, s.st_mtime_ns) for file, s in facts]


def _hashed(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _hashed_all(path: Path, listing: Listing) -> bytes:
    digest = hashlib.sha256()
    for name, size, _ in listing:
        digest.update(f"{name} {size}\n".encode() + _hashed(path / name))
    return digest.digest()
