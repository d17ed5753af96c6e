"""A user's own file as a prepared data set: described by flags or a card, named by content.

``mine.csv`` becomes ``mine+own@3f9a2c1b``: the version is a hash of the file and its description,
so a changed file is another data set, trained anew, and rows of the two never mix.
"""

from __future__ import annotations

import json
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path

from tsxfer.core.building import from_plain
from tsxfer.core.names import OWN, DatasetName
from tsxfer.data.card import Dataset
from tsxfer.data.catalogue import CARD, read_card
from tsxfer.data.prepare import Prepared, load, prepare
from tsxfer.data.suspects import suspects_of
from tsxfer.errors import SpecError
from tsxfer.own import packed
from tsxfer.own.checked import check
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.readers import Layout, also_read, endings, find, read
from tsxfer.own.reading import READ, as_text
from tsxfer.own.version import MARK, MENDED, older, version_of
from tsxfer.store.leases import alone
from tsxfer.store.workspace import Workspace, write_whole


def bring_outputs(
    path: Path, flags: Description, workspace: Workspace, *, again: bool = False
) -> list[Prepared]:
    """The data sets of a file, one for each of several labels (``y,y2``): each has its own verdict.

    Args:
        path: The file or folder.
        flags: What is said of it, beside its card.
        workspace: Where the data sets will lie.
        again: Read it even where it was read before, and put what is read in its place.

    Raises:
        TsxferError: See `bring`.
    """
    described = described_by(path, flags)
    labels = [label.strip() for label in described.label.split(",") if label.strip()]
    if len(labels) < 2:
        return [bring(path, flags, workspace, again=again)]
    alone = ((label, _alone(described, label, labels)) for label in labels)
    return [bring(path, one, workspace, label, again=again) for label, one in alone]


def _alone(described: Description, label: str, labels: list[str]) -> Description:
    """One label of several; the others are no samples."""
    others = tuple(other for other in labels if other != label)
    return replace(described, label=label, ignore=(*described.ignore, *others))


def bring(
    path: Path, flags: Description, workspace: Workspace, output: str = "", *, again: bool = False
) -> Prepared:
    """The prepared data set of a file; read and checked only when file or description are new.

    Any number of processes may bring the same file at once: one reads it, the others wait.

    Args:
        path: The file or folder.
        flags: What is said of it, beside its card.
        workspace: Where the data set will lie.
        output: Of several labels the one that is brought; it becomes part of the name.
        again: Read it even where it was read before.

    Raises:
        TsxferError: If the file, its card or the flags do not make a data set.
    """
    described = described_by(path, flags)
    layout = find(path, described)
    version = version_of(path, described, workspace, also_read(layout, path, described))
    name = name_of(path, layout) + (f"_{plain_name(output)}" if output else "")
    return brought(
        DatasetName(name, OWN, version),
        path.name,
        lambda place: read(path, described, place),
        described,
        workspace,
        again=again,
    )


def brought(
    named: DatasetName,
    shown: str,
    content: Callable[[Path], Content],
    described: Description,
    workspace: Workspace,
    *,
    again: bool = False,
) -> Prepared:
    """The prepared data set of that name; `content` is asked for only where it is not there yet.

    Args:
        named: With the hash of content and description as its version.
        shown: What messages call it.
        content: From a folder for arrays that memory should not hold to what was read.
        described: What is said of it.
        workspace: Where the data set will lie.
        again: Ask even where it is there, and put the new one in its place.

    Raises:
        TsxferError: If the content does not make a data set.
    """
    known = workspace.data(str(named))
    kept = None if again else _kept(known)
    if kept is None:
        workspace.make()
        with alone(workspace.root / "leases", f"prepare-{known.name}"):
            kept = (None if again else _kept(known)) or _import(
                shown, content, described, known, workspace
            )
    return kept


def _kept(folder: Path) -> Prepared | None:
    """What was read before; where that was before a mend of the reading, a note says so."""
    made = load(Dataset(read_card(folder)), folder) if (folder / CARD).exists() else None
    if made is None or not older(folder):
        return made
    note = (
        "this was prepared by an older reading of files: `tsxfer prepare FILE --again`, with the "
        f"same flags (or deleting {folder}), reads it anew and says whether that differs"
    )
    return replace(made, notes=(*made.notes, note))


def described_by(path: Path, flags: Description) -> Description:
    """The card beside the file, overruled by what flags say.

    Raises:
        SpecError: For a card with unknown names or wrong types.
    """
    beside = card_beside(path)
    if not beside.exists():
        return flags
    try:
        data = tomllib.loads(beside.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(
            f"the card cannot be read: {error}", where=str(beside), mend="edit that line"
        ) from None
    card, blank = from_plain(Description, data, where=str(beside)), Description()
    said = {
        f.name: getattr(flags, f.name)
        for f in fields(Description)
        if getattr(flags, f.name) != getattr(blank, f.name)
    }
    return replace(card, **said)


def card_beside(path: Path) -> Path:
    """``mine.toml`` of ``mine.csv``, of ``mine.csv.gz`` and of ``mine.csv.zip``."""
    whole = path.absolute()
    inside = packed.without(whole.name)
    named = inside if inside.lower().endswith(endings()) else whole.name
    return whole.with_name(Path(named).with_suffix(".toml").name)


def plain_name(stem: str) -> str:
    """A file's stem as the name of a data set."""
    return re.sub(r"[^a-z0-9_]+", "_", stem.lower()).strip("_") or "data"


def name_of(path: Path, layout: Layout) -> str:
    """The name of the data set that a path becomes: without its ending or prefix."""
    stem = path.absolute().name.removeprefix(layout.prefix)
    known = layout.endings
    if stem.lower().endswith(packed.ENDINGS):
        stem, known = packed.without(stem), endings()
    ending = max((e for e in known if stem.lower().endswith(e)), key=len, default="")
    return plain_name(stem[: len(stem) - len(ending)] if ending else stem)


def _import(
    shown: str,
    content: Callable[[Path], Content],
    described: Description,
    goal: Path,
    workspace: Workspace,
) -> Prepared:
    with scratch(workspace) as place:
        checked = check(shown, content(place), described)
        named = DatasetName.parse(goal.name)
        card = replace(checked.card, name=named.plain, version=named.version)
        made = prepare(
            Dataset(card),
            checked.blocks(),
            goal,
            beside={
                CARD: json.dumps(asdict(card), indent=1),
                READ: as_text(checked.reading(described)),
                MARK: str(MENDED),
            },
            notes=checked.notes,
        )
    return _warned(made)


def _warned(made: Prepared) -> Prepared:
    """The data set with the warnings that its windows, labels and groups give on a closer look."""
    found = tuple(dict.fromkeys(one.label for one in suspects_of(made) if one.label))
    if not found:
        return made
    card = replace(made.card, warnings=(*made.card.warnings, *found))
    write_whole(made.folder / CARD, json.dumps(asdict(card), indent=1))
    return replace(made, card=card)


@contextmanager
def scratch(workspace: Workspace) -> Iterator[Path]:
    """A folder for arrays that memory should not hold, removed at the end."""
    place = workspace.root / "scratch"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
