"""Folders that hold more, or other things, than the windows that are read of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tsxfer.errors import DataError

DATA = {
    ".mp3",
    ".ogg",
    ".m4a",
    ".aac",
    ".aiff",
    ".aif",
    ".opus",
    ".wma",
    ".xlsx",
    ".xls",
    ".npz",
    ".mat",
    ".h5",
    ".hdf5",
    ".c3d",
    ".set",
    ".vhdr",
    ".gdf",
    ".json",
    ".jsonl",
    ".feather",
}  # not read here


def other_kinds(
    folder: Path, below: Sequence[Path], files: Sequence[Path], known: Sequence[str]
) -> list[str]:
    """Files beside those that are read, told by how their names end."""
    taken = {file.stem for file in files}
    others = [f for f in below if f.stem not in taken and f.suffix.lower() in {*known, *DATA}]
    if not others:
        return []
    counted = Counter(file.suffix.lower() for file in others)
    shown = ", ".join(f"{count} {ending}" for ending, count in counted.most_common(4))
    return [
        f"files of other kinds are left out: {shown}, e.g. {others[0].relative_to(folder)}; one "
        "kind is read at a time"
    ]


def odd_folders(folder: Path, files: Sequence[Path]) -> list[str]:
    """Folders that look like a class and hold nothing, or that are classes and look like none."""
    held = {file.relative_to(folder).parts[0] for file in files}
    named = sorted(f.name for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
    empty = [name for name in named if name not in held and name != "__MACOSX"]
    odd = [name for name in named if name in held and name.startswith("_")]
    return [
        *([f"folders without a file that is read: {', '.join(empty[:6])}"] if empty else []),
        *(
            f"the folder {name} is taken as a class: move it elsewhere if it is none"
            for name in odd
        ),
    ]


def refuse_deep(files: list[Path], folder: Path) -> None:
    """Folders within folders, of which any may be the class.

    Raises:
        DataError: If there are some.
    """
    deep = next((f for f in files if len(f.relative_to(folder).parts) > 2), None)
    if deep is None:
        return
    parts = deep.relative_to(folder).parts
    names = ["{label}", "{group}", *(f"{{folder{n}}}" for n in range(3, len(parts)))]
    if len({f.relative_to(folder).parts[0] for f in files}) == 1:  # one folder around all others
        names = [parts[0], *names]
    first = parts[0].lower() in ("train", "test", "training", "testing")
    shown = (["{part}", *names] if first else names)[: len(parts) - 1]
    raise DataError(
        f"sub-folders within sub-folders, such as {deep.relative_to(folder).as_posix()}: which is "
        "the class?",
        where=str(folder),
        mend=f"say it: --pattern '{'/'.join(shown)}/{{name}}{deep.suffix}'"
        + (" --test part" if first else ""),
    )
