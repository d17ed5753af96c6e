"""Whether a source has learned from the very windows that a model to keep is fitted on.

Then its score on the windows held out says nothing of others, and neither does any test on windows
of that file: so it is refused as `tsxfer run` refuses it, or labelled when asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.core.results import Overlap
from tsxfer.core.specs import Reuse, Trial
from tsxfer.data import foreign
from tsxfer.data.marks import Windows, marks
from tsxfer.data.overlap import (
    Drawn,
    beside,
    count,
    count_windows,
    known_here,
    learned,
    rows_of,
    windows_of,
)
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import prepared
from tsxfer.errors import DataError, TsxferError
from tsxfer.keep.saved import Source
from tsxfer.store.given import FOLDER, Given
from tsxfer.store.rows import row_of
from tsxfer.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Shared:
    """What a source shares with windows that a model is fitted on.

    Attributes:
        found: A count for each data set that the source has learned from and that lies here.
        unknown: What it has learned from and is not here to be compared; "not stated" too.
    """

    found: tuple[Overlap, ...]
    unknown: tuple[str, ...]

    @property
    def refused(self) -> tuple[Overlap, ...]:
        """Those that share something."""
        return tuple(one for one in self.found if one.refused)

    @property
    def words(self) -> tuple[str, ...]:
        """A warning for each that shares something, or could not be compared, in part or whole."""
        shared = [f"{one.source} as a source has seen {one.words}" for one in self.refused]
        marked = [
            f"the weights of {one.source} come with marks of their training windows, not with the "
            "windows: exact copies would be found, shifted, cut or resampled ones would not"
            for one in self.found
            if one.moved is None
        ]
        compared = [f"not compared with the source's data: {name}" for name in self.unknown]
        return (*shared, *marked, *compared)

    def refuse(self, mend: str) -> None:
        """Refuse what shares something.

        Raises:
            DataError: With the counts.
        """
        for one in self.refused:
            raise DataError(
                f"{one.source} as a source has seen {one.words} of those to fit on, so that a "
                "score on them would be no transfer",
                where=f"{one.seen} windows learned from, {one.test} to fit on",
                mend=mend,
            )


def with_target(source: Source, target: Prepared, workspace: Workspace) -> Shared:
    """What a source shares with all windows of a target."""
    return _compared(_seen(source), target, workspace)


def with_weights(card: Given, target: Prepared, workspace: Workspace) -> Shared:
    """What weights made elsewhere share with all windows of a target.

    What lies beside them is asked first, then the data sets that they are said to be trained on.
    """
    kept = foreign.read(workspace.root / FOLDER / card.name)
    if kept is not None:
        return Shared((beside(kept, card.name, target, np.arange(target.count)),), ())
    names = [known_here(name, workspace) or name for name in card.trained_on] or ["not stated"]
    drawn = [Drawn(name, "strict", "all", 0, "whole") for name in names]
    return _compared(drawn, target, workspace)


def _compared(seen: Sequence[Drawn], target: Prepared, workspace: Workspace) -> Shared:
    rows = np.arange(target.count)
    found, unknown = list[Overlap](), list[str]()
    for drawn in seen:
        data = _here(drawn, workspace)
        if data is None:
            unknown.append(drawn.dataset)
        else:
            found.append(count(data, rows_of(data, drawn), target, rows))
    return Shared(tuple(found), tuple(dict.fromkeys(unknown)))


def with_windows(source: Source, x: NDArray[Any], workspace: Workspace) -> Shared:
    """What a source shares with windows ``(n, channel, time)`` of which nothing else is known."""
    asked = Windows(x, marks(x), np.arange(len(x)))
    if source.seen is not None:  # shifted copies cannot be told from marks
        whole = foreign.found(source.seen, asked)
        return Shared((Overlap(source.corpus, len(source.seen.time), len(x), whole),), ())
    found, unknown = list[Overlap](), list[str]()
    for drawn in _seen(source):
        data = _here(drawn, workspace)
        if data is None:
            unknown.append(drawn.dataset)
        else:
            seen = rows_of(data, drawn)
            windows, moved = count_windows(windows_of(data, seen), asked)
            found.append(Overlap(drawn.dataset, len(seen), len(x), windows, moved=moved))
    return Shared(tuple(found), tuple(dict.fromkeys(unknown)))


def _seen(source: Source) -> Sequence[Drawn]:
    """All that weights have learned from, by the row or the card in their header."""
    row = row_of(source.path)
    if row is None:
        return [Drawn(source.corpus, "strict", "all", 0, "whole")]
    start = Trial(row.trial.dataset, row.trial.model, "all", 0, reuse=Reuse(row.trial))
    return list(dict.fromkeys(learned(start)))


def _here(drawn: Drawn, workspace: Workspace) -> Prepared | None:
    """The data of a draw; None where it is not prepared here, or the name means nothing."""
    try:
        return prepared(workspace, drawn.dataset)
    except TsxferError:
        return None
