"""Channels of a recording that look like a code: the label, a person or a trial as a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.columns import few

LOOKED_AT = 1 << 20  # samples of a channel that is called as a code
MOST = 20  # values of a code that are counted and shown
STRETCH = 20  # samples of one value after another, in the mean, from which on it is a code
CODED = re.compile(
    r"(?:^|[_ .\-])(?:labels?|targets?|class(?:es)?|y|state|status|annot\w*|category|activity|act"
    r"|stage|phase|events?|gestures?|(?:re)?stim\w*|sti|mark(?:er)?s?|trig(?:ger)?s?|truth|gt"
    r"|subject|subj|participant|window|segment|epoch|block|patient|person|user|who|session|trial|(?:re)?rep(?:etition)?|run|fold|split)"
    r"(?:[_ .\-]?(?:id|code|no|num|nr|channel|ch|\d+))?$|(?:^|[_ ])id$",
    re.IGNORECASE,
)


def left_out(names: Sequence[str], part: Callable[[int], NDArray[Any]]) -> list[int]:
    """Places of channels that are called as codes are, and hold each value for a while.

    For files whose channels have names that everybody uses, such as ``Status`` of BDF: other
    layouts ask, these say. Where every channel is one, none is left out.

    Args:
        names: Of the channels.
        part: From a place to some samples of that channel, ``(n,)``, as the file counts them.
    """
    found = [at for at, name in enumerate(names) if CODED.search(name.strip()) and _still(part(at))]
    return found if len(found) < len(names) else []


def _still(values: NDArray[Any]) -> bool:
    changes = int(np.count_nonzero(values[1:] != values[:-1]))
    return changes * STRETCH <= len(values)


def told(names: Sequence[str], codes: Sequence[str]) -> tuple[str, ...]:
    """What is said of channels that were left out as codes."""
    if not codes:
        return ()
    every = ",".join(names) if len(names) <= 8 else "NAME,..."
    return (
        f"{few(list(codes))}: called as codes of events are, and holding each value for a while: "
        f"left out (--x '{every}' takes all that it names)",
    )


class Codes:
    """What is seen of the channels of a recording, as batches come.

    Args:
        names: Of the channels.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._values: dict[int, set[float]] = {at: set() for at in range(len(names))}
        self._changes, self._alone = np.zeros(len(names), int), np.zeros(len(names), int)
        self._last: tuple[NDArray[np.float64], object] | None = None
        self._count = 0

    def add(self, x: NDArray[np.float64], label: Any, breaks: NDArray[np.bool_]) -> None:
        """The next samples ``(n, channel)``, their labels, and where a new piece begins."""
        names = np.asarray(label, object)
        if self._last is None:
            self._last = x[0], names[0]
        turned = np.not_equal(names, np.concatenate([[self._last[1]], names[:-1]])).astype(bool)
        for at in list(self._values):
            column = x[:, at]
            there = column[~np.isnan(column)]
            if (there != np.round(there)).any():
                del self._values[at]  # a signal
                continue
            if len(self._values[at]) <= MOST:
                self._values[at] |= set(np.unique(there)[: MOST + 1].tolist())
            changed = column != np.concatenate([[self._last[0][at]], column[:-1]])
            self._changes[at] += changed.sum()
            self._alone[at] += (changed & ~turned & ~breaks).sum()
        self._last, self._count = (x[-1], names[-1]), self._count + len(x)

    def settle(self, path: Path, labelled: bool) -> tuple[str, ...]:
        """What is to be said of channels that look like codes.

        Args:
            path: For messages.
            labelled: The recording has a column of labels.

        Raises:
            DataError: If a code is called as labels are, or changes with the label alone.
        """
        steady = [at for at in self._values if self._changes[at] * STRETCH <= self._count]
        told = [at for at in steady if CODED.search(self._names[at])]
        told += [at for at in steady if labelled and self._changes[at] > 1 and not self._alone[at]]
        if told:
            raise self._doubt(min(told), path)
        seen = [self._names[at] for at in steady if self._changes[at]]
        if not seen:
            return ()
        return (
            f"{few(seen)}: whole values in long stretches, taken as a channel; if it is no "
            f"signal, --ignore {','.join(seen[:4])}, or name it with --label or --group",
        )

    def _doubt(self, at: int, path: Path) -> DataError:
        name, values = self._names[at], sorted(self._values[at])
        shown = ", ".join(f"{value:g}" for value in values[:6])
        return DataError(
            f"column {name!r} would be a channel, but looks like a code: "
            f"{'more than ' if len(values) > MOST else ''}{min(len(values), MOST)} whole value(s) ("
            f"{shown}{', ...' if len(values) > 6 else ''}), "
            f"{int(self._changes[at])} changes in {self._count:,} samples",
            where=str(path),
            mend=f"say --label {name} if it is the label, --group {name} if it names a group, "
            f"--ignore {name} if it is neither; if it is a signal, name all channels: "
            f"--x {','.join(self._names) if len(self._names) <= 8 else f'...,{name}'}",
        )
