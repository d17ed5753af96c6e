"""Labels and groups that may mean something else: said, so that a user looks twice."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.dialect import number
from tsxfer.own.known_labels import NAMELESS
from tsxfer.own.letters import look_alikes

SUMMARY = {"mean", "average", "avg", "std", "sd", "median", "sum", "total", "min", "max", "count"}
SPOKEN = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}, {"0", "1"})
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DRESSED = re.compile(r"[<>~≤≥€$£]?\s*[-+]?\d[\d.,' ]*\s*(?:[%°µ]?[A-Za-z]{0,4}(?:[/^]\w+)?)")
MOST_FAR, REPEATED = 0.25, 3  # share of labels that are far, and windows of one such label
FEW = 2  # rows of a summary by one name; more are people who are called so
FAR = 30.0  # times the middle half of all labels
RARE, MOST = 0.05, 60  # share of a class beside its twin; classes that are compared
Names = NDArray[np.str_]


def of_classes(names: Names) -> tuple[str, ...]:
    """Classes that look alike, may be one, or are hardly classes."""
    counts = Counter(names.tolist())
    return (
        *_cases(names),
        *look_alikes(counts, "classes"),
        *_misspelt(counts),
        *_spoken(counts),
        *_summaries(counts, "class"),
        *_days(counts),
    )


def of_groups(groups: Names, classes: Names | None) -> tuple[str, ...]:
    """Groups that look alike, are no groups, or are one but for the class in their names."""
    counts = Counter(groups.tolist())
    said = (
        *_alike(groups),
        *_nameless(groups),
        *look_alikes(counts, "groups"),
        *_summaries(counts, "group"),
    )
    return said if classes is None else (*said, *_named_by_class(groups, classes))


def _misspelt(counts: Counter[str]) -> tuple[str, ...]:
    """Rare classes that differ from a common one by a letter."""
    if len(counts) > MOST:
        return ()
    pairs = [
        f"{rare!r} ({counts[rare]}) and {usual!r} ({counts[usual]})"
        for one, other in combinations(counts, 2)
        for rare, usual in [sorted((one, other), key=lambda name: counts[name])]
        if counts[rare] <= max(RARE * counts[usual], 3) < counts[usual] and _one_letter(one, other)
    ]
    end = "kept apart; write them alike if one is a slip"
    return (f"classes that differ by one letter: {', '.join(pairs[:4])}: {end}",) if pairs else ()


def _one_letter(one: str, other: str) -> bool:
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    if len(long) < 3 or len(long) - len(short) > 1 or not long.replace(" ", "").isalpha():
        return False
    at = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


def _spoken(counts: Counter[str]) -> tuple[str, ...]:
    """``True`` beside ``1`` and ``yes``."""
    found = {name.casefold() for name in counts}
    used = [words for words in SPOKEN if words & found]
    if len(used) < 2 or found - set().union(*used):
        return ()
    shown = ", ".join(map(repr, sorted(counts)))
    return (f"classes {shown} say yes and no in several ways: write each in one, if they are one",)


def _summaries(counts: Counter[str], what: str) -> tuple[str, ...]:
    rows = {n: c for n, c in counts.items() if n.casefold() in SUMMARY and c <= FEW}
    found = [f"{n!r} ({c} windows)" for n, c in rows.items()]
    if not found or len(found) == len(counts):
        return ()
    return (f"{what} {', '.join(found)}: is that a row of a summary? Then remove it",)


def _days(counts: Counter[str]) -> tuple[str, ...]:
    if not all(DAY.match(name) for name in counts):
        return ()
    first = next(iter(counts))
    return (f"each class is a date, such as {first}: is another column meant? (--label)",)


def _named_by_class(groups: Names, classes: Names) -> tuple[str, ...]:
    """``walk_s1`` and ``run_s1``: one person twice, on both sides of a split."""
    rests: dict[str, list[str]] = {}
    pairs = dict.fromkeys(zip(groups.tolist(), classes.tolist(), strict=True))
    for group, name in pairs:
        if name in group and group.replace(name, "").strip("_- ."):
            rests.setdefault(group.replace(name, "", 1), []).append(group)
    twins = [found for found in rests.values() if len(found) > 1]
    if 2 * sum(map(len, twins)) < len(pairs):
        return ()
    one, other = twins[0][:2]
    return (
        f"groups such as {one} and {other} differ by the class in their names alone: if they are "
        "one person or device, its windows are on both sides of the split; name them alike",
    )


def refuse_dressed(names: Names, column: str, most: int) -> None:
    """Refuse labels that are numbers but for units, signs or some words.

    Args:
        names: As text.
        column: For messages.
        most: Different labels, up to which they may be classes.

    Raises:
        DataError: For more such labels than classes have.
    """
    unique = np.unique(names).tolist()
    if len(unique) <= most:
        return
    plain = [name for name in unique if number(name) is not None]
    dressed = [name for name in unique if number(name) is None and DRESSED.fullmatch(name)]
    odd = [name for name in unique if number(name) is None and not DRESSED.fullmatch(name)]
    if len(plain) + len(dressed) < 0.6 * len(unique) or len(plain) == len(unique):
        return
    told = (dressed or odd)[:3]
    count = int(np.isin(names, dressed + odd).sum())
    raise DataError(
        f"labels are numbers, but {', '.join(map(repr, told))} (in {count} windows, {column})",
        where=column,
        mend="write plain numbers, and empty the cells that hold none (--missing drop leaves their "
        "windows out); or say --task classification, if each is a class",
    )


def of_numbers(y: NDArray[Any], column: str, said: bool, most: int) -> tuple[str, ...]:
    """Numbers that may be classes, or that lie far from all others.

    Args:
        y: ``(n,)`` finite.
        column: For messages.
        said: The task was said.
        most: Different values, up to which they may be classes.
    """
    count = len(np.unique(y))
    few = f"{column} holds {count} different numbers: taken as a number; --task classification"
    notes = (
        (f"{few} takes them as classes",) if not said and count <= min(most, len(y) // 4) else ()
    )
    first, middle, third = np.percentile(y, [25, 50, 75])
    far = np.abs(y - middle) > FAR * (third - first)
    far = far if far.any() and third > first else _apart(y)
    if not far.any() or far.mean() > MOST_FAR:
        return notes
    value, rest = y[far][np.argmax(np.abs(y[far] - middle))], y[~far]
    hits = int((y == value).sum())
    more = f"; such labels stand in {int(far.sum())} windows" if far.sum() > hits else ""
    return (
        *notes,
        f"{column} is {value:g} in {hits} windows, far from the others ({rest.min():g} to "
        f"{rest.max():g}){more}: correct it if it is a fault; if it stands for what is not known, "
        "empty those cells and say --missing drop",
    )


def _nameless(groups: NDArray[np.str_]) -> tuple[str, ...]:
    """A group whose name says that nobody knows it, which may be several in truth."""
    known = {name.casefold() for name in np.unique(groups).tolist()} & NAMELESS
    said = [f"{name!r} ({int((np.char.lower(groups) == name).sum())} windows)" for name in known]
    end = "taken as one group by that name; if it means that nothing is known, remove those rows"
    return (f"{', '.join(sorted(said))}: {end}",) if said else ()


def _alike(groups: NDArray[np.str_]) -> tuple[str, ...]:
    """Groups that differ by signs or leading zeros alone stay apart, and are said."""
    alike: dict[str, list[str]] = {}
    for name in dict.fromkeys(groups.tolist()):
        plain = re.sub(r"[\W_]+", "", re.sub(r"\d+", lambda d: f"_{int(d[0])}_", name.casefold()))
        key = plain if plain else name
        alike.setdefault(key, []).append(name)
    pairs = [" / ".join(sorted(found)) for found in alike.values() if len(found) > 1]
    said = f"groups that look alike are kept apart: {', '.join(pairs[:4])}"
    return (f"{said}; write them alike if they are one",) if pairs else ()


def _cases(names: NDArray[np.str_]) -> tuple[str, ...]:
    """Classes that differ by capitals alone stay two, and are said."""
    alike: dict[str, list[str]] = {}
    for name in dict.fromkeys(names.tolist()):
        alike.setdefault(name.casefold(), []).append(name)
    pairs = ["/".join(sorted(found)) for found in alike.values() if len(found) > 1]
    return (
        (f"classes that differ by capitals alone are kept apart: {', '.join(pairs)}",)
        if pairs
        else ()
    )


def _apart(y: NDArray[Any]) -> NDArray[np.bool_]:
    """Labels that are one outermost number, farther from the others than those from each other."""
    for value in (y.min(), y.max()):
        hit = np.asarray(y == value)
        rest = y[~hit]
        if hit.sum() >= REPEATED and len(rest) and np.abs(rest - value).min() > np.ptp(rest) > 0:
            return hit
    return np.zeros(len(y), np.bool_)
