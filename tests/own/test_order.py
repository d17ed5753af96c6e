"""Which column is which sample: the file's own order, unless names count."""

from pathlib import Path

import numpy as np
import pytest

from tests.own.made import TIME, bring_table, table, windows
from tsxfer.errors import DataError
from tsxfer.own.order import arranged

EXPECTED = windows().astype(np.float32)

NAMES = {
    "seconds": ([f"{t / 32:g}" for t in range(TIME)], "say --rate 32"),
    "signed ms": ([f"{(t - 8) * 4}ms" for t in range(TIME)], "250 Hz"),
    "signed numbers": ([str((t - 8) * 4) for t in range(TIME)], "say --rate 250"),
    "a prefix and a time": ([f"t{t / 4:.2f}" for t in range(TIME)], "say --rate 4"),
    "out of line": ([f"x_{200 if t == 5 else t}" for t in range(TIME)], "x_4 is followed by x_200"),
    "all below zero": ([str(t - TIME) for t in range(TIME)], "rise in steps of 1"),
    "two patterns": ([f"x_{t}" if t < 8 else str(t) for t in range(TIME)], "taken as one channel"),
    "a gap": ([f"x_{t + (t > 7)}" for t in range(TIME)], "x_7 is followed by x_9"),
    "from one": ([f"x{t + 1}" for t in range(TIME)], ""),
    "padded": ([f"x.{t:03d}" for t in range(TIME)], ""),
}


@pytest.mark.parametrize("case", NAMES)
def test_samples_keep_the_order_of_the_file(tmp_path: Path, case: str) -> None:
    """Times, gaps and names out of line move no sample, and what they say is said."""
    names, note = NAMES[case]
    made = bring_table(tmp_path, table(names))
    assert np.array_equal(made.array("x"), EXPECTED)
    assert len(made.card.channels) == 1
    assert note in "; ".join(made.notes)
    assert bool(note) == bool(made.notes)


def test_names_that_count_are_put_in_order_and_it_is_said(tmp_path: Path) -> None:
    """Consecutive numbers in another order are sorted, as before, and a note says so."""
    shuffled = table()[["y", "who", *(f"x_{t}" for t in reversed(range(TIME)))]]
    made = bring_table(tmp_path, shuffled)
    assert np.array_equal(made.array("x"), EXPECTED)
    assert "another order" in made.notes[0]


def test_two_channels_may_be_interleaved() -> None:
    """``a_0 b_0 a_1 b_1`` are two channels in order of time."""
    names = [f"{c}_{t}" for t in range(3) for c in "ab"]
    found = arranged(names, "", Path("f.csv"))
    assert found.channels == {"a": ["a_0", "a_1", "a_2"], "b": ["b_0", "b_1", "b_2"]}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["x_1", "x_01", "x_2"], "sample 1 of channel x is there twice: x_1, x_01"),
        (["x_0", "x_1", "x_2", "age3"], "age3 does not belong to the others"),
        ([f"t{t}_ch{c}" for t in range(2) for c in range(9)], "--axes time,channel"),
        ([f"a{t}_b{c}" for t in range(9) for c in range(2)], "--axes time,channel"),
    ],
)
def test_names_that_make_no_windows_are_refused(names: list[str], message: str) -> None:
    """Samples that are there twice, columns beside the samples and swapped axes are told."""
    with pytest.raises(DataError) as refused:
        arranged(names, "", Path("f.csv"))
    assert message in str(refused.value)


def test_time_before_channel_in_names() -> None:
    """``--axes time,channel`` reads the first number of a name as the time."""
    names = [f"t{t}_ch{c}" for t in range(2) for c in range(3)]
    found = arranged(names, "time,channel", Path("f.csv"))
    assert found.channels["ch2"] == ["t0_ch2", "t1_ch2"]
    assert list(found.channels) == ["ch0", "ch1", "ch2"]


def test_an_index_without_a_name_is_left_out_and_said(tmp_path: Path) -> None:
    """Pandas' index is no channel; an unnamed column of other numbers is refused."""
    made = table()
    made.to_csv(tmp_path / "mine.csv")
    from tests.own.made import bring

    found = bring(tmp_path / "mine.csv", label="y", group="who")
    assert np.array_equal(found.array("x"), EXPECTED)
    assert "numbers the rows" in found.notes[0]
    made.set_axis(np.random.default_rng(0).permutation(made.index)).to_csv(tmp_path / "mine.csv")
    found = bring(tmp_path / "mine.csv", label="y", group="who")
    assert np.array_equal(found.array("x"), EXPECTED)
    made.set_axis(made.index // 2).to_csv(tmp_path / "mine.csv")
    with pytest.raises(DataError, match="does not number the rows"):
        bring(tmp_path / "mine.csv", label="y", group="who")


def test_a_recording_is_not_taken_for_windows(tmp_path: Path) -> None:
    """Few columns and many rows are questioned, with the flag that cuts them or does not."""
    names = ["a1", "a2", "a3"]
    short = table()[[f"x_{t}" for t in range(3)]].set_axis(names, axis=1)
    short = short.assign(y=table()["y"], who=table()["who"])
    with pytest.raises(DataError, match="is this a recording") as refused:
        bring_table(tmp_path, short)
    assert "--window 1s" in refused.value.mend
    assert bring_table(tmp_path, short, axes="channel,time").card.length == 3
    with pytest.raises(DataError, match="looks like a recording"):
        bring_table(tmp_path, short.set_axis(["ax", "ay", "az", "y", "who"], axis=1))
