"""What all public functions share: names of arguments, and messages in Python's words."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import tsxfer
from tsxfer.api.asked import DataWords, Flags, StudyWords, flags_of
from tsxfer.api.describing import HELP
from tsxfer.api.public import in_python, public
from tsxfer.errors import SpecError
from tsxfer.own.description import Description

GIVEN = {"source", "target", "described"}  # fields of `Flags` that are no arguments of a study
FUNCTIONS = ("fit", "load_dataset", "look", "plan", "recommend", "run")


def test_words_are_the_flags() -> None:
    """An argument for each flag: of data what describes it, of a study the fields of `Flags`."""
    assert set(DataWords.__annotations__) == set(HELP)
    of_study = {field.name for field in fields(Flags)} - GIVEN
    assert set(StudyWords.__annotations__) == set(HELP) | of_study


def test_the_help_of_run_names_every_word_of_a_study() -> None:
    """Each word of a study stands in the docstring, and `help` lists every argument."""
    said = inspect.getdoc(tsxfer.run) or ""
    of_study = {field.name for field in fields(Flags)} - GIVEN
    assert not [word for word in of_study if f"``{word}``" not in said]
    assert set(StudyWords.__annotations__) <= set(inspect.signature(tsxfer.run).parameters)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_name_is_answered_with_the_right_one(name: str) -> None:
    """A misspelt argument is refused with its near miss before anything is read."""
    with pytest.raises(SpecError, match="has no argument 'workspce'") as refused:
        getattr(tsxfer, name)("emg", workspce="w")
    assert "workspace" in refused.value.mend


def test_advice_on_flags_becomes_advice_on_arguments() -> None:
    """A flag of the function is an argument, its value text; shell commands stay as they are."""
    names = ("rate", "task", "data", "size")
    assert in_python("say --task regression, or --rate", names) == 'say task="regression", or rate='
    assert in_python("e.g. --size 175", names) == "e.g. size=175"
    shell = "tsxfer prepare emg --data real, or --other"
    assert in_python(shell, names) == shell


def test_words_become_flags() -> None:
    """One value or several, text or numbers, mean what the flags' texts mean."""
    words: StudyWords = {"size": [60, "10%"], "model": "tcn", "repeats": 3, "looks": [4]}
    flags = flags_of(words, ["emg"], ["finance"], Description())
    assert (flags.size, flags.model, flags.repeats, flags.looks) == (["60", "10%"], ["tcn"], 3, [4])
    blank = flags_of({}, ["emg"], ["finance"], Description())
    assert (blank.size, blank.repeats, blank.quick) == ([], None, False)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["strict", "paper"], "strict,paper"),
        (("paper", "strict"), "paper,strict"),
        (np.array(["strict"]), "strict"),
        ("strict,paper", "strict,paper"),
        ([], None),
        (None, None),
    ],
)
def test_protocols_may_be_a_list(given: Any, said: str | None) -> None:
    """A list means what the flag's commas mean, in its order."""
    assert flags_of({"profile": given}, ["emg"], ["finance"], Description()).profile == said


def test_protocols_without_an_order_are_refused() -> None:
    """The first protocol is that of the tables, which a set cannot say; the list is shown."""
    words: Any = {"profile": {"strict", "paper"}}
    with pytest.raises(SpecError, match="no order") as refused:
        flags_of(words, ["emg"], ["finance"], Description())
    assert "profile=['strict', 'paper']" in refused.value.mend


def test_arrays_are_lists_of_their_values() -> None:
    """NumPy's sizes mean what a list of them means; they were a traceback."""
    words: Any = {"size": np.array([60, 120]), "repeats": np.int64(3)}
    flags = flags_of(words, ["emg"], ["finance"], Description())
    assert (flags.size, flags.repeats) == (["60", "120"], 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"repeats": "two"}, "a whole number"),
        ({"quick": 1}, "True or False"),
        ({"model": 3}, "text"),
    ],
)
def test_a_value_of_another_kind_is_refused(words: StudyWords, said: str) -> None:
    """Text for a number, a number for a switch: refused with the value and what is wanted."""
    with pytest.raises(SpecError, match=f"not {said}"):
        flags_of(words, ["emg"], ["finance"], Description())


def test_a_public_function_without_words_is_checked_too() -> None:
    """A plain signature is its own list of names."""

    @public()
    def add(left: int, right: int = 1) -> int:
        return left + right

    assert add(1, right=2) == 3
    with pytest.raises(SpecError, match="rigth"):
        add(1, rigth=2)  # type: ignore[call-arg]
