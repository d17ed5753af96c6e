"""Warnings of rows know their words, and none passes in silence."""

from __future__ import annotations

import json

import pytest

from tsxfer.core.cautions import Caution, sentences
from tsxfer.core.specs import PROFILES


def test_a_caution_is_its_code() -> None:
    """In rows, sets and messages a member is the text that it was before."""
    assert json.dumps([Caution.LEAKY]) == '["leaky split"]'
    assert {"leaky split"} == {Caution.LEAKY}
    assert f"{Caution.LEAKY}" == "leaky split"
    assert all(isinstance(code, Caution) for p in PROFILES.values() for code in p.warnings)


def test_known_ones_are_told_in_one_order() -> None:
    """Whatever order rows give, the sentence on simulated data comes first, each once."""
    said = sentences(["leaky split", "simulated", "leaky split"])
    assert said == [Caution.SIMULATED.words, Caution.LEAKY.words]


@pytest.mark.parametrize("code", ["sensor was swapped in May", "leaky splits", "nonsense: x"])
def test_an_unknown_one_is_told_as_it_stands(code: str) -> None:
    """A card's own warning, and one of another version, reach the reader."""
    assert sentences(["simulated", code])[1:] == [
        f"WARNING of the data or of another version of tsxfer: {code}."
    ]


def test_a_detail_is_told_with_its_caution() -> None:
    """What lacks is named; what a table tells already is not repeated above it."""
    code = Caution.INCOMPLETE.of("finance@1 has 12 days")
    assert code == "incomplete data: finance@1 has 12 days"
    assert sentences([code]) == ["Incomplete data: finance@1 has 12 days."]
    assert sentences([Caution.SHUFFLED, Caution.WEIGHTS.of("mantis 00ff")]) == []
