"""Labels and groups as found, settled: what is missing, spelt twice, a class or a number."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.doubts import of_classes, of_groups, of_numbers, refuse_dressed
from tsxfer.own.known_labels import known, missing

Task = Literal["classification", "regression"]
MOST_CLASSES = 20  # integers with more distinct values may be numbers: then the task must be said
PARTED = ("|", ";", ",", "+", "/", "&")  # what several labels of one window are written with
LISTED = re.compile(r"^\[.*\]$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels and groups of the windows of a file.

    Attributes:
        y: ``(n,)`` class names, or numbers; anything where `kept` is not.
        task: What is learned.
        group: ``(n,)`` names of what stays together.
        kept: ``(n,)`` windows whose label is known.
        notes: What was guessed or joined.
    """

    y: NDArray[Any]
    task: Task
    group: NDArray[np.str_]
    kept: NDArray[np.bool_]
    notes: tuple[str, ...]


def settled(content: Content, described: Description, rows: NDArray[np.str_]) -> Labelled:
    """Labels and groups, checked.

    Raises:
        DataError: For labels or groups that are missing, or that do not suit the task.
    """
    if content.y is None:
        raise DataError("no labels", where=str(rows[0]), mend="name them with --label")
    said = described.task or content.task
    found = known(plain(content.y), described, said, rows, content.label)
    y, task, notes = _labels(found.y, content, described)
    every = np.zeros(len(found.kept), y.dtype)
    every[found.kept] = y
    group, joined = _groups(content, rows, found.kept)
    if content.group is not None:
        classes = names_as_text(y) if task == "classification" else None
        joined = (*joined, *of_groups(group[found.kept], classes))
    return Labelled(every, task, group, found.kept, (*notes, *joined, *found.notes))


def _labels(
    y: NDArray[Any], content: Content, described: Description
) -> tuple[NDArray[Any], Task, tuple[str, ...]]:
    task, guessed = _task(y, described, content)
    said = bool(described.task or content.task)
    if task == "regression":
        numbers = _as_numbers(y, content.label)
        told = said or bool(guessed)
        doubts = of_numbers(numbers, content.label, told, MOST_CLASSES)
        return numbers, "regression", (*guessed, *doubts)
    names, joined = spelt_alike(names_as_text(y), _words, "classes")
    notes = (*guessed, *joined, *_several(names), *of_classes(names))
    if not said:
        refuse_dressed(names, content.label, MOST_CLASSES)
    return names, "classification", notes


def plain(y: NDArray[Any]) -> NDArray[Any]:
    """Objects as what they are: numbers, or text in which what is missing is ``""``."""
    if y.dtype.kind != "O":
        return y
    if all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in y):
        return _whole(y)
    if all(isinstance(v, (int, float, np.number)) and not isinstance(v, bool) for v in y):
        return y.astype(np.float64)
    return np.array(["" if _is_none(v) else str(v) for v in y.tolist()], dtype=np.str_)


