"""Rows on disk: one JSON line each, flushed and synced; reading is the union of all writers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from tsxfer.errors import StoreError, TsxferError
from tsxfer.keys import plain
from tsxfer.specs import Result, from_plain
from tsxfer.workspace import unique


def to_line(result: Result) -> str:
    """A row as one line of JSON, the key first."""
    return json.dumps({"key": result.key, **plain(result)}, allow_nan=False)


def from_record(record: dict[str, object]) -> Result:
    """The inverse of `to_line` after JSON; fields that a later version added are ignored.

    Raises:
        StoreError: If the stored key is not the key of the stored trial.
    """
    known = {f.name for f in fields(Result)}
    result = from_plain(Result, {n: v for n, v in record.items() if n in known}, "row")
    if record.get("key") != result.key:
        raise StoreError(
            f"row {record.get('key')} holds the trial {result.key}",
            mend="the row was edited or made by another version; run the study again",
        )
    return result


class Store:
    """The rows of one study folder.

    Attributes:
        damaged: Lines that could not be read, as ``file:line`` (a torn last line included).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []
        self._read: dict[str, int] = {}  # bytes of whole lines that were read, by file
        self._writer = f"{unique()}.jsonl"

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
            with (self.folder / self._writer).open("a", encoding="utf-8") as file:
                file.writelines(to_line(result) + "\n" for result in results)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"a row cannot be written: {error.strerror}",
                where=str(self.folder),
                mend="free space or choose another --workspace, then run again to resume",
            ) from None

    def rows(self) -> dict[str, Result]:
        """Rows by key. A finished row wins over a failed one; among equals the first stays."""
        found: dict[str, Result] = {}
        self.damaged = []
        for place, line in self.lines():
            try:
                result = from_record(json.loads(line))
            except (ValueError, TypeError, AttributeError, TsxferError):
                self.damaged.append(place)
                continue
            old = found.get(result.key)
            if old is None or (old.status == "failed" and result.status == "done"):
                found[result.key] = result
        return found

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """All lines of all writers, as they lie there, each with its ``file:line``."""
        for path in sorted(self.folder.glob("*.jsonl")):
            text = path.read_bytes()
            self._read[path.name] = text.rfind(b"\n") + 1
            for number, line in enumerate(text.split(b"\n"), start=1):
                if line.strip():
                    yield f"{path.name}:{number}", line

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
                with suppress(ValueError, TypeError, AttributeError, TsxferError):
                    found.append(from_record(json.loads(line)))
        return found
