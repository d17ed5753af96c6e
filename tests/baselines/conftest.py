"""A workspace with a classification, a regression and prices, all small."""

import pytest

from tests.baselines.made import place_at
from tsxfer.store.workspace import Workspace


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Simulated EMG, prices and earthquakes, 400 instances each."""
    return place_at(Workspace(tmp_path_factory.mktemp("baselines")))
