"""The S&P 500 index."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from tsxfer.data import prepare
from tsxfer.errors import DataError


def closes(
    folder: Path, count: int = 52, name: str = "some.csv", header: str = "Date,Close"
) -> Path:
    """A CSV file of that many days, rising by one a day."""
    days = pd.date_range("2018-01-01", periods=count).strftime("%Y-%m-%d")
    lines = [header, *(f"{day},{100 + n}" for n, day in enumerate(days))]
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return folder


def fake(monkeypatch: pytest.MonkeyPatch, table: pd.DataFrame | None) -> list[tuple[object, ...]]:
    """Put a module in the place of yfinance that answers with this table."""
    calls: list[tuple[object, ...]] = []

    def download(*names: str, **options: object) -> pd.DataFrame | None:
        calls.append((*names, options))
        return table

    monkeypatch.setitem(sys.modules, "yfinance", SimpleNamespace(download=download))
    return calls


def test_real_history(read, real_data: Path) -> None:
    """24,114 days give 24,064 windows, with labels from 1928 to 2023 and from 4.40 to 4,796."""
    found = read("finance", real_data / "finance/gspc_yahoo")
    assert found.x.shape == (24_064, 1, 50)
    assert set(found.group) == {str(year) for year in range(1928, 2024)}
    assert found.y.min() == pytest.approx(4.40)
    assert found.y.max() == pytest.approx(4796.56, abs=0.01)
    in_study = found.time_end < pd.Timestamp("2018-11-28").timestamp()
    assert in_study.sum() == 22_835 - 50


def test_real_history_reads_close_and_not_open(read, real_data: Path) -> None:
    """Open is 0 on 5,075 days, so no sample is 0, and a window ends on the day before its label."""
    table = pd.read_csv(real_data / "finance/gspc_yahoo/^GSPC.csv")
    assert (table["Open"] == 0).sum() == 5_075
    found = read("finance", real_data / "finance/gspc_yahoo")
    assert found.x.min() > 4
    assert (found.x[1:, 0, -1] == found.y[:-1]).all()


def test_real_history_is_ordered_in_time(read, real_data: Path) -> None:
    """Label days ascend, and every window starts before it ends."""
    found = read("finance", real_data / "finance/gspc_yahoo")
    assert (found.time_end[1:] > found.time_end[:-1]).all()
    assert (found.time_start < found.time_end).all()


def test_other_csv_files_are_no_trouble(read, tmp_path: Path) -> None:
    """Any name will do, and a CSV without the columns may lie beside."""
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert len(read("finance", closes(tmp_path))) == 2


def test_two_histories_are_one_too_many(read, tmp_path: Path) -> None:
    """Which of two files counts is the user's to say."""
    closes(tmp_path, name="b.csv")
    with pytest.raises(DataError, match=r"2 CSV files.*a\.csv, b\.csv"):
        read("finance", closes(tmp_path, name="a.csv"))


def test_files_that_are_missing_or_wrong(read, tmp_path: Path) -> None:
    """No file, no column, and fewer than 51 days each have their own message."""
    with pytest.raises(DataError, match="no file like"):
        read("finance", tmp_path)
    with pytest.raises(DataError, match="no column 'Close'; the header has Date, close"):
        read("finance", closes(tmp_path, header="Date,close"))
    with pytest.raises(DataError, match="0 instances"):
        read("finance", closes(tmp_path, count=50))


@pytest.mark.parametrize("levels", [1, 2])
def test_download_writes_what_the_reader_reads(
    load, read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, levels: int
) -> None:
    """Old answers (plain columns) and new ones (column MultiIndex) give the same file."""
    index = pd.date_range("1927-12-30", periods=60, name="Date")
    table = pd.DataFrame({"Open": 0.0, "Close": [17.66 + n for n in range(60)]}, index=index)
    if levels == 2:
        table.columns = pd.MultiIndex.from_product([table.columns, ["^GSPC"]])
    calls = fake(monkeypatch, table)
    load("finance").fetch(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["^GSPC.csv"]
    assert (
        (tmp_path / "^GSPC.csv").read_text().startswith("Date,Open,Close\n1927-12-30,0.0,17.66\n")
    )
    assert len(read("finance", tmp_path)) == 10
    name, options = calls[0]
    assert name == "^GSPC"
    assert options["start"] == "1927-12-30"
    assert options["end"] == "2018-11-28"
    assert options["auto_adjust"] is False


@pytest.mark.parametrize("answer", [None, pd.DataFrame()])
def test_an_empty_answer_is_told(
    load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: pd.DataFrame | None
) -> None:
    """When Yahoo refuses, the message says what to do by hand, and no file is written."""
    fake(monkeypatch, answer)
    with pytest.raises(DataError, match="without a single day") as caught:
        load("finance").fetch(tmp_path)
    assert "Date and Close" in caught.value.mend
    assert not list(tmp_path.iterdir())


def test_a_failing_download_is_told(load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the web client raises becomes a message, not a traceback."""

    def download(*names: str, **options: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setitem(sys.modules, "yfinance", SimpleNamespace(download=download))
    with pytest.raises(DataError, match=r"could not be asked .*no route"):
        load("finance").fetch(tmp_path)


def test_a_company_is_not_the_index(read, tmp_path: Path) -> None:
    """A company's file has the index's columns; its prices at the end of a year do not agree."""
    days = pd.date_range("2013-11-01", periods=80).strftime("%Y-%m-%d")
    lines = ["Date,Close", *(f"{day},{500 + n}" for n, day in enumerate(days))]
    (tmp_path / "GOOG.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"2013-12-31 is 560, that of \^GSPC was 1848"):
        read("finance", tmp_path)


def test_sixty_days_are_not_the_whole_history(load, tmp_path: Path) -> None:
    """Data prepared from a part of the span says so in the label of every row made from it."""
    (tmp_path / "files").mkdir()
    closes(tmp_path / "files", 60)
    dataset = load("finance")
    made = prepare.prepare(dataset, dataset.read(tmp_path / "files"), tmp_path / "made")
    assert made.card.warnings == (
        "incomplete data: finance@1 has from 2018-01-01, not 1927-12-30, to 2018-03-01, not "
        "2018-11-27",
    )
