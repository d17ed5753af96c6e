"""SAC faults told in words."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from tsxfer.data.sac import read_sac
from tsxfer.errors import DataError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import obspy


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SAC file at 20 Hz."""
    path = tmp_path / "some.SAC"
    trace = obspy.Trace(np.arange(100, dtype=np.float32), {"delta": 0.05})
    trace.write(str(path), format="SAC")
    return path


def test_the_trace_is_read(file: Path) -> None:
    """Samples and header are there, and an interval rounded to 32 bits is no other rate."""
    assert read_sac(file, 20.0).data.tolist() == list(range(100))


def test_another_rate(file: Path) -> None:
    """The message shows the interval that was found and the one that is wanted."""
    with pytest.raises(DataError, match=r"interval is 0\.05 s, not 0\.01 s"):
        read_sac(file, 100.0)


@pytest.mark.parametrize("keep", [0, 300, 900])
def test_a_truncated_file(file: Path, keep: int) -> None:
    """A file that stops early is named, with its size."""
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(DataError, match=rf"some\.SAC \({keep} bytes\) is no complete SAC"):
        read_sac(file, 20.0)


def test_without_obspy(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message gives the command that installs what is missing."""
    monkeypatch.setitem(sys.modules, "obspy", None)
    with pytest.raises(DataError, match="need obspy") as caught:
        read_sac(file, 20.0)
    assert caught.value.mend == 'pip install "tsxfer[seismology]"'
