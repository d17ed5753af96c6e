"""Distant earthquakes at FR.ASEAF: the real SAC files, and copies with one thing changed."""

from __future__ import annotations

import shutil
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tsxfer.data import Series
from tsxfer.errors import DataError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import obspy

PLACE = "seismic_global/splitlab_aseaf"
STAMP = "2011.125.14.58.22.9450"


@pytest.fixture(scope="module")
def real(read, real_data: Path) -> Series:
    """All of the real events."""
    return read("fr_aseaf", real_data / PLACE)


@pytest.fixture
def event(real_data: Path, tmp_path: Path) -> Path:
    """A folder with the three files of one event."""
    for path in (real_data / PLACE).rglob(f"{STAMP}*.SAC"):
        shutil.copy(path, tmp_path)
    return tmp_path


def change(path: Path, **header: object) -> None:
    """Write a SAC file again with another header; None removes one."""
    trace = obspy.read(path)[0]
    for key, value in header.items():
        if key == "delta":
            trace.stats.delta = value
        elif value is None:
            del trace.stats.sac[key]
        else:
            trace.stats.sac[key] = value
    trace.write(str(path), format="SAC")


def test_real_events(real: Series, real_data: Path) -> None:
    """180 files are 60 events of magnitude 6.0 to 8.24; 12 that only the list has do not count."""
    assert len(list((real_data / PLACE).rglob("*.SAC"))) == 180
    listed = (real_data / PLACE / "ASEAF_data/database_ASEAF_SKS.dat").read_text()
    assert len({line.split()[5] for line in listed.splitlines() if ".SAC" in line}) == 72
    assert len(set(real.group)) == 60
    assert real.y.min() == pytest.approx(6.0008, abs=1e-3)
    assert real.y.max() == pytest.approx(8.2404, abs=1e-3)
    labels = {group: float(label) for group, label in zip(real.group, real.y, strict=True)}
    quartiles = np.percentile(list(labels.values()), [25, 50, 75])
    assert quartiles.round(2).tolist() == [6.13, 6.25, 6.49]


def test_real_windows(real: Series) -> None:
    """From P onward there are 31 to 34 windows of 50 s an event, 1,992 in all."""
    assert real.x.shape == (1_992, 3, 1000)
    per_event = Counter(real.group.tolist()).values()
    assert min(per_event) >= 31
    assert max(per_event) <= 34
    assert np.allclose(real.time_end - real.time_start, 50)


def test_real_samples_are_those_of_the_files(real: Series, real_data: Path) -> None:
    """The first window starts at the P onset, and the channels are E, N, Z."""
    rows = np.flatnonzero(real.group == STAMP)
    for channel, name in enumerate("ENZ"):
        (path,) = (real_data / PLACE).rglob(f"{STAMP}*BH{name}..SAC")
        trace = obspy.read(path)[0]
        onset = round(782.0944824 * 20)
        assert np.array_equal(real.x[rows[0], channel], trace.data[onset : onset + 1000])
        assert np.array_equal(real.x[rows[1], channel], trace.data[onset + 1000 : onset + 2000])
    onset_time = trace.stats.starttime.timestamp + onset / 20
    assert real.time_start[rows[0]] == pytest.approx(onset_time)


def test_real_records_of_both_lengths(real_data: Path) -> None:
    """Records hold 49,999 or 50,000 samples, and both kinds are read."""
    lengths = {
        obspy.read(path, headonly=True)[0].stats.npts
        for path in (real_data / PLACE).rglob("*BHZ..SAC")
    }
    assert lengths == {49_999, 50_000}


def test_an_incomplete_event(read, event: Path) -> None:
    """A component that is missing is named; the event is not dropped in silence."""
    next(event.glob("*BHN*")).unlink()
    with pytest.raises(DataError, match=f"event {STAMP} lacks BHN"):
        read("fr_aseaf", event)


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ({"delta": 0.02}, r"sampling interval is 0\.02 s, not 0\.05 s"),
        ({"mag": None}, "SAC header 'mag' is missing"),
        ({"a": None}, "SAC header 'a' is missing"),
        ({"a": 2480.0}, "P onset at sample 49600 of 49999"),
        ({"a": -5.0}, "P onset at sample -100"),
    ],
)
def test_bad_headers(read, event: Path, header: dict[str, object], shown: str) -> None:
    """Another rate, a missing label and an impossible onset name the file."""
    path = next(event.glob("*BHZ*"))
    change(path, **header)
    with pytest.raises(DataError, match=shown) as caught:
        read("fr_aseaf", event)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("keep", [0, 300, 9_000])
def test_a_truncated_file(read, event: Path, keep: int) -> None:
    """A file that stops early is named, with its size."""
    path = next(event.glob("*BHE*"))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=rf"BHE\.\.SAC \({keep:,} bytes\) is no complete SAC"):
        read("fr_aseaf", event)


def test_components_of_unequal_length(read, event: Path) -> None:
    """Components that do not cover the same time are told."""
    path = next(event.glob("*BHE*"))
    trace = obspy.read(path)[0]
    trace.data = trace.data[:40_000]
    trace.write(str(path), format="SAC")
    with pytest.raises(DataError, match=r"\[40000, 49999, 49999\] samples"):
        read("fr_aseaf", event)


def test_other_files(read, event: Path, tmp_path: Path) -> None:
    """No files and files of other names have their messages."""
    with pytest.raises(DataError, match="no file like"):
        read("fr_aseaf", tmp_path / "nowhere")
    shutil.copy(next(event.glob("*BHE*")), event / "station.SAC")
    with pytest.raises(DataError, match=r"'station\.SAC' is not <stamp>"):
        read("fr_aseaf", event)


def test_without_obspy(read, event: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message gives the command that installs what is missing."""
    monkeypatch.setitem(sys.modules, "obspy", None)
    with pytest.raises(DataError, match="need obspy") as caught:
        read("fr_aseaf", event)
    assert caught.value.mend == 'pip install "tsxfer[seismology]"'
