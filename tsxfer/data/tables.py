"""Reading text tables with pandas, whose faults are told in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    except ValueError as error:  # what pandas raises for empty, broken or undecodable files
        raise DataError(
            f"{path.name} ({path.stat().st_size:,} bytes) is no readable table: {error}",
            where=str(path),
            mend="fetch the file again",
        ) from error
