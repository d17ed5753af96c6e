"""What all tests share: where real data lies, and a workspace that is thrown away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _real_data() -> Path | None:
    named = os.environ.get("TSXFER_TEST_DATA")
    places = [Path(named)] if named else [ROOT.parent / "shared" / "data"]
    return next((place for place in places if place.is_dir()), None)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real data in its original formats; the test skips where there is none."""
    place = _real_data()
    if place is None:
        pytest.skip("no real data: set TSXFER_TEST_DATA to a folder that holds it")
    return place
