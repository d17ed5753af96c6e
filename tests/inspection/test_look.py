"""What `tsxfer look` says of a data set is what lies in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tsxfer.data import Card, Dataset, Series
from tsxfer.data.prepare import Prepared, prepare
from tsxfer.inspection.facts import facts_of
from tsxfer.inspection.hints import hints
from tsxfer.inspection.page import page
from tsxfer.inspection.text import drawn, text

COUNT, LENGTH, RATE = 120, 64, 64.0
CARD = Card(
    name="made",
    version=1,
    title="<made>",
    domain="own",
    task="classification",
    label="state",
    rate_hz=RATE,
    channels=("a", "b"),
    length=LENGTH,
    group="subject",
    metric="macro_f1",
    margin=0.02,
    licence="none",
    cite="nobody",
)


def _series(groups: int = 60) -> Series:
    """Two channels at 8 Hz and 16 Hz with a little noise; two classes."""
    draw = np.random.default_rng(0)
    time = np.arange(LENGTH) / RATE
    pure = np.stack([np.sin(2 * np.pi * 8 * time), 3 * np.sin(2 * np.pi * 16 * time)])
    x = pure + 0.01 * draw.standard_normal((COUNT, 2, LENGTH))
    return Series(
        x=x.astype(np.float32),
        y=np.array(["rest", "move"] * (COUNT // 2)),
        group=np.array([f"s{n % groups:02}" for n in range(COUNT)]),
        uid=np.array([f"w{n}" for n in range(COUNT)]),
        rate_hz=RATE,
    )


def _made(folder: Path, series: Series, card: Card = CARD) -> Prepared:
    return prepare(Dataset(card), [series], folder / "made")


def test_counts_and_spectrum_are_those_of_the_data(tmp_path: Path) -> None:
    """Windows, classes, groups, and the frequency of each channel."""
    facts = facts_of(_made(tmp_path, _series()))
    assert facts.windows == COUNT
    assert facts.classes == {"move": 60, "rest": 60}
    assert set(facts.groups.values()) == {2}
    assert facts.frequency[facts.power.argmax(axis=1)].tolist() == [8.0, 16.0]
    assert facts.power.sum(axis=1) == pytest.approx([1, 1])
    assert facts.channels[1][2] == pytest.approx(3 / np.sqrt(2), rel=0.01)
    assert (facts.flat, facts.dead, facts.twice, facts.padded) == (0, 0, 0, 0)


def test_what_is_wrong_with_windows_is_counted(tmp_path: Path) -> None:
    """Flat windows, dead channels, padding and windows that occur twice are distinguished."""
    series = _series()
    series.x[0] = series.x[50] = 1.0
    series.x[1, 1] = 0.0
    series.x[2, :, 40:] = 0.0
    series.x[10] = series.x[70]  # both in group s10
    series.x[11] = series.x[12]
    made = _made(tmp_path, series)
    facts = facts_of(made)
    assert (facts.flat, facts.dead, facts.padded, facts.twice, facts.across) == (2, 1, 1, 2, 1)
    said = "\n".join(hints(made, facts))
    for word in (
        "2 window(s) are flat",
        "constant channel",
        "padding",
        "equal one of another group",
    ):
        assert word in said


def test_few_groups_and_lonely_classes_are_hinted_at(tmp_path: Path) -> None:
    """Under eight test groups, and a class that one group alone holds, are named."""
    made = _made(tmp_path, _series(groups=10))
    assert "nothing can be said of new ones" in "\n".join(hints(made, facts_of(made)))
    series = _series(groups=2)
    series.y[:] = np.where(series.group == "s00", "rest", "move")
    made = _made(tmp_path, series)
    said = "\n".join(hints(made, facts_of(made)))
    assert "class move is in one group only" in said
    assert "cannot be split" in said


def test_a_sound_set_has_no_hint(tmp_path: Path) -> None:
    """Nothing is said where there is nothing to say."""
    made = _made(tmp_path, _series())
    assert hints(made, facts_of(made)) == []


def test_the_terminal_view_names_all(tmp_path: Path) -> None:
    """Card, classes and groups with counts, and an example of each class."""
    made = _made(tmp_path, _series())
    said = text(made, facts_of(made))
    for word in (
        "120 of 2 x 64 (1 s at 64 Hz)",
        "move 60, rest 60",
        "60 (subject) of 2 to 2",
        "16 Hz",
    ):
        assert word in said
    assert sum(line.startswith("  rest ") for line in said.splitlines()) == 3


def test_a_regression_shows_its_labels(tmp_path: Path) -> None:
    """Quartiles in the unit of the label in the place of classes."""
    series = _series()
    numbers = replace(series, y=np.arange(COUNT, dtype=np.float32))
    made = _made(tmp_path, numbers, replace(CARD, task="regression", unit="kg", metric="mae"))
    said = text(made, facts_of(made))
    assert "state: 0 to 119 kg, median 59.5" in said
    assert "Distribution of state" in page(made, facts_of(made))


def test_the_page_needs_nothing_and_escapes(tmp_path: Path) -> None:
    """No request, no script; what a file says cannot become a tag."""
    series = _series()
    series.y[:] = np.where(series.y == "rest", "<b>r", "move")
    made = _made(tmp_path, series)
    made_page = page(made, facts_of(made))
    assert made_page.count("<svg") == 4
    assert "<script" not in made_page
    assert "<b>r" not in made_page
    assert "http" not in made_page.replace("http://www.w3.org", "")


def test_a_window_is_drawn_between_its_extremes() -> None:
    """The lowest and the highest character stand where the samples are lowest and highest."""
    line = drawn(np.linspace(-1, 1, 640, dtype=np.float32))
    assert len(line) == 64
    assert (line[0], line[-1]) == (" ", "█")
    assert set(drawn(np.ones(10, np.float32))) == {"▄"}
