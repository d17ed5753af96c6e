"""Labelled stretches of a recording that is read block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.signals import Span

MOST = 2_000_000  # stretches; a label that changes with each sample has no window of one label


class Runs:
    """Collects stretches of one label and one group; a break ends a stretch too."""

    def __init__(self, where: str) -> None:
        self._where, self._at = where, 0
        self._starts: list[int] = []
        self._labels: list[Any] = []
        self._groups: list[str] = []

    def add(self, labels: Any, groups: Any, breaks: NDArray[np.bool_]) -> None:
        """The next samples.

        Args:
            labels: ``(n,)`` as found; missing where nothing is said.
            groups: ``(n,)`` as found.
            breaks: ``(n,)`` where a new piece begins.
        """
        import pandas as pd

        codes, named = pd.factorize(pd.Series(labels))
        group_codes, group_names = pd.factorize(pd.Series(groups))
        turns = (np.diff(codes) != 0) | (np.diff(group_codes) != 0) | breaks[1:]
        edges = np.concatenate(([0], np.flatnonzero(turns) + 1))
        for edge in edges:
            label = None if codes[edge] < 0 else _plain(named[codes[edge]])
            group = "" if group_codes[edge] < 0 else str(_plain(group_names[group_codes[edge]]))
            if edge or breaks[0] or not self._goes_on(label, group):
                self._starts.append(self._at + int(edge))
                self._labels.append(label)
                self._groups.append(group)
        self._at += len(codes)
        if len(self._starts) > MOST:
            raise DataError(
                f"the label changes {len(self._starts):,} times in {self._at:,} samples",
                where=self._where,
                mend="name a column of classes that last with --label",
            )

    def _goes_on(self, label: Any, group: str) -> bool:
        return bool(self._starts) and self._labels[-1] == label and self._groups[-1] == group

    def spans(self) -> tuple[Span, ...]:
        """All stretches in order."""
        ends = [*self._starts[1:], self._at]
        found = zip(self._starts, ends, self._labels, self._groups, strict=True)
        return tuple(Span(*each) for each in found)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
