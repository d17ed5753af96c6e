"""Data given to a function, by name, as a file or in memory, becomes names of data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tsxfer.api.describing import HELP, describe, given
from tsxfer.api.own import say
from tsxfer.data.prepare import Prepared
from tsxfer.errors import DataError, SpecError
from tsxfer.own.description import Description
from tsxfer.own.readers import is_own
from tsxfer.store.workspace import Workspace

# A name, a file, arrays (x, y) or (x, y, groups), a DataFrame, or these by a name of one's own.
Data: TypeAlias = Any
FORMS = (
    "a name such as 'emg', a file such as 'mine.csv', arrays (x, y) or (x, y, groups), a pandas "
    "DataFrame with label='its column', or {'a name': one of these}"
)


def described_by(words: Mapping[str, object]) -> Description:
    """What named arguments say of own data; other words are left to others.

    Raises:
        SpecError: For a word that an argument does not know, or a number that it cannot be.
    """
    said = {name: value for name, value in words.items() if name in HELP and value is not None}
    for name in ("window", "step", "nan"):
        if name in said and not isinstance(said[name], str):
            said[name] = str(said[name])
    return describe(**said)


def names_of(
    what: str, data: Data, described: Description, workspace: Workspace
) -> tuple[list[str], int]:
    """Names of what was given; what lies in memory is a data set of the workspace by then.

    Args:
        what: The argument, for messages.
        data: One of `FORMS`, or a list of them.
        described: What is said of data in memory.
        workspace: Where it will lie.

    Returns:
        Names and files, and how many data sets were brought in from memory.

    Raises:
        TsxferError: If it is none of these, or the data cannot be used.
    """
    if data is None:
        return [], 0
    if _is_words(data):
        words = [data] if isinstance(data, (str, Path)) else data
        return [str(word) for word in words], 0
    if isinstance(data, list) and any(
        _is_words(one) or isinstance(one, (tuple, Mapping)) for one in data
    ):
        found = [names_of(what, one, described, workspace) for one in data]
        return [name for names, _ in found for name in names], sum(count for _, count in found)
    if isinstance(data, Mapping):
        pairs = [(str(name), one) for name, one in data.items()]
    else:
        pairs = [("", data)]
    return [_brought(what, name, one, described, workspace) for name, one in pairs], len(pairs)


def _is_words(data: object) -> bool:
    if isinstance(data, (str, Path)):
        return True
    return (
        isinstance(data, (list, tuple))
        and bool(data)
        and all(isinstance(one, (str, Path)) for one in data)
    )


def _brought(what: str, name: str, data: Data, described: Description, workspace: Workspace) -> str:
    from tsxfer.own.panels import is_table

    made = (
        _table(name, data, described, workspace)
        if is_table(data)
        else _arrays(what, name, data, described, workspace)
    )
    say(name or what, made)
    return made.card.id


def _table(name: str, data: Any, described: Description, workspace: Workspace) -> Prepared:
    from tsxfer.own.memory import bring_table

    if data.index.nlevels > 1:
        raise DataError(
            "a panel of sktime has no labels of its own",
            mend="give (panel, y) or (panel, y, groups)",
        )
    return bring_table(name, data, described, workspace)


def _arrays(
    what: str, name: str, data: Any, described: Description, workspace: Workspace
) -> Prepared:
    from tsxfer.own.memory import bring_arrays

    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)) or len(data) not in (2, 3):
        held = f" of {len(data)}" if isinstance(data, Sequence) else ""
        shape = f" of shape {data.shape}" if hasattr(data, "shape") else held
        raise SpecError(f"--{what} is {type(data).__name__}{shape}", mend=f"give {FORMS}")
    x, y, *rest = data
    return bring_arrays(name, x, y, rest[0] if rest else None, described, workspace)


def refuse_several(files: Sequence[str], held: int, described: Description) -> None:
    """What is said of data is said of one data set.

    Args:
        files: Names and files that were given.
        held: Data sets that were brought in from memory.
        described: What is said.

    Raises:
        SpecError: If it could be meant of several.
    """
    said = given(described)
    count = held + sum(map(is_own, files))
    if said and held and count > 1:
        raise SpecError(
            f"{', '.join(said)} describe one data set, {count} are given",
            mend="bring them in one after the other with load_dataset, and give their names",
        )
