"""Exports of laboratories that were once read wrongly: read rightly, said, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.own import layouts
from tests.own.made import bring


def test_a_factor_that_sac_states_is_said(tmp_path: Path) -> None:
    """SAC's ``SCALE`` is not applied, and a note says so; -12345 and 1 are no factors."""
    obspy = pytest.importorskip("obspy")
    layouts.seismograms(tmp_path / "a", "SAC")
    assert "SCALE" not in " ".join(bring(tmp_path / "a", group="event").notes)
    for file in (tmp_path / "a").glob("*.BHZ.SAC"):
        trace = obspy.read(str(file))[0]
        trace.stats.sac.scale = 1e-9
        trace.write(str(file), format="SAC")
    assert "SCALE 1e-09 is not applied" in " ".join(bring(tmp_path / "a", group="event").notes)


def test_annotations_with_and_without_a_duration_at_one_time(tmp_path: Path) -> None:
    """``Lights off`` without a duration beside a stage at the same time breaks nothing."""
    import edfio

    signal = edfio.EdfSignal(np.sin(np.arange(1200.0)), 50, label="EEG", physical_range=(-10, 10))
    notes = [edfio.EdfAnnotation(0, None, "Lights off"), edfio.EdfAnnotation(0, None, "Room")]
    notes += [edfio.EdfAnnotation(2.0 * k, 2.0, ("W", "Sleep stage ?")[k % 2]) for k in range(12)]
    edfio.Edf([signal], annotations=notes).write(tmp_path / "a.edf")
    made = bring(tmp_path / "a.edf", window="1s")
    assert made.classes == ("Sleep stage ?", "W")
    assert "--ignore Sleep stage ?" in " ".join(made.notes)
