"""Loading data sets by path, reading them whole, and unpacking real archives once."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from tsxfer.data import Dataset, Series

DATASETS = Path(__file__).resolve().parents[2] / "datasets"


@pytest.fixture(scope="session")
def load() -> Callable[[str], Dataset]:
    """Load a data set by name from its file."""

    def load_by_path(name: str) -> Dataset:
        module_name = f"tsxfer_test_datasets.{name}"
        if module_name not in sys.modules:
            spec = importlib.util.spec_from_file_location(module_name, DATASETS / f"{name}.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[module_name] = module
            spec.loader.exec_module(module)
        found = getattr(sys.modules[module_name], name)
        assert isinstance(found, Dataset)
        return found

    return load_by_path


@pytest.fixture(scope="session")
def whole() -> Callable[[Iterable[Series]], Series]:
    """Join the blocks of a reader to one Series."""

    def join(blocks: Iterable[Series]) -> Series:
        parts = list(blocks)
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("x", "y", "group", "uid", "time_start", "time_end")
        }
        assert len(set(columns["uid"])) == len(columns["uid"]), "uids must be unique"
        return Series(rate_hz=parts[0].rate_hz, **columns)

    return join


@pytest.fixture(scope="session")
def read(
    load: Callable[[str], Dataset], whole: Callable[[Iterable[Series]], Series]
) -> Callable[[str, Path], Series]:
    """Read a folder with the reader of the named data set."""

    def read_folder(name: str, folder: Path) -> Series:
        reader = load(name).read
        assert reader is not None
        return whole(reader(folder))

    return read_folder


@pytest.fixture(scope="session")
def unpacked(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Unpack the zip in a folder of real data; `only` picks members by a part of their names."""
    done: dict[tuple[str, str], Path] = {}

    def unpack(place: str, only: str = "") -> Path:
        if (place, only) not in done:
            folder = tmp_path_factory.mktemp("unpacked")
            (archive,) = (real_data / place).glob("*.zip")
            with zipfile.ZipFile(archive) as zipped:
                names = [name for name in zipped.namelist() if only in name]
                zipped.extractall(folder, names)
            done[place, only] = folder
        return done[place, only]

    return unpack
