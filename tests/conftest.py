"""What all tests share: where real data lies, and a workspace that is thrown away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Two threads for each of several small trainings wait for each other more than they compute; the
# processes that tests start inherit this.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.study import LONG, STARTED, STUDY, run, set_up

settings.register_profile("tests", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("tests")

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


def _alone(folder: Path, study: str) -> Path:
    (folder / "study.toml").write_text(study)
    worker = run(folder)
    said = worker.communicate(timeout=280)[1]
    assert worker.returncode == 0, said
    return folder


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one worker ran the small study of `tests.study` alone."""
    return _alone(tmp_path_factory.mktemp("alone"), STUDY)


@pytest.fixture(scope="session")
def long_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with more repeats: long enough for faults in its middle."""
    return _alone(tmp_path_factory.mktemp("long"), LONG)


@pytest.fixture(autouse=True)
def _end_workers() -> Iterator[None]:
    yield
    while STARTED:
        worker = STARTED.pop()
        if worker.poll() is None:
            worker.kill()
            worker.communicate()


@pytest.fixture
def together(alone: Path, tmp_path: Path) -> Path:
    """A folder with the same study and data, and no row yet."""
    return set_up(tmp_path, alone)
