"""Closes from CSV, and windows of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tsxfer.data.prices import price_windows, read_prices
from tsxfer.errors import DataError


def written(folder: Path, *lines: str, header: str = "Date,Close") -> Path:
    """A CSV file of these lines."""
    path = folder / "some.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def test_rows_in_another_order_are_put_in_order(tmp_path: Path) -> None:
    """A file that runs backwards in time gives the same prices."""
    prices = read_prices(
        written(tmp_path, "2020-01-03,3", "2020-01-01,1", "2020-01-02,2"), "X", "Date", "Close"
    )
    assert prices.closes.tolist() == [1, 2, 3]
    assert prices.days.astype(str).tolist() == ["2020-01-01", "2020-01-02", "2020-01-03"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("2020-01-02,", "''"),
        ("2020-01-02", "''"),
        ("2020-01-02,0", "'0'"),
        ("2020-01-02,-3", "'-3'"),
        ("2020-01-02,null", "'null'"),
        ("2020-01-02,inf", "'inf'"),
        ("02/01/2020,5", "'02/01/2020'"),
    ],
)
def test_a_bad_cell_is_shown_with_its_line(tmp_path: Path, line: str, shown: str) -> None:
    """A close that is missing or not above 0, or a date that is none, names file and line."""
    with pytest.raises(DataError, match=shown) as caught:
        read_prices(written(tmp_path, "2020-01-01,1", line), "X", "Date", "Close")
    assert caught.value.where.endswith("some.csv, line 3")
    assert caught.value.mend


def test_a_day_given_twice_names_both_lines(tmp_path: Path) -> None:
    """One day with two closes is an error, even when the rows are far apart."""
    path = written(tmp_path, "2020-01-02,1", "2020-01-01,2", "2020-01-02,1")
    with pytest.raises(DataError, match="2020-01-02 stands on two lines, 2 and 4"):
        read_prices(path, "X", "Date", "Close")


def test_a_missing_column_shows_the_header(tmp_path: Path) -> None:
    """The message holds the wanted name and the names that are there."""
    with pytest.raises(DataError, match=r"no column 'Close'; the header has Date, Price"):
        read_prices(written(tmp_path, header="Date,Price"), "X", "Date", "Close")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are a DataError."""
    path = tmp_path / "some.csv"
    path.write_bytes(b"\xff\xfe\x00D")
    with pytest.raises(DataError, match="not UTF-8"):
        read_prices(path, "X", "Date", "Close")


def test_windows_end_before_their_label(tmp_path: Path) -> None:
    """The label is the close after the window; time runs from the first day to the label day."""
    lines = [f"2019-12-{day},{day}" for day in range(28, 32)] + ["2020-01-01,32"]
    windows = price_windows(read_prices(written(tmp_path, *lines), "X", "Date", "Close"), 3)
    assert windows.x[:, 0].tolist() == [[28, 29, 30], [29, 30, 31]]
    assert windows.y.tolist() == [31, 32]
    assert windows.uid.tolist() == ["X/2019-12-31", "X/2020-01-01"]
    assert windows.time_start is not None
    assert windows.time_end is not None
    assert ((windows.time_end - windows.time_start) / 86400).tolist() == [3, 3]
    assert windows.time_end[1] == 1577836800  # 2020-01-01T00:00:00Z


def test_groups_are_the_name_or_the_year_of_the_label(tmp_path: Path) -> None:
    """A window that reaches over New Year belongs to the year of its label."""
    path = written(tmp_path, "2019-12-30,1", "2019-12-31,2", "2020-01-01,3")
    prices = read_prices(path, "X", "Date", "Close")
    assert price_windows(prices, 1, by_year=True).group.tolist() == ["2019", "2020"]
    assert price_windows(prices, 1).group.tolist() == ["X", "X"]


def test_windows_that_touch_an_empty_cell_are_left_out(tmp_path: Path) -> None:
    """Where gaps are allowed, neither input nor label is ever an empty cell."""
    path = written(tmp_path, *(f"2020-01-{d:02},{'' if d == 4 else d}" for d in range(1, 10)))
    windows = price_windows(read_prices(path, "X", "Date", "Close", gaps=True), 2)
    assert windows.y.tolist() == [3, 7, 8, 9]
    assert np.isfinite(windows.x).all()


def test_a_series_that_is_too_short_has_no_window(tmp_path: Path) -> None:
    """As many closes as the window is long leave no label, so there is no window."""
    prices = read_prices(written(tmp_path, "2020-01-01,1"), "X", "Date", "Close")
    assert len(price_windows(prices, 1)) == 0
