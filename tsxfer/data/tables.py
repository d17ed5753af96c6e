"""Reading text tables with pandas, whose faults become clear messages."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from tsxfer.data.reading import utf8_mend
from tsxfer.errors import DataError


def read_table(path: Path, **options: Any) -> Any:
    """A ``pandas.DataFrame`` from a text file.

    Args:
        path: The file.
        **options: Of ``pandas.read_csv``, e.g. the separator.

    Raises:
        DataError: If the file is empty, is no text, or has lines of unequal length.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, **options)
    except (ValueError, OverflowError, csv.Error) as error:  # empty, broken, undecodable, endless
        raise _unreadable(path, error) from error


def numbers(table: Any, path: Path) -> Any:
    """The table with every cell as a number; NaN where a cell is none.

    Raises:
        DataError: If a number has more digits than any float holds.
    """
    import pandas as pd

    try:
        return table.apply(pd.to_numeric, errors="coerce")
    except OverflowError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, UnicodeDecodeError):
        return DataError(
            f"{path.name} is not UTF-8 text: {error.reason} at byte {error.start}",
            where=str(path),
            mend=utf8_mend(path),
        )
    return DataError(
        f"{path.name} ({path.stat().st_size:,} bytes) is no readable table: {error}",
        where=str(path),
        mend="look at that line, or write the table again",
    )
