"""Sessions or devices as groups: whole ones are held out, and verdicts speak of new ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.own import layouts
from tests.own.made import bring, bring_table, table
from tsxfer.core.specs import PROFILES
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import parts_of
from tsxfer.errors import DataError
from tsxfer.stats.scope import NewGroups


def _apart(made: Prepared, word: str) -> None:
    parts = parts_of(made, PROFILES["strict"])
    names = np.asarray(made.array("group"))
    held = [set(names[part].tolist()) for part in (parts.train, parts.validation, parts.test)]
    assert all(held)
    assert len(set.union(*held)) == sum(map(len, held))
    assert NewGroups(str(made.card.group)).named == f"new {word}s"


@pytest.mark.parametrize("word", ["session", "device"])
def test_a_column_says_what_is_held_out(tmp_path: Path, word: str) -> None:
    """Of two columns the one that --group names is held out whole, and names the scope."""
    columns = {
        "session": [f"t{i // 4}" for i in range(60)],
        "device": [f"d{i // 6 % 5}" for i in range(60)],
    }
    other = "device" if word == "session" else "session"
    made = table().drop(columns="who").assign(**columns)
    _apart(bring_table(tmp_path, made, group=word, ignore=(other,)), word)


def test_a_field_of_the_pattern_says_what_is_held_out(tmp_path: Path) -> None:
    """Any field of file or folder names may be the group; one that is not there is refused."""
    layouts.clips(tmp_path / "words", "{label}/{group}_nohash_{n}.wav")
    pattern = "{label}/{session}_nohash_{n}.wav"
    _apart(bring(tmp_path / "words", pattern=pattern, group="session"), "session")
    with pytest.raises(DataError, match="no column 'device' for --group"):
        bring(tmp_path / "words", pattern=pattern, group="device")
