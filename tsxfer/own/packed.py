"""Files within files: a table in a zip, bz2 or xz archive, unpacked into the scratch folder."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tsxfer.errors import DataError
from tsxfer.own.faults import unreadable

PRESSED: dict[str, Callable[[Path], Any]] = {
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".ts.gz": gzip.GzipFile,
    ".arff.gz": gzip.GzipFile,
}
ENDINGS = (".zip", *PRESSED)
BLOCK, SMALL, SWOLLEN = 1 << 20, 1 << 30, 500  # bytes, bytes, times the archive's own size
DAMAGED = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    ValueError,
    NotImplementedError,
    KeyError,
)
HIDDEN = re.compile(r"(^|/)(\.|__MACOSX/)")
WORDS = re.compile(r"^(readme|licen[cs]e|about|changes|citation)\b", re.IGNORECASE)


def without(name: str) -> str:
    """The name of what is packed: ``mine.csv`` of ``mine.csv.bz2``."""
    return re.sub(r"\.(zip|bz2|xz|gz)$", "", name, flags=re.IGNORECASE)


def unpacked(path: Path, scratch: Path, readable: tuple[str, ...]) -> tuple[Path, str]:
    """The file in an archive, unpacked, and what is to be said of it.

    Args:
        path: The archive.
        scratch: A folder for what is in it.
        readable: Endings of the files that are looked for in a zip archive.

    Raises:
        DataError: If it is damaged, or a zip archive holds no such file, or several.
    """
    ending = next(e for e in ENDINGS if path.name.lower().endswith(e))
    if ending == ".zip":
        return _from_zip(path, scratch, readable)
    name = without(path.name)
    if not name.lower().endswith(readable):
        raise DataError(
            f"{name!r}, which is packed in {path.name}, ends in nothing that is known",
            where=str(path),
            mend=f"call it for what it is, e.g. {name}.csv{ending}",
        )
    with _faults(path), PRESSED[ending](path) as file:
        return _copied(file, scratch / name, path), ""


def _from_zip(path: Path, scratch: Path, readable: tuple[str, ...]) -> tuple[Path, str]:
    with _faults(path), zipfile.ZipFile(path) as packed:
        every = [each for each in packed.infolist() if not each.is_dir()]
        names = [each.filename for each in every if not HIDDEN.search(each.filename)]
        found = [n for n in names if n.lower().endswith(readable)]
        found = [n for n in found if not WORDS.match(Path(n).name)] or found
        if len(found) != 1:
            raise _not_one(path, found, names)
        with packed.open(found[0]) as file:
            made = _copied(file, scratch / Path(found[0]).name, path)
    more = len(names) - 1
    return made, f"read {found[0]} of {path.name}" + (f"; {more} others are not" if more else "")


def _not_one(path: Path, found: list[str], names: list[str]) -> DataError:
    folder = without(path.name)
    several = ", ".join(found[:6]) + (" ..." if len(found) > 6 else "")
    inside = ", ".join(names[:6]) or "nothing"
    return DataError(
        f"{path.name} holds {len(found)} files of data: {several}"
        if found
        else f"{path.name} holds no file of data that is read here; it holds {inside}",
        where=str(path),
        mend=f"unpack it, python -m zipfile -e {path} {folder}, and give "
        + (
            f"one of its files, {folder}/{found[0]} (or {folder}, if each is a recording)"
            if found
            else f"{folder}/FILE"
        ),
    )


def _copied(file: IO[bytes], goal: Path, path: Path) -> Path:
    """What is packed, as a file; a few bytes that swell to many gigabytes are refused."""
    size, most = 0, max(SMALL, SWOLLEN * path.stat().st_size)
    goal.parent.mkdir(parents=True, exist_ok=True)
    with goal.open("wb") as out:
        while block := file.read(BLOCK):
            size += len(block)
            if size > most:
                raise DataError(
                    f"{path.name} unpacks to more than {SWOLLEN} times its size",
                    where=str(path),
                    mend="unpack it yourself if it is meant to, and give what was in it",
                )
            out.write(block)
    return goal


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """What archives raise, as a `DataError`."""
    try:
        yield
    except DAMAGED as error:
        raise unreadable(path, Exception(str(error))) from None
    except RuntimeError as error:
        if "password" not in str(error):
            raise
        raise DataError(
            f"{path.name} is locked by a password",
            where=str(path),
            mend="unpack it with the password, and give what was in it",
        ) from None
