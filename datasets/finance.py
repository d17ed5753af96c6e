"""The S&P 500 index: fifty daily closes, and the close of the day after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tsxfer.data import Series, Whole, dataset
from tsxfer.data.prices import RATE_HZ, Prices, columns, price_windows, read_prices
from tsxfer.data.reading import find_files, refuse_empty
from tsxfer.errors import DataError
from tsxfer.simulate.prices import index_closes

START, END = "1927-12-30", "2018-11-28"  # the span of the study; yfinance leaves the end day out

# Closes at the ends of years, every third one: what tells the index from another series.
YEAR_ENDS = {
    "1927-12-30": 17.66,
    "1929-12-31": 21.45,
    "1932-12-30": 6.92,
    "1935-12-31": 13.43,
    "1938-12-30": 13.14,
    "1941-12-31": 8.69,
    "1944-12-29": 13.28,
    "1947-12-31": 15.3,
    "1950-12-29": 20.43,
    "1953-12-31": 24.81,
    "1956-12-31": 46.67,
    "1959-12-31": 59.89,
    "1962-12-31": 63.1,
    "1965-12-31": 92.43,
    "1968-12-31": 103.86,
    "1971-12-31": 102.09,
    "1974-12-31": 68.56,
    "1977-12-30": 95.1,
    "1980-12-31": 135.76,
    "1983-12-30": 164.93,
    "1986-12-31": 242.17,
    "1989-12-29": 353.4,
    "1992-12-31": 435.71,
    "1995-12-29": 615.93,
    "1998-12-31": 1229.23,
    "2001-12-31": 1148.08,
    "2004-12-31": 1211.92,
    "2007-12-31": 1468.36,
    "2010-12-31": 1257.64,
    "2013-12-31": 1848.36,
    "2016-12-30": 2238.83,
    "2017-12-29": 2673.61,
}


@dataset(
    version=1,
    domain="finance",
    task="regression",
    label="close of the following trading day",
    unit="index points",
    rate_hz=RATE_HZ,
    channels=("close",),
    length=50,
    group="calendar year of the label day",
    split="time",
    metric="mae",
    extra_metrics=("medae", "rmse", "r2"),
    margin=1.0,
    label_like_input=True,
    whole=Whole(span=(START, "2018-11-27")),
    manual="save the daily history of ^GSPC from finance.yahoo.com as a CSV file with the "
    "columns Date and Close, and give its folder to `tsxfer prepare finance --from`",
    licence="terms of Yahoo Finance; research use",
    cite="Yahoo Finance, ^GSPC, finance.yahoo.com",
)
def finance(folder: Path) -> Iterator[Series]:
    """Next daily close of the S&P 500 index from the fifty closes before.

    Format: one CSV file with ISO dates in ``Date`` and the unadjusted close in ``Close``; other
    columns are ignored. In Yahoo's file ``Open`` is 0 on some 5,000 days and ``Volume`` on as
    many, which is why neither is read. Rows may come in any order; a day given twice, or a close
    that is missing or not above 0, is an error.

    Labels: the close of the day after the window, in index points. Windows slide by one day, so
    neighbours share 49 closes; hence the split in time. Time runs from the first day of the
    window to the day of the label.

    Split: none is published. The study cut 70/15/15 per cent in order of time.
    """
    path = _table(folder)
    prices = read_prices(path, "GSPC", "Date", "Close")
    _refuse_other(prices, path)
    return refuse_empty([price_windows(prices, 50, by_year=True)], folder)


@finance.fetcher
def download(folder: Path) -> None:
    """Download the study's span from Yahoo into ``^GSPC.csv``."""
    import yfinance

    try:
        table = yfinance.download(
            "^GSPC", start=START, end=END, interval="1d", auto_adjust=False, progress=False
        )
    except Exception as error:  # yfinance passes on what its web client of the day raises
        raise _no_answer(f"Yahoo could not be asked for ^GSPC: {error!r}") from error
    if table is None or table.empty:
        raise _no_answer("Yahoo answered without a single day of ^GSPC")
    if table.columns.nlevels > 1:  # recent versions put the ticker in a second level
        table.columns = table.columns.get_level_values(0)
    table.index = table.index.strftime("%Y-%m-%d")
    table.to_csv(folder / "^GSPC.csv", index_label="Date")


def _refuse_other(prices: Prices, path: Path) -> None:
    """A company's prices have the same columns; the index's year-ends tell them apart."""
    for day, close in zip(prices.days, prices.closes, strict=True):
        known = YEAR_ENDS.get(str(day))
        if known is not None and abs(close / known - 1) > 0.01:
            raise DataError(
                f"the close of {day} is {close:g}, that of ^GSPC was {known:g}: another series",
                where=str(path),
                mend="give the history of ^GSPC; prices of your own are read by "
                f"tsxfer prepare {path.name} --label Close --window 50",
            )


def _no_answer(problem: str) -> DataError:
    by_hand = finance.card.manual
    mend = f"try again later, or `pip install -U yfinance`, or by hand: {by_hand}"
    return DataError(problem, where="yfinance.download", mend=mend)


def _table(folder: Path) -> Path:
    """The one CSV file that has the columns."""
    found = find_files(folder, "*.csv")
    able = [path for path in found if {"Date", "Close"} <= set(columns(path))] or found
    if len(able) > 1:
        raise DataError(
            f"{len(able)} CSV files, one is expected: {', '.join(p.name for p in able[:4])}",
            where=str(folder),
            mend="keep one file with the columns Date and Close",
        )
    return able[0]


finance.simulator(version=1, count=15500)(index_closes)
