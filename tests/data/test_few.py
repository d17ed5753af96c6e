"""Few labels of each class: what is drawn, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tsxfer.core.results import Result
from tsxfer.core.sizes import canonical_size, in_words, label_budget, per_class, place_in_order
from tsxfer.core.specs import PROFILES, Trial
from tsxfer.core.study import Study
from tsxfer.data import split
from tsxfer.errors import DataError, SpecError
from tsxfer.exchange.sets import Part, ResultSet
from tsxfer.exchange.writing import summary

STRICT = PROFILES["strict"]
LABELS = np.repeat(np.arange(3), [600, 300, 20])
EVERY = np.arange(len(LABELS))
PARTS = split.Partition(EVERY[EVERY % 5 < 3], EVERY[EVERY % 5 == 3], EVERY[EVERY % 5 == 4])
NAMES = ("fist", "flat", "rare")


def _drawn(size: str, repeat: int = 0, rest_of: np.ndarray | None = None) -> split.Subset:
    return split.subset(PARTS, LABELS, STRICT, size, "toy@1", repeat, rest_of, NAMES)


@pytest.mark.parametrize(("each", "train", "held"), [(2, 1, 1), (3, 2, 1), (5, 4, 1), (10, 8, 2)])
def test_each_class_gives_as_many(each: int, train: int, held: int) -> None:
    """Classes of other sizes give the same number, a fifth of it, one at least, to select on."""
    drawn = _drawn(f"{each}/class")
    assert np.bincount(LABELS[drawn.train]).tolist() == [train] * 3
    assert np.bincount(LABELS[drawn.validation]).tolist() == [held] * 3
    assert set(drawn.train) <= set(PARTS.train)
    assert set(drawn.validation) <= set(PARTS.validation)


def test_a_smaller_number_lies_inside_a_larger_one() -> None:
    """In every repeat, and repeats differ."""
    for repeat in range(5):
        draws = [_drawn(f"{each}/class", repeat) for each in range(2, 13)]
        for small, large in itertools.pairwise(draws):
            assert set(small.train) <= set(large.train)
            assert set(small.validation) <= set(large.validation)
    assert _drawn("5/class", 0).digest != _drawn("5/class", 1).digest


def test_what_is_left_is_all_the_rest() -> None:
    """A source of the target's own remaining windows shares none with the subset."""
    rest, drawn = _drawn("5/class", 0, EVERY.astype(str)), _drawn("5/class")
    left = {*rest.train, *rest.validation}
    assert not left & {*drawn.train}
    assert len(left) == len(PARTS.train) - len(drawn.train)


def test_a_class_with_too_few_windows_is_named_and_the_advice_fits() -> None:
    """The largest number that all classes can give is told, and can be drawn."""
    with pytest.raises(DataError, match="class rare of toy@1 has 12 and 4") as caught:
        _drawn("50/class")
    assert len(_drawn(caught.value.mend.rsplit(" ", 1)[1]).train) > 0


def test_numbers_have_no_classes() -> None:
    """A regression is told to use a number of labels."""
    with pytest.raises(DataError, match="are numbers"):
        split.subset(PARTS, None, STRICT, "5/class", "toy@1", 0)


@pytest.mark.parametrize("size", ["0/class", "1/class"])
def test_one_label_of_a_class_cannot_be_halved(size: str) -> None:
    """One is left to select on and none to learn from, so two are the fewest."""
    with pytest.raises(SpecError, match="select on"):
        canonical_size(size)


@pytest.mark.parametrize("size", ["5/klass", "/class", "-5/class", "5.5/class", "5/class/class"])
def test_what_is_nearly_a_size_is_told_the_forms(size: str) -> None:
    """The forms are listed."""
    with pytest.raises(SpecError, match="label budget") as caught:
        canonical_size(size)
    assert "5/class" in caught.value.mend


@pytest.mark.parametrize("size", ["5/klass", "5/classes", "5 / class", "5 per class", "5/"])
def test_a_near_miss_is_told_what_was_meant(size: str) -> None:
    """The advice has the number that was asked for, and is a size."""
    with pytest.raises(SpecError, match="label budget") as caught:
        canonical_size(size)
    assert caught.value.mend.startswith("did you mean 5/class ")


def test_sizes_are_put_in_order_as_numbers() -> None:
    """Not as text, which has 10/class before 5/class and 1500 after 10000."""
    ordered = ["5/class", "n=60", "10/class", "n=1500", "n=10000", "all"]
    assert sorted(sorted(ordered), key=place_in_order) == ordered


def test_results_list_few_labels_before_many() -> None:
    """By the labels that rows used: 10/class of three classes, 30 labels, stands before 60."""
    used = {"n=60": 60, "10/class": 30, "n=10000": 0, "5/class": 15, "n=1500": 0}  # 0: failed
    rows = tuple(
        Result(
            Trial("home@1", "convnetquake", size, 0),
            status="failed",
            metric="macro_f1",
            sizes={"train": count},
        )
        for size, count in used.items()
    )
    listed = summary(ResultSet("s", (Part("s", "", "", rows, {}),)))
    found = [line.split()[2] for line in listed.splitlines() if "home@1" in line]
    assert found == ["5/class", "10/class", "n=60", "n=1500", "n=10000"]


def test_sizes_are_read_and_told() -> None:
    """One spelling is kept; words say what it counts."""
    assert canonical_size(" 05/Class ") == "5/class"
    assert (per_class("5/class"), per_class("n=5"), per_class("all")) == (5, None, None)
    assert label_budget("5/class", 100, 3) == 15
    assert in_words("5/class") == "5 labels of each class"
    assert in_words("n=1500") == "1,500 labels"


def test_studies_refuse_what_cannot_be_drawn() -> None:
    """Neither under the study's own protocol, nor to pretrain on."""
    with pytest.raises(SpecError, match="without regard to class"):
        Study("s", ("emg",), ("speech",), sizes=("5/class",), profile="paper")
    with pytest.raises(SpecError, match="not pretrained on few"):
        Study("s", ("emg",), ("speech",), source_size="5/class")
