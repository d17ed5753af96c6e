"""Warnings of rows know their words, and none passes in silence."""

from __future__ import annotations

import json

import pytest

from tsxfer.core.cautions import Caution, brief, caution_of
from tsxfer.core.specs import PROFILES


def test_a_caution_is_its_code() -> None:
    """In rows, sets and messages a member is the text that it was before."""
    assert json.dumps([Caution.LEAKY]) == '["leaky split"]'
    assert {"leaky split"} == {Caution.LEAKY}
    assert f"{Caution.LEAKY}" == "leaky split"
    assert all(isinstance(code, Caution) for p in PROFILES.values() for code in p.warnings)


def test_the_worst_is_told_first() -> None:
    """Simulated data comes before everything; each has a kind and a sentence, or neither."""
    assert next(iter(Caution)) is Caution.SIMULATED
    assert all(bool(c.kind) == bool(c.text) for c in Caution)


@pytest.mark.parametrize("code", ["sensor was swapped in May", "leaky splits", "nonsense: x"])
def test_an_unknown_one_is_no_caution(code: str) -> None:
    """A card's own warning, and one of another version, are taken for none of ours."""
    assert caution_of(code) == (None, "")


def test_a_detail_goes_with_its_caution() -> None:
    """What lacks is told apart from what it is; a code may hold a colon of its own."""
    code = Caution.INCOMPLETE.of("finance@1 has 12 days")
    assert code == "incomplete data: finance@1 has 12 days"
    assert caution_of(code) == (Caution.INCOMPLETE, "finance@1 has 12 days")
    assert caution_of("no groups given: leakage not excluded") == (Caution.UNGROUPED, "")


def test_a_table_names_weights_briefly() -> None:
    """What weights learned from is a sentence of the report; other details stay in their cells."""
    assert brief(Caution.PRETRAINED.of("x+zoo@1 was trained on y")) == "pretrained elsewhere"
    assert brief(Caution.INCOMPLETE.of("12 days")) == "incomplete data: 12 days"
    assert brief("a card's own") == "a card's own"
