"""What all tests share: where real data lies, and a workspace that is thrown away."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.study import STUDY, run

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


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one worker ran the small study of `tests.study` alone."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "study.toml").write_text(STUDY)
    worker = run(folder)
    said = worker.communicate(timeout=280)[1]
    assert worker.returncode == 0, said
    return folder


@pytest.fixture
def together(alone: Path, tmp_path: Path) -> Path:
    """A folder with the same study and data, and no row yet."""
    shutil.copy(alone / "study.toml", tmp_path)
    shutil.copytree(alone / "tsxfer-workspace/data", tmp_path / "tsxfer-workspace/data")
    return tmp_path
