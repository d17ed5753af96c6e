"""Names of data sets are read in one place."""

from __future__ import annotations

import pytest

from tsxfer.core.names import DatasetName, is_own, is_simulated


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("speech", ("speech", "", "")),
        ("speech@1", ("speech", "", "1")),
        ("speech+sim", ("speech", "sim", "")),
        ("speech+sim@1", ("speech", "sim", "1")),
        ("mine+own@3f9a2c1b", ("mine", "own", "3f9a2c1b")),
    ],
)
def test_a_name_is_its_parts(text: str, parts: tuple[str, str, str]) -> None:
    """Reading and writing are inverse."""
    named = DatasetName.parse(text)
    assert (named.base, named.kind, named.version) == parts
    assert str(named) == text
    assert named.settled == (text != "speech")


def test_kinds_are_told_apart() -> None:
    """Only a whole kind counts: a set called simple is real."""
    assert is_simulated("emg+sim@1")
    assert not is_simulated("simple@1")
    assert not is_simulated("mine+simple@1")
    assert is_own("mine+own@00ff00ff")
    assert not is_own("owner@1")


def test_a_stand_in_leaves_its_version_open() -> None:
    """The simulated set of a name has versions of its own."""
    assert str(DatasetName.parse("emg@1").stand_in()) == "emg+sim"
    assert str(DatasetName.parse("emg+sim@1").stand_in()) == "emg+sim@1"


def test_words_for_a_data_set() -> None:
    """What a user types may leave kind and version open, and nothing else."""
    named = DatasetName.parse("emg+sim@1")
    assert all(named.means(word) for word in ("emg", "emg+sim", "emg+sim@1"))
    assert not any(named.means(word) for word in ("em", "emg@1", "emg+sim@2", ""))
