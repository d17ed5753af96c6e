"""Named arrays of windows, labels and groups, wherever they were read from."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.array_doubts import question, rate_of, smoother, square
from tsxfer.own.columns import few
from tsxfer.own.content import Content
from tsxfer.own.description import Description
from tsxfer.own.official import joined, parts_of, with_parts
from tsxfer.own.survey import own_lengths

Arrays = dict[str, NDArray[Any]]
X = ("x", "data", "windows", "samples", "signals")
Y = ("label", "labels", "y", "target", "targets", "class", "classes")
GROUP = ("group", "groups", "subject", "subjects")
VALIDATION = re.compile(r"(^|_)(val|valid|validation|dev)$", re.IGNORECASE)
TRAIN, TEST = re.compile("train", re.IGNORECASE), "test"


def content_of_arrays(arrays: Arrays, described: Description, path: Path) -> Content:
    """Windows, labels and groups of arrays by name; ``X_train`` and ``X_test`` as official split.

    Raises:
        DataError: If an array is missing, or shapes do not fit together.
    """
    x_name = _named(arrays, described.x, X, path, "--x")
    twin = _twin(arrays, x_name)
    train = _part(arrays, x_name, "", described, path)
    used = {x_name, twin, train.label, train.group_name, described.test}
    used |= {_twin(arrays, name) for name in (train.label, train.group_name)}
    unused = _unused(arrays, len(train.x), used, described.unlabelled)
    rate, told = rate_of(arrays, described)
    train = replace(train, rate=rate, notes=(*train.notes, *unused, *told))
    if described.test in arrays and not described.unlabelled:
        column = _column(arrays[described.test], described.test, path)
        part, note = parts_of(column, described.test, str(path))
        return with_parts(train, part, note, str(path))
    if not twin or described.test == "no":
        return train
    test = replace(_part(arrays, twin, x_name, described, path), rate=rate)
    return test if described.unlabelled else joined(train, test, f"{x_name} and {twin}")


def _unused(arrays: Arrays, count: int, used: set[str], unlabelled: bool) -> tuple[str, ...]:
    """Arrays of one value a window that nothing reads: labels, groups or parts otherwise called."""
    left = [
        f"{name} {'x'.join(map(str, array.shape))}"
        for name, array in arrays.items()
        if name not in used and (count in array.shape or VALIDATION.search(name))
    ]
    if not left or unlabelled:
        return ()
    end = "--group or --label names what should be; --ignore says that it is known"
    return (f"arrays that are not used: {', '.join(left[:6])}; {end}",)


def _twin(arrays: Arrays, name: str) -> str:
    """The array of the test part; "" where there is none."""
    lower = {other.lower(): other for other in arrays}
    return lower.get(TRAIN.sub(TEST, name).lower(), "") if TRAIN.search(name) else ""


def _part(arrays: Arrays, x_name: str, first: str, described: Description, path: Path) -> Content:
    """One part: windows with the labels and groups that are called alike."""
    x = arrays[x_name]
    like = _suffix(x_name)
    y_name = (
        ""
        if described.unlabelled and not described.label
        else _mate(arrays, described.label, Y, like, path, bool(first), "--label")
    )
    group = _mate(arrays, described.group, GROUP, like, path, bool(first), "--group")
    y = _column(arrays[y_name], y_name, path) if y_name else None
    count = len(y) if y is not None and not described.unlabelled else 0
    at = axis_of(x, count, described)
    windows, notes = oriented(x, x_name, at, count, described, path)
    groups = _column(arrays[group], group, path) if group else None
    for name, column in ((y_name, y), (group, groups)):
        if column is not None and len(column) != len(windows):
            raise DataError(
                f"{name} holds {len(column)} values, {x_name} of shape {x.shape} holds "
                f"{len(windows)} windows",
                where=str(path),
                mend="give one value a window, or name the right array with --label, --group or "
                "--x",
            )
    lengths = None
    if windows.dtype.kind == "f" and (
        described.missing == "refuse" or described.lengths != "refuse"
    ):
        lengths = own_lengths(windows)
    return Content(
        x=windows,
        y=y,
        group=groups,
        channels=tuple(f"c{n}" for n in range(windows.shape[1])),
        label=y_name,
        group_name=group,
        notes=notes,
        lengths=lengths,
        windows_axis=at,
    )


def axis_of(x: NDArray[Any], count: int, described: Description) -> int:
    """The axis of an array that counts windows: the first that is as long as the labels.

    Args:
        x: Any shape.
        count: Labels; 0 where unknown, and `described` says it.
        described: ``windows_axis``, of the file that a model was fitted on.
    """
    if not count:
        return min(described.windows_axis, x.ndim - 1)
    return next((k for k, size in enumerate(x.shape) if size == count), 0)


def _suffix(name: str) -> str:
    found = re.search(r"_?(train|test)$", name, re.IGNORECASE)
    return found[0] if found else ""


def _named(arrays: Arrays, wanted: str, known: tuple[str, ...], path: Path, flag: str) -> str:
    """The array of windows: as said, else as usually called, else the only one of 2 or 3 axes."""
    lower = {name.lower(): name for name in reversed(list(arrays))}
    if wanted:
        found = [wanted] if wanted in arrays else []
    else:
        names = [f"{k}{s}" for s in ("", "_train", "train") for k in known]
        found = [lower[k] for k in names if k in lower]
        large = [
            n for n, a in arrays.items() if a.dtype.kind in "iuf" and min(a.shape, default=0) > 1
        ]
        found = found or (large if len(large) == 1 else [])
    if not found:
        raise DataError(
            f"no array {wanted!r}" if wanted else "no array called x",
            where=f"{path} has: {_shapes(arrays)}",
            mend=f"name the windows with {flag}"
            if arrays
            else "save the windows and labels as plain arrays of numbers",
        )
    return found[0]


def _mate(
    arrays: Arrays,
    wanted: str,
    known: tuple[str, ...],
    like: str,
    path: Path,
    second: bool,
    flag: str,
) -> str:
    """Labels or groups that go with an array of windows; "" where groups are not there."""
    lower = {name.lower(): name for name in reversed(list(arrays))}
    if wanted:
        names = [TRAIN.sub(TEST, wanted) if second else wanted, wanted + like]
    else:
        names = [f"{k}{like}" for k in known]
    found = [lower[n.lower()] for n in names if n.lower() in lower]
    if not found and (wanted or flag == "--label"):
        raise DataError(
            f"no array {names[0]!r}" if wanted else "no array of labels, such as y",
            where=f"{path} has: {_shapes(arrays)}",
            mend=f"name it with {flag}",
        )
    return found[0] if found else ""


def _shapes(arrays: Arrays) -> str:
    shown = [f"{name} {'x'.join(map(str, array.shape))}" for name, array in arrays.items()]
    return few(shown) or "nothing but structures and objects"


def _column(array: NDArray[Any], name: str, path: Path) -> NDArray[Any]:
    """``(n,)`` of ``(n,)``, ``(n, 1)`` or ``(1, n)``."""
    if (
        array.ndim > 2
        or (array.ndim == 2 and min(array.shape) > 1)
        or array.dtype.kind not in "iufbUSM"
    ):
        raise DataError(
            f"{name} is {array.dtype} {array.shape}, not one value a window",
            where=str(path),
            mend="of one-hot labels save y.argmax(axis=1); name labels of shape (n,) or (n, 1) "
            "with --label; several labels a window are not supported",
        )
    flat = np.asarray(array).reshape(-1)
    flat = flat.astype(np.str_) if flat.dtype.kind == "M" else flat  # days as names
    return np.char.decode(flat, "utf-8", "replace") if flat.dtype.kind == "S" else flat


def oriented(
    x: NDArray[Any], name: str, at: int, count: int, described: Description, path: Path
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Windows ``(n, channel, time)`` of an array whose axis of windows may be any.

    Args:
        x: Two or three axes.
        name: For messages.
        at: The axis that counts windows, see `axis_of`.
        count: Labels; 0 where unknown.
        described: ``axes`` says the order of the other two.
        path: For messages.

    Raises:
        DataError: If it has other axes, no axis counts the labels, or the order is not plausible.
    """
    if x.ndim not in (2, 3) or x.dtype.kind not in "iufb":
        raise DataError(
            f"{name} is {x.dtype} {x.shape}, not numbers (n, channel, time) or (n, time)",
            where=str(path),
            mend=f"save {name}.squeeze(), without axes of length 1"
            if x.ndim > 3 and np.squeeze(x).ndim in (2, 3)
            else "stack the windows into one array, or name another with --x; for one long "
            "recording say --window",
        )
    notes = (
        []
        if at == 0 or not count
        else [f"axis {at + 1} of {name} {x.shape} is as long as the labels and counts windows"]
    )
    notes += square(x, name, count, described, path)
    x = np.moveaxis(x, at, 0)
    if x.ndim == 2:
        question(x, name, described, path)
        return x[:, None, :], tuple(notes)
    if described.axes == "time,channel":
        return np.swapaxes(x, 1, 2), tuple(notes)
    notes += smoother(x, name, described)
    if x.shape[1] > x.shape[2] and not described.axes:
        raise DataError(
            f"{name} of shape {x.shape} would be {x.shape[1]} channels of {x.shape[2]} samples",
            where=str(path),
            mend="say --axes time,channel if time comes first, or --axes channel,time if it is "
            "right",
        )
    return x, tuple(notes)
