"""Finding files, casting numbers and stacking instances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tsxfer.data.reading import Instance, find_file, find_files, finite, in_blocks
from tsxfer.errors import DataError


def some(count: int, label: Any = 1.5) -> list[Instance]:
    """Instances that differ in name only."""
    return [Instance(np.zeros((2, 4), np.float32), label, "g", f"u{n}") for n in range(count)]


def test_files_come_in_order_of_their_path(tmp_path: Path) -> None:
    """The order does not depend on the order of creation, and a file matched twice comes once."""
    for name in ("b/1.txt", "a/2.txt", "a/1.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_files(tmp_path, "*.txt", "1.*")]
    assert found == ["a/1.txt", "a/2.txt", "b/1.txt"]


def test_no_file_and_too_many_files_are_told(tmp_path: Path) -> None:
    """The message shows the pattern, or the names among which to choose."""
    with pytest.raises(DataError, match=r"no file like \*\.csv"):
        find_file(tmp_path, "*.csv")
    for name in "ab":
        (tmp_path / f"{name}.csv").touch()
    with pytest.raises(DataError, match=r"2 files .*a\.csv, b\.csv"):
        find_file(tmp_path, "*.csv")


@pytest.mark.parametrize("value", [2, "2", b"2.0", np.float32(2), np.array([2]), np.bytes_(b"2")])
def test_numbers_are_cast_however_they_were_written(value: object) -> None:
    """Text, bytes, numpy scalars and arrays of one are the same number."""
    assert finite(value, "x", "here") == 2.0


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "missing"),
        ("None", "'None'"),
        (float("nan"), "nan"),
        ("inf", "inf"),
        ([1, 2], "1, 2"),
    ],
)
def test_what_is_no_number_is_shown(value: object, shown: str) -> None:
    """The message holds the value and the place."""
    with pytest.raises(DataError, match=shown) as caught:
        finite(value, "the label", "file, trace")
    assert caught.value.where == "file, trace"


def test_blocks_have_the_size_asked_for() -> None:
    """Instances are stacked in order, at most `size` at a time; only the last block is smaller."""
    blocks = list(in_blocks(iter(some(5)), 20.0, Path("f"), size=2))
    assert [len(block) for block in blocks] == [2, 2, 1]
    assert [uid for block in blocks for uid in block.uid] == ["u0", "u1", "u2", "u3", "u4"]
    assert blocks[0].y.dtype == np.float32
    assert next(in_blocks(some(1, "word"), 20.0, Path("f"))).y.dtype.kind == "U"


def test_blocks_are_made_one_at_a_time() -> None:
    """The second block is not read before it is asked for, so memory stays flat."""
    drawn: list[int] = []
    rows = (drawn.append(n) or row for n, row in enumerate(some(6)))
    next(in_blocks(rows, 20.0, Path("f"), size=2))
    assert len(drawn) == 2


def test_nothing_at_all_is_an_error() -> None:
    """A folder without a single instance is complained about."""
    with pytest.raises(DataError, match="0 instances"):
        list(in_blocks([], 20.0, Path("f")))
