"""Companies of the S&P 500."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsxfer.errors import DataError

PLACE = "finance/sp500_individual_5yr"


def stock(folder: Path, ticker: str, closes: list[object]) -> None:
    """A file of this company."""
    days = pd.date_range("2013-02-08", periods=len(closes)).strftime("%Y-%m-%d")
    rows = [f"{day},,1,1,{close},5,{ticker}" for day, close in zip(days, closes, strict=True)]
    text = "\n".join(["date,open,high,low,close,volume,Name", *rows])
    (folder / f"{ticker}_data.csv").write_text(text + "\n", encoding="utf-8")


def test_real_companies(load, unpacked) -> None:
    """505 files of 619,040 rows: a window for each row from the 51st on; 504 tickers have any."""
    folder = unpacked(PLACE)
    sizes = {}
    for block in load("sp500_stocks").read(folder):
        assert len(set(block.group)) == 1
        sizes[block.group[0]] = len(block)
    rows = {}
    for path in folder.rglob("*_data.csv"):
        with path.open() as file:
            rows[path.name.removesuffix("_data.csv")] = sum(1 for _ in csv.reader(file)) - 1
    assert len(rows) == 505
    assert sum(rows.values()) == 619_040
    assert min(rows.values()) == 44
    assert sum(count == 1_259 for count in rows.values()) == 470
    assert sizes == {name: count - 50 for name, count in rows.items() if count > 50}
    assert sum(sizes.values()) == 593_796


def test_real_empty_cells_are_not_in_the_close(read, unpacked) -> None:
    """The set's empty cells are opens, highs and lows, so the company loses no window."""
    folder = unpacked(PLACE, only="/DHR_")
    (path,) = folder.rglob("*.csv")
    table = pd.read_csv(path)
    assert table[["open", "high", "low"]].isna().sum().tolist() == [2, 1, 1]
    assert len(read("sp500_stocks", folder)) == len(table) - 50


def test_windows_that_touch_an_empty_close_are_left_out(read, tmp_path: Path) -> None:
    """One empty close in 120 days costs 51 windows, and nothing else."""
    stock(tmp_path, "AAA", [*range(1, 61), "", *range(62, 121)])
    found = read("sp500_stocks", tmp_path)
    assert len(found) == 120 - 50 - 51
    assert 61 not in found.x
    assert np.all(found.group == "AAA")


def test_bad_prices_and_missing_files(read, tmp_path: Path) -> None:
    """A price of 0 names its line; a folder without files says so."""
    with pytest.raises(DataError, match="no file like"):
        read("sp500_stocks", tmp_path)
    stock(tmp_path, "AAA", [*range(1, 61), 0])
    with pytest.raises(DataError, match="the close is '0'") as caught:
        read("sp500_stocks", tmp_path)
    assert caught.value.where.endswith("AAA_data.csv, line 62")
