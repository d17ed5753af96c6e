"""Outcomes of a suite, kept beside its rows: its weights are not, so rankers cannot score again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tsxfer.errors import StoreError
from tsxfer.ranking.judge import Outcome
from tsxfer.ranking.rankers import known
from tsxfer.store.workspace import write_whole

FILE = "rankings.json"


def write(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Keep outcomes; scores as they are, so that another reader judges the same."""
    write_whole(folder / FILE, json.dumps([asdict(one) for one in outcomes], indent=1) + "\n")


def read(folder: Path) -> tuple[Outcome, ...]:
    """Outcomes that were kept there; none where there is no file.

    Raises:
        StoreError: If the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_outcome(one) for one in found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"the kept outcomes of rankings cannot be read: {error}",
            where=str(path),
            mend="restore the file, or install tsxfer again",
        ) from None


def _outcome(found: dict[str, object]) -> Outcome:
    """Rankers that are newer than the file scored nothing in it."""
    gains, scores = found["gains"], found["scores"]
    if not isinstance(gains, list) or not isinstance(scores, dict):
        raise TypeError("gains are no list, or scores no table")
    none = [None] * len(gains)
    return Outcome(
        target=str(found["target"]),
        gains=tuple(float(gain) for gain in gains),
        scores={ranker.name: tuple(scores.get(ranker.name, none)) for ranker in known()},
    )
