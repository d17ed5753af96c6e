"""Bring a user's folder or archive into the form that readers expect: unpacked, nothing escaping."""

from __future__ import annotations

import bz2
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tsxfer.errors import DataError

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@contextmanager
def unpacked(place: Path, scratch: Path) -> Iterator[Path]:
    """A folder with the files of `place`; its archives are unpacked into a folder that goes away.

    Args:
        place: A folder, an archive or a single file.
        scratch: Where there is room to unpack.

    Raises:
        DataError: If nothing is there, or an archive is damaged or would write outside.
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
        for item in items:
            if item in archives:
                _unpack(item, folder)
            else:
                (folder / item.name).symlink_to(item.resolve())
        yield folder


def _is_archive(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and (name.endswith((".zip", ".bz2", *_TARS)))


def _unpack(path: Path, folder: Path) -> None:
    try:
        if path.name.lower().endswith(_TARS):
            with tarfile.open(path) as tar:
                tar.extractall(folder, filter="data")
        elif path.suffix.lower() == ".zip":
            _unzip(path, folder)
        else:
            with bz2.open(path) as packed, (folder / path.stem).open("wb") as out:
                shutil.copyfileobj(packed, out)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DataError(
            f"the archive cannot be unpacked: {error}", where=str(path), mend="download it again"
        ) from None


def _unzip(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as packed:
        for member in packed.namelist():
            if not (folder / member).resolve().is_relative_to(folder.resolve()):
                raise DataError(
                    f"the archive holds {member!r}, which lies outside its folder",
                    where=str(path),
                    mend="do not use this archive",
                )
        packed.extractall(folder)  # noqa: S202  (every member was checked)