def _whole(y: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers as such: float64 would make one of large ones that are neighbours."""
    try:
        return y.astype(np.int64)
    except OverflowError:
        return np.array([str(v) for v in y.tolist()], dtype=np.str_)


def _is_none(value: object) -> bool:
    return value is None or value != value or type(value).__name__ in ("NAType", "NaTType")


def _task(
    y: NDArray[Any], described: Description, content: Content
) -> tuple[Task, tuple[str, ...]]:
    said = described.task or content.task
    if said in ("classification", "regression"):
        return said, ()  # type: ignore[return-value]
    if y.dtype.kind not in "iuf":
        return "classification", ()
    if not bool(np.all(y == np.round(y))):
        return "regression", ()
    count = len(np.unique(y))
    named = f"{content.label} holds {count} different whole numbers"
    if count <= min(MOST_CLASSES, len(y) // 2):
        few = count <= 2
        return "classification", () if few else (f"{named}: taken as classes; --task settles it",)
    if count * 2 > len(y):
        return "regression", (f"{named}: taken as a number; --task settles it",)
    raise DataError(
        f"{named} in {len(y)} windows: classes, or a number?",
        where=content.label,
        mend="say --task classification or --task regression",
    )


def _as_numbers(y: NDArray[Any], name: str) -> NDArray[np.float64]:
    try:
        numbers = y.astype(np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"labels of a regression are not numbers: {error}",
            where=name,
            mend="correct them, or say --task classification",
        ) from None
    if not (np.abs(numbers) <= np.finfo(np.float32).max).all():
        row = int(np.argmax(~(np.abs(numbers) <= np.finfo(np.float32).max)))
        raise DataError(
            f"the label {numbers[row]:g} of window {row + 1} is no number that float32 holds",
            where=name,
            mend="correct it, or give labels in larger units",
        )
    return np.asarray(numbers)


def names_as_text(y: NDArray[Any]) -> NDArray[np.str_]:
    """Class or group names as text; ``3.0`` is ``3``."""
    whole = y.dtype.kind == "f" and bool(np.all(y == np.round(y))) and np.abs(y).max() < 2**53
    return np.array([str(v) for v in (y.astype(np.int64) if whole else y).tolist()], dtype=np.str_)


def _groups(
    content: Content, rows: NDArray[np.str_], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    """Names of groups; one that is missing matters only where the window is kept."""
    if content.group is None:
        return rows, ()
    group = plain(content.group)
    _refuse_missing(missing(group) & kept, rows, content.group_name)
    names, joined = spelt_alike(names_as_text(group), _folded, "groups")
    return names, joined


def _refuse_missing(without: NDArray[np.bool_], rows: NDArray[np.str_], column: str) -> None:
    if without.any():
        raise DataError(
            f"{int(without.sum())} of {len(without)} windows have no group ({column})",
            where=f"first in {rows[int(np.argmax(without))]}",
            mend="fill it in, or remove those rows: a window without a group could be on both "
            "sides of the split",
        )


def _words(name: str) -> list[str]:
    """Words of a name in one form of Unicode, without signs that nobody sees (U+200B and alike)."""
    return unicodedata.normalize("NFKC", _seen(name)).split()


def _seen(name: str) -> str:
    return "".join(sign for sign in name if unicodedata.category(sign) != "Cf")


def compared(name: str) -> str:
    """What is left of a class's name when two are compared."""
    return " ".join(_words(name))


def _folded(name: str) -> list[str]:
    return _words(name.casefold())


def spelt_alike(
    names: NDArray[np.str_], parts: Callable[[str], list[str]], what: str
) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    """Names that differ by nothing that means anything become one: the commonest spelling.

    Args:
        names: ``(n,)``.
        parts: Of a name, what is left of it when two are compared.
        what: In the plural, for the note.
    """
    counts = Counter(names.tolist())
    spellings: dict[str, list[str]] = {}
    for name in counts:
        spellings.setdefault(" ".join(parts(name)), []).append(name)
    best = {
        name: " ".join(_seen(max(alike, key=lambda n: (counts[n], n == n.strip(), n))).split())
        for alike in spellings.values()
        for name in alike
    }
    changed = [alike for alike in spellings.values() if len(alike) > 1]
    shown = "; ".join(" = ".join(map(repr, sorted(alike))) for alike in changed[:4])
    note = (
        f"{what} that differ by spaces{' or capitals' if what == 'groups' else ''} alone are one: "
    )
    joined = np.array([best[name] for name in names.tolist()], dtype=np.str_)
    return joined, (note + shown,) if changed else ()


def _several(names: NDArray[np.str_]) -> tuple[str, ...]:
    """Refuse several labels in one cell where its parts are classes of their own.

    Raises:
        DataError: Then.
    """
    known = set(names.tolist())
    for mark in PARTED:
        for name in sorted(known):
            parts = [part.strip() for part in name.split(mark)]
            if len(parts) > 1 and (known & set(parts) or LISTED.match(name)):
                raise DataError(
                    f"the label {name!r} names several classes at once; multi-label data is not "
                    "supported",
                    where=f"{sum(names == name)} of {len(names)} windows",
                    mend=f"keep one class a window, or write another sign than {mark!r} if "
                    f"{name!r} is one class",
                )
    return ()
