"""Five years of daily closes of the companies of the S&P 500."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tsxfer.data import Series, Whole, dataset
from tsxfer.data.prices import RATE_HZ, price_windows, read_prices
from tsxfer.data.reading import find_files, refuse_empty


@dataset(
    version=1,
    domain="finance",
    task="regression",
    label="close of the following trading day",
    unit="US dollar",
    rate_hz=RATE_HZ,
    channels=("close",),
    length=50,
    group="ticker",
    split="time",
    metric="mae",
    extra_metrics=("medae", "rmse", "r2"),
    margin=0.1,
    label_like_input=True,
    whole=Whole(groups=505, span=("2013-02-08", "2018-02-07")),
    manual="take the folder stock_data/individual_stocks_5yr of github.com/CNuge/kaggle-code at "
    "commit f1109438d6cf (earlier commits hold wrong prices), or Kaggle camnugent/sandp500",
    licence="MIT (repository); prices as published there",
    cite="C. Nugent, S&P 500 stock data, github.com/CNuge/kaggle-code",
)
def sp500_stocks(folder: Path) -> Iterator[Series]:
    """Next daily close of an S&P 500 company from the fifty closes before.

    Format: ``<TICKER>_data.csv``, one file a company, with the columns ``date`` (ISO) and
    ``close``; 505 files, 619,040 rows, 2013-02-08 to 2018-02-07. A few cells are empty; a window
    that touches an empty close is left out. A series shorter than 51 days has no window.

    Labels: the close of the day after the window, in dollars.

    Split: none is published. Companies move together, so the split is in time: the same dates
    are on the same side for all of them.
    """
    tables = ((path.stem.removesuffix("_data"), path) for path in find_files(folder, "*_data.csv"))
    prices = (read_prices(path, name, "date", "close", gaps=True) for name, path in tables)
    return refuse_empty((price_windows(each, 50) for each in prices), folder)
