"""Table faults told in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsxfer.data.tables import read_table
from tsxfer.errors import DataError


def test_options_reach_pandas(tmp_path: Path) -> None:
    """Separator and types are the caller's."""
    (tmp_path / "some.txt").write_text("a\tb\n1\t2\n")
    assert read_table(tmp_path / "some.txt", sep="\t", dtype=str)["b"].tolist() == ["2"]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n1,2,3\n"])
def test_what_is_no_table(tmp_path: Path, content: bytes) -> None:
    """Empty files and ragged lines are named, with the size."""
    (tmp_path / "some.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"some\.csv \({len(content)} bytes\) is no readable"):
        read_table(tmp_path / "some.csv")


def test_latin_1_is_not_to_be_fetched_again(tmp_path: Path) -> None:
    """A text of another encoding is told so, with the command that turns it into UTF-8."""
    (tmp_path / "some.csv").write_bytes("a,b\nbrève,1\n".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8 text") as caught:
        read_table(tmp_path / "some.csv")
    assert caught.value.mend.startswith("iconv -f latin1 -t utf-8 some.csv")
