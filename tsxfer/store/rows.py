"""Rows on disk: one JSON line each, flushed and synced; reading is the union of all writers."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from tsxfer import __version__
from tsxfer.core import guard
from tsxfer.core.building import Held, from_plain
from tsxfer.core.results import Result
from tsxfer.errors import StoreError, TsxferError
from tsxfer.keys import content_key, plain
from tsxfer.store.checkpoints import header
from tsxfer.store.predictions import row_digest
from tsxfer.store.workspace import Workspace, unique

PARTS = {"train", "validation", "test"}


FIELDS = frozenset(f.name for f in fields(Result))
REPEATED = (
    "metric",
    "chance",
    "curve.samples",
    "sizes",
    "data",
    "split",
    "subset",
    "alignment",
    "loss",
    "audit",
    "ledger",
    "labels",
    "environment",
    "analysis",
    "trial.recipe",
    "trial.reuse",
    "trial.reuse.source",
)


def to_line(result: Result) -> str:
    """A row as one line of JSON, the key first."""
    return json.dumps({"key": result.key, **plain(result)}, allow_nan=False)


def from_record(record: dict[str, Any], held: Held | None = None) -> Result:
    """The inverse of `to_line` after JSON; fields of a later version are left out (`unknown`).

    What `held` names is shared with earlier rows, see `tsxfer.core.building.from_plain`.

    Raises:
        StoreError: If the stored key is not the key of the stored trial, or the row lacks what
            reports read.
    """
    today = _of_today(record)
    result = from_plain(Result, {n: v for n, v in today.items() if n in FIELDS}, "row", held)
    if today.get("key") != result.key:
        raise StoreError(
            f"row {record.get('key')} holds the trial {result.key}",
            mend="the row was edited or made by another version; run the study again",
        )
    if result.status == "done" and (fault := _fault(result)):
        raise StoreError(f"row {result.key} has {fault}", mend="run the study again")
    return result


def unknown(record: Mapping[str, object]) -> set[str]:
    """Fields of a record that this version does not know, and a row does not hold."""
    return record.keys() - FIELDS - {"key"}


def _of_today(record: dict[str, Any]) -> dict[str, Any]:
    """A record in which copied layers are frozen by their strategy, as all are by now.

    Rows from before the first release wrote ``frozen = true`` beside it, which gave one training
    two keys; the row is taken over under the one that stayed, if its own key was that of what it
    holds.
    """
    trial = record.get("trial")
    reuse = trial.get("reuse") if isinstance(trial, dict) else None
    if not isinstance(trial, dict) or not isinstance(reuse, dict):
        return record
    if reuse.get("frozen") is not True:
        return record
    if record.get("key") != content_key(trial):
        return record  # edited: refused as such
    strategy = reuse.get("strategy", {})
    rest = {name: value for name, value in reuse.items() if name != "frozen"}
    now = {**trial, "reuse": {**rest, "strategy": {**strategy, "learn": "frozen"}}}
    return {**record, "trial": now, "key": content_key(now)}


def row_of(path: Path) -> Result | None:
    """The row in the header of intact weights that bear its key; None for any other file."""
    kept = header(path)
    if kept is None or not kept.intact:
        return None
    try:
        row = from_record(kept.row)
    except (ValueError, TypeError, AttributeError, RecursionError, TsxferError):
        return None
    return row if row.key == path.stem else None


def _fault(row: Result) -> str:
    """What a finished row lacks that reports rely on; empty for a whole one."""
    samples, score = (row.curve.get(axis, []) for axis in ("samples", "score"))
    faults = {
        "no score of its metric": row.metric not in row.scores,
        "a broken curve": len(samples) != len(score) or bool(row.curve) > bool(samples),
        "a curve without sizes": bool(row.curve) and "train" not in row.sizes,
        "a broken split proof": bool(row.split) and not _proves(row.split),
        "odd seconds": not isinstance(row.cost.get("seconds", 0), int | float),
    }
    return next((what for what, found in faults.items() if found), "")


def _proves(split: dict[str, Any]) -> bool:
    """Whether a split proof holds the counts and words that reports read."""
    counts = [split.get(name) for name in ("instances", "groups")]
    numbers = [
        split.get("shared_groups", 0),
        *(n for c in counts if isinstance(c, dict) for n in c.values()),
    ]
    return (
        all(isinstance(c, dict) and c.keys() >= PARTS for c in counts)
        and all(isinstance(n, int) and n >= 0 for n in numbers)
        and all(isinstance(split.get(word, ""), str) for word in ("group", "rule"))
    )


class Store:
    """The rows of one study folder.

    Attributes:
        workspace: Whose prepared data decides between several rows of a trial; None: nothing does.
        damaged: Lines that could not be read, as ``file:line`` (a torn last line included).
        foreign: Whole rows of another version of tsxfer that this one does not understand.
        unknown: Fields of rows that were read, which this version leaves out, with their count.
        rivals: Keys with finished rows from several data, which share one file of predictions.
    """

    def __init__(self, folder: Path, workspace: Workspace | None = None) -> None:
        self.folder, self.workspace = folder, workspace
        if workspace is not None:  # code of the user's own that judges rows opens no data
            guard.seal(workspace.root)
        self.damaged: list[str] = []
        self.foreign: list[str] = []
        self.unknown: Counter[str] = Counter()
        self.rivals: set[str] = set()
        self._read: dict[str, int] = {}  # bytes of whole lines that were read, by file
        self._writer = f"{unique()}.jsonl"

    @classmethod
    def of(cls, workspace: Workspace, study: str) -> Store:
        """The rows of a study in a workspace."""
        return cls(workspace.results(study), workspace)

    def append(self, result: Result) -> None:
        """Add a row; it is on disk when this returns.

        Raises:
            StoreError: If it cannot be written; earlier rows are untouched.
        """
        self.extend([result])

    def extend(self, results: Iterable[Result]) -> None:
        """Add rows with one sync for all of them; see `append`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / self._writer
            before = path.stat().st_size if path.exists() else 0
            try:
                with path.open("ab") as file:
                    file.writelines(f"{to_line(result)}\n".encode() for result in results)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError:
                _cut(path, before)
                raise
        except OSError as error:
            raise StoreError(
                f"a row cannot be written: {error.strerror}",
                where=str(self.folder),
                mend="free space or choose another --workspace, then run again to resume",
            ) from None

    def rows(self) -> dict[str, Result]:
        """Rows by key.

        A row made from the data prepared now wins over one from other data, a finished
        one over a failed one; among equals the one whose predictions are kept, else the first.
        """
        return self.chosen(self.whole())

    def whole(self) -> Iterator[Result]:
        """Every whole row of every writer, also where a trial has several."""
        self.damaged, self.foreign, self.unknown = [], [], Counter()
        held = repeated()
        for place, line in self.lines():
            row = self._row(place, line, held)
            if row:
                yield row

    def chosen(self, rows: Iterable[Result]) -> dict[str, Result]:
        """One of these rows for each trial, as `rows` chooses."""
        now = self.workspace.fingerprints() if self.workspace else {}
        groups: dict[str, list[Result]] = {}
        for row in rows:
            groups.setdefault(row.key, []).append(row)
        several = {key: group for key, group in groups.items() if len(group) > 1}
        self.rivals = {key for key, group in several.items() if _of_several_data(group)}
        best = {key: self._best(group, now) for key, group in several.items()}
        return {key: best.get(key, group[0]) for key, group in groups.items()}

    def _best(self, rows: Sequence[Result], now: Mapping[str, str]) -> Result:
        """Of rows under one key; only where finished ones are equal is the file asked."""
        worth = [_worth(row, now) for row in rows]
        equal = [row for row, own in zip(rows, worth, strict=True) if own == max(worth)]
        if len(equal) == 1 or equal[0].status != "done":
            return equal[0]
        kept = row_digest(self.folder, equal[0].key)
        return next((row for row in equal if row.digest == kept), equal[0])

    def states(self) -> dict[str, str]:
        """Status by key, as of `rows`, in an eighth of the time: nothing is checked or built."""
        found: dict[str, tuple[bool, bool]] = {}
        now = self.workspace.fingerprints() if self.workspace else {}
        for _, line in self.lines():
            try:
                record = _of_today(json.loads(line))
                key, data, done = record["key"], record["data"], record["status"] == "done"
                fits = all(now.get(name, made) == made for name, made in data.items())
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                continue
            found[key] = max(found.get(key, (False, False)), (fits, done))
        return {key: "done" if done else "failed" for key, (_, done) in found.items()}

    def _row(self, place: str, line: bytes, held: Held) -> Result | None:
        """The row of a line; None for a line that is noted as damaged or of another version."""
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            self.damaged.append(place)
            return None
        try:
            row = from_record(record, held)
        except (ValueError, TypeError, AttributeError, RecursionError, TsxferError):
            (self.foreign if _of_another_version(record) else self.damaged).append(place)
            return None
        self.unknown.update(unknown(record))
        return row

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """All lines of all writers, as they lie there, each with its ``file:line``."""
        for path in sorted(self.folder.glob("*.jsonl")):
            whole = 0
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    whole += len(line) if line.endswith(b"\n") else 0
                    if line.strip():
                        yield f"{path.name}:{number}", line.rstrip(b"\n")
            self._read[path.name] = whole

    def fresh(self) -> list[Result]:
        """Whole rows that other writers added since `rows` or this was last called."""
        found: list[Result] = []
        for path in sorted(self.folder.glob("*.jsonl")):
            begin = self._read.get(path.name, 0)
            if path.name == self._writer or path.stat().st_size <= begin:
                continue
            with path.open("rb") as file:
                file.seek(begin)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read[path.name] = begin + len(whole)
            for line in whole.splitlines():
                with suppress(ValueError, TypeError, AttributeError, RecursionError, TsxferError):
                    found.append(from_record(json.loads(line)))
        return found


def repeated() -> Held:
    """Rows repeat most of each other: what is equal is built once, in a quarter of the memory."""
    return {f"row.{name}": {} for name in REPEATED}


def _of_several_data(rows: Sequence[Result]) -> bool:
    data = [row.data for row in rows if row.status == "done"]
    return any(one != data[0] for one in data)


def _worth(row: Result, now: Mapping[str, str]) -> tuple[bool, bool]:
    fits = all(now.get(name, made) == made for name, made in row.data.items())
    return fits, row.status == "done"


def _of_another_version(record: object) -> bool:
    if not isinstance(record, dict) or not isinstance(record.get("environment"), dict):
        return False
    return bool(record["environment"].get("tsxfer", __version__) != __version__)


def _cut(path: Path, size: int) -> None:
    """Take a half-written row off, so that a later one does not continue its line."""
    with suppress(OSError):
        os.truncate(path, size)
