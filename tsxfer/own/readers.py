"""The layouts that can be read: which reader takes a file, a folder or a name.

A reader is one function ``read(path, described, scratch) -> Content``. It gives windows, labels and
groups as they are found; NaN, lengths, precision, duplicates and classes are checked after it, in
one place for all. Layouts are asked in the order of `LAYOUTS`; the first that takes a path reads
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from tsxfer.data import catalogue
from tsxfer.errors import SpecError, TsxferError
from tsxfer.own import (
    archive,
    converted,
    daily,
    edf,
    folders,
    hdf,
    matlab,
    npz,
    official,
    packed,
    pairs,
    seisbench,
    tables,
    ts,
    ucr,
    unread,
)
from tsxfer.own.content import Content
from tsxfer.own.description import Description

Reader: TypeAlias = Callable[[Path, Description, Path], Content]
Takes: TypeAlias = Callable[[Path, Description], bool]


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which windows lie in files.

    Attributes:
        name: In one phrase, for messages.
        takes: Whether this layout reads a path, given what is said of it; it looks at names alone
            where it can, and never reads samples.
        read: From the path, what is said of it, and a folder for arrays that memory should not hold
            (removed after the import), to what the file holds.
        endings: Of files, small letters; shown in messages.
        prefix: Of names that mean no path, e.g. ``ucr:``.
        beside: Further files that are read with a path, as far as flags do not name them.
        deaf: Flags that mean nothing to it: they are refused rather than passed over.
    """

    name: str
    takes: Takes
    read: Reader
    endings: tuple[str, ...] = ()
    prefix: str = ""
    beside: Callable[[Path, Description], tuple[Path, ...]] = lambda _path, _described: ()
    deaf: tuple[str, ...] = ()


def by_ending(name: str, read: Reader, *endings: str, deaf: tuple[str, ...] = ()) -> Layout:
    """A layout of single files, told by how their names end."""
    return Layout(
        name, lambda path, _: path.name.lower().endswith(endings), read, endings, deaf=deaf
    )


def _is_recording(path: Path, described: Description) -> bool:
    """Whether a single file is one signal along time: by its kind, or since flags cut it."""
    name, cut = path.name.lower(), bool(described.window or described.intervals)
    always = (*folders.SOUNDS, *folders.EARTH, *edf.ENDINGS, ".hea")
    return path.is_file() and name.endswith(folders.ENDINGS if cut else always)


def _single() -> tuple[str, ...]:
    """Endings of what is read in an archive: no archives, which may hold themselves."""
    return tuple(ending for ending in endings() if ending not in packed.ENDINGS)


def _read_inside(path: Path, described: Description, scratch: Path) -> Content:
    """What an archive or another program's table holds, read as if it were given by itself."""
    folder = scratch / "inside"
    inside, note = path, ""
    if path.name.lower().endswith(packed.ENDINGS):
        inside, note = packed.unpacked(path, folder, _single())
    if inside.name.lower().endswith(converted.ENDINGS):
        inside = converted.converted(inside, folder / "table")
    try:
        layout = find(inside, described)
        _refuse_deaf(layout, described, path)
        content = layout.read(inside, described, scratch)
    except TsxferError as error:  # of a file that nobody sees
        problem, where, mend = (
            text.replace(str(inside), str(path))
            for text in (error.problem, error.where, error.mend)
        )
        raise type(error)(problem, where=where, mend=mend) from None
    return replace(content, notes=(note, *content.notes)) if note else content


CUTS = ("window", "step", "intervals", "pattern")  # flags of recordings

LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "a set of the UCR/UEA archive by name",
        lambda path, _: str(path).startswith(ucr.PREFIX),
        ucr.read,
        prefix=ucr.PREFIX,
    ),
    Layout("daily prices", daily.is_daily, daily.read, (".csv",)),
    Layout(
        "a SeisBench data set",
        lambda path, _: seisbench.is_seisbench(path),
        seisbench.read,
        deaf=("x", "axes", "header", *CUTS),
    ),
    Layout(
        "X.npy beside y.npy",
        pairs.is_pair,
        pairs.read,
        (".npy",),
        beside=pairs.files_of,
    ),
    Layout(
        "a recording",
        _is_recording,
        folders.read,
        folders.ENDINGS,
        beside=folders.beside,
    ),
    by_ending(
        "a packed file, or another program's table",
        _read_inside,
        *packed.ENDINGS,
        *converted.ENDINGS,
    ),
    by_ending("arrays of HDF5", hdf.read, *hdf.ENDINGS, deaf=("header", *CUTS)),
    Layout("a folder of files", lambda path, _: path.is_dir(), folders.read),
    Layout(
        "a plain table of the UCR archive", archive.is_plain, archive.read_plain, (".tsv", ".txt")
    ),
    by_ending(
        "a table with one window a row", tables.read, *tables.ENDINGS, deaf=("step", "pattern")
    ),
    by_ending("arrays x, y and group", npz.read, ".npz", deaf=("header", *CUTS)),
    by_ending(
        "sktime's series",
        ts.read,
        ".ts",
        deaf=("x", "axes", "header", *CUTS),
    ),
    by_ending("series of the UEA archive", archive.read_arff, ".arff"),
    by_ending("variables of MATLAB", matlab.read, ".mat", deaf=("header", *CUTS)),
)


def is_own(name: str) -> bool:
    """Whether a name on the command line means a file, a folder or a set of the user's own.

    A folder that is called as a data set is, is meant only where it is written ``./speech``.
    """
    if any(layout.prefix and name.startswith(layout.prefix) for layout in LAYOUTS):
        return True
    path = Path(name)
    if path.is_dir():
        return name not in catalogue.names()
    return name.lower().endswith(endings()) and not unread.way_out(name)


def endings() -> tuple[str, ...]:
    """Endings of the files that some layout reads."""
    return tuple(dict.fromkeys(ending for layout in LAYOUTS for ending in layout.endings))


def find(path: Path, described: Description) -> Layout:
    """The layout of a path.

    Raises:
        SpecError: If none takes it, or there is nothing at the path.
    """
    named = any(layout.prefix and str(path).startswith(layout.prefix) for layout in LAYOUTS)
    if not named and not path.exists():
        raise SpecError(f"no file {path}", mend="check the path")
    for layout in LAYOUTS:
        if layout.takes(path, described):
            return layout
    kind = "a folder whose layout" if path.is_dir() else "a file whose ending"
    raise SpecError(
        f"{path} is {kind} is not known",
        mend=unread.way_out(str(path))
        or f"give files that end in {', '.join(endings())}; docs/layouts.md lists all layouts",
    )


def _refuse_deaf(layout: Layout, described: Description, path: Path) -> None:
    """A flag that would be passed over in silence."""
    said = [f"--{name}" for name in layout.deaf if getattr(described, name)]
    if not said and described.step and not described.window:
        raise SpecError(
            "--step without --window: nothing is cut", where=str(path), mend="say --window too"
        )
    if said:
        raise SpecError(
            f"{', '.join(said)} means nothing for {layout.name}",
            where=str(path),
            mend="leave it out; what is cut with --window are tables, .npy, sound, EDF and WFDB",
        )


def _refuse_no_part(content: Content, described: Description, path: Path) -> None:
    """``--test`` that nothing heeds would leave the official split out in silence."""
    if described.test in ("", "no") or described.unlabelled or content.part is not None:
        return
    raise SpecError(
        f"--test {described.test} names no file, and no column or array of {path.name}",
        where=str(path),
        mend="correct the name, or leave --test out: then the split is drawn",
    )


def also_read(layout: Layout, path: Path, described: Description) -> tuple[Path, ...]:
    """Files that are read with a path: its own mates, and the official test part beside it."""
    test = official.test_file(path, described)
    return (*layout.beside(path, described), *(() if test is None else (test,)))


def with_absent(content: Content, described: Description) -> Content:
    """The same, knowing the number that ``--nan`` says."""
    said = described.nan not in ("", "none")
    return replace(content, absent=float(described.nan)) if said else content


def read(path: Path, described: Description, scratch: Path) -> Content:
    """What a file or folder holds, by the first layout that takes it, its test part included.

    Raises:
        TsxferError: If none takes it, or it cannot be read.
    """
    layout = find(path, described)
    _refuse_deaf(layout, described, path)
    content = with_absent(layout.read(path, described, scratch), described)
    test = official.test_file(path, described)
    if test is None:
        _refuse_no_part(content, described, path)
        return content
    apart = scratch / "test"
    apart.mkdir()
    other = with_absent(layout.read(test, described, apart), described)
    return official.joined(content, other, f"{path.name} and {test.name}")
