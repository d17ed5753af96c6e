"""Files that a user asked for, and files of a study that grow by lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tsxfer.errors import StoreError
from tsxfer.store.files import add_lines, put, read_lines


@dataclass(frozen=True)
class Line:
    """One fact."""

    key: str


def test_what_cannot_be_written_is_told_with_its_place(tmp_path: Path) -> None:
    """A folder that is not there gives one sentence with the file and what to choose."""
    with pytest.raises(StoreError, match="the board cannot be written") as caught:
        put(tmp_path / "none" / "board.md", b"", "the board")
    assert caught.value.where == str(tmp_path / "none" / "board.md")
    assert "--out" in caught.value.mend


def test_a_torn_line_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    """Lines are added one by one; a torn one hides none of those before it."""
    path = tmp_path / "study" / "found.jsonl"
    add_lines(path, [Line("a"), Line("b")], "what was found", "it holds all the same")
    with path.open("a") as file:
        file.write('{"key": ')
    assert read_lines(Line, path) == ([Line("a"), Line("b")], 1)
    assert read_lines(Line, tmp_path / "none") == ([], 0)
