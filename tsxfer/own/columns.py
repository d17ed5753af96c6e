"""Columns and arrays by name: which is the label, which the group, which are neither."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from tsxfer.errors import DataError, nearest
from tsxfer.own.letters import seen_as

LABELS = ("label", "y", "target", "class")


def label_of(names: list[str], wanted: str, path: Path) -> str:
    """The label's column.

    Raises:
        DataError: If it is not there.
    """
    found = (
        [wanted] if wanted and wanted in names else [n for n in LABELS if n in names and not wanted]
    )
    if not found and "," in wanted:
        raise DataError(
            f"--label {wanted}: several labels at once are not supported",
            where=f"{path} has: {few(names)}",
            mend=f"learn one at a time: --label {wanted.split(',')[0]} --ignore "
            f"{','.join(wanted.split(',')[1:])}",
        )
    if not found:
        hint = nearest(wanted, names) if wanted else ""
        if wanted.lstrip("-").isdigit():
            hint = "did you mean a position? Then say --header no too"
        mend = hint if hint.startswith("did") else "name it: --label COLUMN"
        mend = _same_look(wanted, names, "--label") or mend
        if not wanted and {"date", "close"} <= {name.strip().lower() for name in names}:
            mend = "of daily prices say how many closes a window has: --window 50"
        raise DataError(
            f"no label column {wanted!r}" if wanted else "no column called label, y or target",
            where=f"{path} has: {few(names)}",
            mend=mend,
        )
    return found[0]


def group_of(names: list[str], wanted: str, path: Path) -> str:
    """The group's column; "" where none is wanted or called so.

    Raises:
        DataError: If a wanted one is not there.
    """
    if wanted and wanted not in names:
        raise DataError(
            f"no group column {wanted!r}",
            where=f"{path} has: {few(names)}",
            mend=_same_look(wanted, names, "--group")
            or "name one of them with --group, or leave it out",
        )
    return wanted or ("group" if "group" in names else "")


def _same_look(wanted: str, names: list[str], flag: str) -> str:
    """What mends a name that another alphabet's letters write, which look the same."""
    found = seen_as(wanted, names)
    said = f"{found} of the file is {found!a}, which looks the same: say {flag} {found}"
    return f"{said}, or rename the column" if found else ""


def ignored_in_vain(ignore: tuple[str, ...], names: list[str]) -> tuple[str, ...]:
    """What is to be said of words of ``--ignore`` that are nearly the name of a column."""
    close = {word: get_close_matches(word, names, 1, 0.8) for word in ignore if word not in names}
    return tuple(
        f"--ignore {word}: no column is called so; did you mean {found[0]}?"
        for word, found in close.items()
        if found
    )


def few(names: list[str]) -> str:
    """Names for a message: a few, those of samples last."""
    names = sorted(names, key=lambda name: name[-1:].isdigit())
    return ", ".join(names) if len(names) <= 12 else ", ".join(names[:10]) + f", ... {names[-1]}"


def position(wanted: str, count: int) -> str:
    """The name of a column without a header: ``-1`` is the last of `count`."""
    try:
        at = int(wanted)
    except ValueError:
        return wanted
    return str(at % count) if -count <= at < count else wanted


def numbered(count: int) -> tuple[str, ...]:
    """Names of channels that a file does not name."""
    return tuple(f"c{number}" for number in range(count))
