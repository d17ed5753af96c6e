"""A user's folder or archive in the form that readers expect: unpacked, nothing written outside."""

from __future__ import annotations

import bz2
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TypeAlias

from tsxfer.errors import DataError

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
SMALL = 1 << 30  # what unpacks to less fills no disk
RATIO = 300  # text packs some 10 times, constant samples some 100 times, bombs 1,000 and more
MEMBERS = 5_000_000
HEADER = 1 << 20  # bytes of a tar's extended header, which is held in memory

Member: TypeAlias = tuple[str, IO[bytes] | None]  # a folder has no content


@contextmanager
def unpacked(place: Path, scratch: Path) -> Iterator[Path]:
    """A folder with the files of `place`; its archives are unpacked into a folder that goes away.

    Args:
        place: A folder, an archive or a single file.
        scratch: Where there is room to unpack.

    Raises:
        DataError: If nothing is there, or an archive is damaged, would write outside, holds
            links, or unpacks to more than there is room for; and what the caller's block raises,
            with the user's path in the place of the scratch folder's.
    """
    if not place.exists():
        raise DataError(f"{place} does not exist", mend="give the folder or archive with --from")
    items = sorted(place.iterdir()) if place.is_dir() else [place]
    archives = [item for item in items if _is_archive(item)]
    if place.is_dir() and not archives:
        yield place
        return
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch) as made:
        folder = Path(made)
        for item in archives:  # before the links are there, so that none is written through
            _unpack(item, folder)
        for item in items:
            if item not in archives:
                _link(item, folder)
        try:
            yield folder
        except DataError as error:
            raise _with_user_paths(error, folder, place) from None


def _with_user_paths(error: DataError, folder: Path, place: Path) -> DataError:
    """The error with the user's path in place of the scratch folder, which is deleted by then."""
    words = (error.problem, error.where, error.mend)
    problem, where, mend = (text.replace(str(folder), str(place)) for text in words)
    return DataError(problem, where=where, mend=mend)


def _is_archive(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and (name.endswith((".zip", ".bz2", *_TARS)))


def _link(item: Path, folder: Path) -> None:
    try:
        (folder / item.name).symlink_to(item.resolve())
    except FileExistsError:
        raise DataError(
            f"{item.name} lies beside an archive and in it",
            where=str(item),
            mend="keep one of them: either the archive or the unpacked files",
        ) from None


def _unpack(path: Path, folder: Path) -> None:
    room = _Room(path, folder)
    try:
        for name, content in _members(path):
            goal = _inside(folder, name, path)
            room.enter()
            if content is None:
                goal.mkdir(parents=True, exist_ok=True)
                continue
            goal.parent.mkdir(parents=True, exist_ok=True)
            room.write(content, goal)
    except DataError:
        raise
    except Exception as error:  # four libraries with exceptions of their own
        raise DataError(
            f"the archive cannot be unpacked: {error or type(error).__name__}",
            where=str(path),
            mend="download it again",
        ) from None


def _members(path: Path) -> Iterator[Member]:
    if path.name.lower().endswith(_TARS):
        with tarfile.open(path, tarinfo=_Header) as tar:
            yield from ((member.name, _content(tar, member, path)) for member in tar)
    elif path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as packed:
            for info in packed.infolist():
                if info.is_dir():
                    yield info.filename, None
                else:
                    with packed.open(info) as content:
                        yield info.filename, content
    else:
        with bz2.open(path) as content:
            yield path.stem, content


class _Header(tarfile.TarInfo):
    """Refuses extended headers that would fill the memory."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if not (self.isfile() or self.isdir()) and self.size > HEADER:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        return super()._proc_member(tar)  # type: ignore[misc,no-any-return]


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> IO[bytes] | None:
    if member.isdir():
        return None
    if not member.isfile():
        raise DataError(
            f"the archive holds {member.name!r}, which is a link or a device",
            where=str(path),
            mend="do not use this archive, or unpack it by hand and look at that link",
        )
    return tar.extractfile(member)


def _inside(folder: Path, name: str, path: Path) -> Path:
    goal = (folder / name).resolve()
    if not goal.is_relative_to(folder.resolve()):
        raise DataError(
            f"the archive holds {name!r}, which lies outside its folder",
            where=str(path),
            mend="do not use this archive",
        )
    return goal


class _Room:
    """What an archive may still write: a share of its own size, and never more than is free."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.members = path, MEMBERS
        self.left = min(shutil.disk_usage(folder).free, max(SMALL, RATIO * path.stat().st_size))

    def enter(self) -> None:
        """Count a member: empty files fill a disk too."""
        self.members -= 1
        if self.members < 0:
            raise self._bomb()

    def write(self, content: IO[bytes], goal: Path) -> None:
        """Copy a member; it is the bytes that count, not what the archive says of them."""
        with goal.open("wb") as out:
            while chunk := content.read(1 << 20):
                self.left -= len(chunk)
                if self.left < 0:
                    raise self._bomb()
                out.write(chunk)

    def _bomb(self) -> DataError:
        return DataError(
            f"the archive of {self.path.stat().st_size:,} bytes unpacks to more than {RATIO} times "
            f"its size, to {MEMBERS:,} files, or to more than the disk holds",
            where=str(self.path),
            mend="free space, or unpack it by hand and give the folder with --from",
        )
