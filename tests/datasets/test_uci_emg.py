"""UCI gestures: real files of fourteen subjects, and small made ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsxfer.data import Series
from tsxfer.errors import DataError

PLACE = "emg/uci_emg_gestures"
HEADER = "\t".join(("time", *(f"channel{n}" for n in range(1, 9)), "class"))


@pytest.fixture(scope="module")
def real(read, unpacked) -> Series:
    """All of the real windows."""
    return read("uci_emg", unpacked(PLACE))


@pytest.fixture(scope="module")
def one(unpacked) -> pd.DataFrame:
    """The rows of one real file."""
    (path,) = (unpacked(PLACE, only="/01/1_raw")).rglob("*.txt")
    return pd.read_csv(path, sep="\t")


def made(
    folder: Path, rows: list[tuple[float, float, object]], end: str = "\n", header: str = HEADER
) -> Path:
    """A file of rows (time, value of all channels, class)."""
    path = folder / "07/1_raw_data_10-00_01.01.16.txt"
    path.parent.mkdir(exist_ok=True)
    lines = [header, *("\t".join(map(str, (t, *[v] * 8, c))) for t, v, c in rows)]
    path.write_bytes((end.join(lines) + end).encode())
    return folder


def steady(code: object, milliseconds: range) -> list[tuple[float, float, object]]:
    """A row each millisecond, whose value changes every ten."""
    return [(time, (time // 10) * 1e-5, code) for time in milliseconds]


def test_real_set(real: Series) -> None:
    """Fourteen subjects, six named classes, windows of 0.5 s at 100 Hz, no unmarked row."""
    assert real.x.shape == (1_713, 8, 50)
    assert len(set(real.group)) == 14
    assert Counter(real.y.tolist()) == {
        "rest": 281,
        "fist": 276,
        "flexion": 281,
        "extension": 290,
        "radial": 293,
        "ulnar": 292,
    }
    assert len({uid.split("#")[0] for uid in real.uid}) == 28
    assert np.allclose(real.time_end - real.time_start, 0.5)
    assert np.abs(real.x).max() <= 0.00128


def test_real_rows_are_repeats(one: pd.DataFrame, real: Series) -> None:
    """Nine of ten rows repeat the last one, about 100 change a second; on the grid most change."""
    values = one.filter(like="channel").to_numpy()
    changed = (np.diff(values, axis=0) != 0).any(axis=1)
    assert changed.mean() == pytest.approx(0.108, abs=0.01)
    seconds = (one["time"].iloc[-1] - one["time"].iloc[0]) / 1000
    assert len(one) / seconds == pytest.approx(962, abs=2)
    assert 85 < changed.sum() / seconds < 110
    kept = (np.diff(real.x, axis=2) != 0).any(axis=1).mean()
    assert kept > 0.55


def test_real_samples_are_the_last_to_arrive(one: pd.DataFrame, real: Series) -> None:
    """Each sample of a window is the row that was last at that tick of 10 ms."""
    rows = np.flatnonzero(np.char.startswith(real.uid, "01/1_raw"))
    start = int(real.uid[rows[3]].split("#")[1])
    for tick in (0, 17, 49):
        moment = one["time"].iloc[0] + 10 * (start + tick)
        last = one[one["time"] <= moment].iloc[-1]
        found = real.x[rows[3], :, tick]
        assert np.allclose(found, last.filter(like="channel").to_numpy(float), atol=1e-9)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_both_line_ends(read, tmp_path: Path, end: str) -> None:
    """LF and CRLF give the same windows: every 0.25 s, of one class, named."""
    rows = steady(2, range(1, 1001)) + steady(0, range(1001, 1501)) + steady(7, range(1501, 2002))
    found = read("uci_emg", made(tmp_path, rows, end))
    assert found.y.tolist() == ["fist", "fist", "fist", "palm"]
    assert [int(uid.split("#")[1]) for uid in found.uid] == [0, 25, 50, 150]
    assert set(found.group) == {"07"}
    assert np.allclose(found.x[0, 3], np.arange(50) * 1e-5)


def test_repeats_are_not_taken_for_samples(read, tmp_path: Path) -> None:
    """A value held for ten rows becomes one sample, not ten."""
    found = read("uci_emg", made(tmp_path, steady(1, range(1, 600))))
    assert (np.diff(found.x[0, 0]) != 0).all()


def test_no_window_crosses_a_long_pause(read, tmp_path: Path) -> None:
    """A pause of 40 ms is bridged by the last row; one of 200 ms parts the windows."""
    short = steady(1, range(1, 300)) + steady(1, range(340, 640))
    assert len(read("uci_emg", made(tmp_path, short))) == 1
    long = steady(1, range(1, 300)) + steady(1, range(500, 800))
    with pytest.raises(DataError, match="0 instances"):
        read("uci_emg", made(tmp_path, long))


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ((601, "", 1), "a line holds a cell that is empty or no number"),
        ((601, "x", 1), "a line holds a cell that is empty or no number"),
        ((601, 0, ""), "a line holds a cell that is empty or no number"),
        ((600, 0, 1), "a line is not later than the line before: 600"),
        ((601, 0, 8), "a line has a class that is not 0 to 7"),
        ((601, 0, 1.5), "a line has a class that is not 0 to 7"),
    ],
)
def test_bad_lines(read, tmp_path: Path, row: tuple[float, float, object], shown: str) -> None:
    """A line that makes no sense is named by file and number."""
    folder = made(tmp_path, [*steady(1, range(1, 601)), row])
    with pytest.raises(DataError, match=shown) as caught:
        read("uci_emg", folder)
    assert caught.value.where.endswith("16.txt, line 602")


def test_bad_files(read, tmp_path: Path) -> None:
    """No file, an empty one, other columns and a header alone each have a message."""
    with pytest.raises(DataError, match="no file like"):
        read("uci_emg", tmp_path)
    made(tmp_path, [])
    with pytest.raises(DataError, match="0 rows of the columns time"):
        read("uci_emg", tmp_path)
    made(tmp_path, steady(1, range(9)), header=HEADER.replace("class", "label"))
    with pytest.raises(DataError, match="channel8, label; expected time"):
        read("uci_emg", tmp_path)
    next(tmp_path.rglob("*.txt")).write_bytes(b"")
    with pytest.raises(DataError, match="is no readable table"):
        read("uci_emg", tmp_path)
