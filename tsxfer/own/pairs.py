"""``X.npy`` beside ``y.npy`` (and ``groups.npy``), named or in a folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tsxfer.data.arrays import read_array
from tsxfer.errors import DataError
from tsxfer.own.arrays import content_of_arrays
from tsxfer.own.content import Content
from tsxfer.own.description import Description

WINDOWS = re.compile(r"^(x|data|windows|samples|signals)(_train|_test)?$", re.IGNORECASE)
MEND = "save it with np.save, without Python objects"


def is_pair(path: Path, described: Description) -> bool:
    """Whether a ``.npy`` file, or a folder of some, holds windows with labels beside it."""
    if described.window:
        return False
    if path.is_file():
        return path.suffix.lower() == ".npy" and not described.pattern
    return path.is_dir() and _windows_in(path, described) is not None


def _windows_in(folder: Path, described: Description) -> Path | None:
    wanted = Path(described.x).stem if described.x else ""
    files = sorted(folder.glob("*.npy"))
    return next(
        (f for f in files if f.stem == wanted or (not wanted and WINDOWS.match(f.stem))), None
    )


def files_of(path: Path, described: Description) -> tuple[Path, ...]:
    """All files that are read for a path: those beside it that go with it."""
    folder = path if path.is_dir() else path.parent
    named = [Path(text).stem for text in (described.label, described.group, described.x) if text]
    mates = [
        f
        for f in sorted(folder.glob("*.npy"))
        if f.stem in named or f == path or _goes_with(f, path, folder)
    ]
    return tuple(mates)


def _goes_with(file: Path, path: Path, folder: Path) -> bool:
    """Whether a file is called as labels, groups or the test part of the same windows are."""
    if path == folder:
        return True
    pre, _, post = _cut(path.stem)
    before, role, after = _cut(file.stem)
    other = {"_train": "_test", "_test": "_train"}.get(post, "")
    return role != "" and before == pre and after in {post, other}


ROLE = re.compile(
    r"^(?P<pre>.*?)(?P<role>x|data|windows|samples|signals|y|labels?|targets?|class(?:es)?|groups?|subjects?)"
    r"(?P<post>_train|_test)?$",
    re.IGNORECASE,
)


def _cut(stem: str) -> tuple[str, str, str]:
    found = ROLE.match(stem)
    return (found["pre"], found["role"], (found["post"] or "").lower()) if found else (stem, "", "")


def read(path: Path, described: Description, scratch: Path) -> Content:
    """Windows left on disk, with labels and groups from the files beside them.

    Raises:
        DataError: If a file is no plain array, or no labels lie beside the windows.
    """
    del scratch
    files = files_of(path, described)
    pre = _cut(path.stem)[0] if path.is_file() else ""
    arrays: dict[str, NDArray[Any]] = {
        file.stem.removeprefix(pre) or file.stem: read_array(file, mend=MEND, mapped="r")
        for file in files
        if file.stem not in described.ignore
    }
    if len(arrays) == 1 and not described.unlabelled:
        raise DataError(
            f"{path.name} holds windows alone: no file of labels lies beside it",
            where=f"{(path if path.is_dir() else path.parent)} has: "
            + ", ".join(
                f.name for f in sorted((path if path.is_dir() else path.parent).iterdir())[:12]
            ),
            mend="save labels as y.npy beside it (groups as groups.npy), or name the file with "
            "--label; for one long recording say --window",
        )
    return content_of_arrays(arrays, _plain(described, path, pre), path)


def _plain(described: Description, path: Path, pre: str) -> Description:
    """Names of arrays in place of names of files."""
    from dataclasses import replace

    def stem(text: str) -> str:
        return Path(text).stem.removeprefix(pre) if text else ""

    x = stem(described.x) or (stem(path.name) if path.is_file() else "")
    return replace(described, x=x, label=stem(described.label), group=stem(described.group))
