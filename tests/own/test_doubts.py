"""Labels and groups that may mean something else than they seem to: said, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.own.made import N, bring_table, groups, labels, table
from tsxfer.errors import DataError
from tsxfer.own.doubts import of_classes, of_groups, of_numbers, refuse_dressed
from tsxfer.own.order import arranged

SLIPS: dict[str, tuple[list[str], str]] = {
    "another alphabet": (["on"] * 9 + ["\u043en"] * 9, r"'on' / '\u043en'"),
    "a slip": (["walk"] * 30 + ["wlk"], "differ by one letter: 'wlk' (1) and 'walk' (30)"),
    "numbers of classes": (["N1"] * 30 + ["N2"], ""),
    "two classes alike": (["run"] * 30 + ["sun"] * 30, ""),
    "yes in several ways": (["True", "1", "False", "0"], "several ways"),
    "a row of a summary": (["on", "off", "mean"], "'mean' (1 windows)"),
    "days": (["2020-01-01", "2020-01-02"], "each class is a date"),
    "plain": (["on", "off"], ""),
}


@pytest.mark.parametrize("name", SLIPS)
def test_classes_that_may_be_others_are_said(name: str) -> None:
    """Look-alikes, slips, truth in several ways, summaries and dates are notes, others are not."""
    names, said = SLIPS[name]
    notes = " ".join(of_classes(np.array(names)))
    assert said in notes
    assert bool(said) == bool(notes)


def test_groups_that_differ_by_the_class_alone_are_said() -> None:
    """``on_s1`` and ``off_s1`` may be one person on both sides of a split."""
    named = np.char.add(np.char.add(labels(), "_"), groups())
    (said,) = of_groups(named, labels())
    assert "groups such as on_s00 and off_s00 differ by the class" in said
    assert of_groups(groups(), labels()) == ()
    alone = np.char.add(np.char.add(labels(), "_"), np.arange(N).astype(str))
    assert of_groups(alone, labels()) == ()


def test_numbers_with_units_or_words_are_no_classes() -> None:
    """Of many labels that are numbers but for some, those are named; codes stay classes."""
    random = np.random.default_rng(0).random(N).round(3)
    for written in ([f"{v} kg" for v in random], [*map(str, random[:-4]), *["BDL"] * 4]):
        with pytest.raises(DataError, match="labels are numbers, but"):
            refuse_dressed(np.array(written), "y", 20)
    refuse_dressed(np.array([f"{n:03d}" for n in range(N)]), "y", 20)
    refuse_dressed(np.array([f"word{n}" for n in range(N)]), "y", 20)
    refuse_dressed(np.array(["5 kg", "10 kg"] * 30), "y", 20)


def test_numbers_far_from_all_others_and_few_numbers_are_said() -> None:
    """-1 beside 50 to 51 may stand for nothing; three numbers may be classes; a spread is neither.

    Where the task was said, few numbers are in order.
    """
    y = 50 + np.random.default_rng(0).random(N)
    assert of_numbers(y, "y", said=False, most=20) == ()
    (said,) = of_numbers(np.where(np.arange(N) % 10 == 0, -1, y), "y", said=False, most=20)
    assert said.startswith("y is -1 in 6 windows, far from the others (50.0")
    wide = np.where(np.arange(N) % 10 == 0, -9.9, np.linspace(4, 8, N))
    assert "y is -9.9 in 6 windows" in of_numbers(wide, "y", said=False, most=20)[0]
    spread = np.exp(np.random.default_rng(0).normal(0, 1, N))
    assert of_numbers(spread, "y", said=False, most=20) == ()
    few = np.tile([0.5, 1.0, 1.5], 20)
    assert "--task classification" in of_numbers(few, "y", said=False, most=20)[0]
    assert of_numbers(few, "y", said=True, most=20) == ()


def test_one_number_for_all_windows_is_refused(tmp_path: Path) -> None:
    """There is nothing to learn from labels that are all the same number."""
    with pytest.raises(DataError, match=r"every label is 3.5 \(y\)"):
        bring_table(tmp_path, table(y=3.5))


def test_columns_that_look_alike_are_named(tmp_path: Path) -> None:
    """A column in another alphabet is no second channel, and the label is found by its look."""
    letters = ("x", "\u0445")  # the second is Cyrillic
    names = [f"{letters[t == 3]}_{t}" for t in range(16)]
    with pytest.raises(DataError, match=r"look like those of channel x and are none: '\\u0445'"):
        bring_table(tmp_path, table(names))
    with pytest.raises(DataError) as error:
        bring_table(tmp_path, table().rename(columns={"y": "\u0443"}))
    assert "say --label \u0443" in error.value.mend
    half = [f"{letters[t % 2]}_{t // 2}" for t in range(16)]
    assert "channels that look the same" in " ".join(arranged(half, "", tmp_path).notes)
