"""Small tables that say something of other files: catalogues and intervals, as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.errors import DataError
from tsxfer.own.clocks import seconds
from tsxfer.own.description import Description
from tsxfer.own.dialect import EMPTY, number
from tsxfer.own.streams import ReadAgain, Text


def listing(path: Path) -> tuple[Any, str]:
    """A table whose cells are all text, ``""`` where they are empty, and its decimal sign.

    Every dialect and encoding that `tsxfer.own.dialect` knows is read; a cell that says ``NA`` or
    ``None`` keeps saying so, since it may be the name of a class.

    Raises:
        DataError: If it is no table.
    """
    import pandas as pd

    table = Text.of(path, Description(header="yes"))
    try:
        parts = [batch.to_pandas() for batch in table.batches([], list(table.names))]
    except ReadAgain:
        parts = [batch.to_pandas() for batch in table.batches([], list(table.names))]
    if not parts:
        raise DataError("it holds no row", where=str(path), mend="write a row for each file")
    found = pd.concat(parts, ignore_index=True).fillna("")
    found.columns = [name.strip() for name in table.names]
    return found.apply(lambda column: column.str.strip()), table.decimal


def times(cells: Any, decimal: str) -> NDArray[np.float64]:
    """Times in seconds, of numbers or dates; NaN where a cell is none."""
    found = [number(cell, decimal) for cell in cells]
    if all(
        value is not None or cell.lower() in EMPTY for value, cell in zip(found, cells, strict=True)
    ):
        return np.array([np.nan if value is None else value for value in found])
    return seconds(cells)[0]
