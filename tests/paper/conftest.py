"""The published rows, read once; tests that ask for them skip where the files are absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsxfer.core.results import Result
from tsxfer.core.study import Study
from tsxfer.paper import importing, raw


@pytest.fixture(scope="session")
def published_files(real_data: Path) -> Path:
    """The folder with the raw results of the study."""
    pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
    folder = real_data / "paper_results"
    if not (folder / raw.RUNS).is_file():
        pytest.skip(f"no published results: {folder} does not hold {raw.RUNS}")
    return folder


@pytest.fixture(scope="session")
def published(published_files: Path) -> tuple[Study, list[Result]]:
    """The study and its 17,136 rows."""
    return importing.import_rows(published_files)
