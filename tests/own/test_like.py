"""Files to predict: what was guessed is said, and labels in any kind of file score predictions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.own import layouts
from tests.own.made import bring, table
from tsxfer.errors import DataError
from tsxfer.own.like import read_like
from tsxfer.own.reading import reading_of


def _edf(folder: Path) -> Path:
    layouts.edf(folder / "a.edf")
    return folder / "a.edf"


def _wfdb(folder: Path) -> Path:
    layouts.wfdb_record(folder / "h", "r0")
    return folder / "h" / "r0.hea"


def _walk(folder: Path) -> Path:
    layouts.recording().to_csv(folder / "walk.csv", index=False)
    return folder / "walk.csv"


def _clips(folder: Path) -> Path:
    layouts.clips(folder / "w")
    return folder / "w"


def _quakes(folder: Path) -> Path:
    layouts.seisbench(folder / "q")
    return folder / "q"


def _listed(folder: Path) -> Path:
    layouts.clips(folder / "w", "{label}_{group}_{n}.wav")
    names = sorted(file.name for file in (folder / "w").glob("*.wav"))
    rows = [{"file": name, "mag": 1 + n / 7} for n, name in enumerate(names)]
    pd.DataFrame(rows).to_csv(folder / "w" / "list.csv", index=False)
    return folder / "w"


SCORED: dict[str, tuple[Callable[[Path], Path], str, dict[str, Any]]] = {
    "edf": (_edf, "annotation", {"window": "1s"}),
    "wfdb": (_wfdb, "annotation", {"window": "1s"}),
    "walk": (_walk, "act", {"label": "act", "group": "who", "window": "1s"}),
    "clips": (_clips, "label", {}),
    "seisbench": (_quakes, "source_magnitude", {}),
    "catalogue": (_listed, "mag", {"label": "mag"}),
}


@pytest.mark.parametrize("kind", SCORED)
def test_labels_of_every_kind_of_file_score_predictions(tmp_path: Path, kind: str) -> None:
    """Windows are those without labels, and their labels are those that `fit` would read."""
    make, label, said = SCORED[kind]
    path = make(tmp_path)
    made = bring(path, **said)
    found, plain = read_like(path, reading_of(made), label), read_like(path, reading_of(made))
    assert found.y is not None
    assert plain.y is None
    assert np.array_equal(found.x, plain.x)
    y = np.asarray(made.array("y"))
    truth = [made.classes[code] for code in y] if made.classes else y.tolist()
    assert found.known.all()
    assert found.y.tolist() == (truth if made.classes else pytest.approx(truth, rel=1e-6))
    with pytest.raises(DataError, match="mood"):
        read_like(path, reading_of(made), "mood")


def test_windows_over_two_labels_are_predicted_and_not_scored(tmp_path: Path) -> None:
    """A window that no annotation holds whole has no label to score against."""
    path = _edf(tmp_path)
    like = reading_of(bring(path, window="1s"))
    described = type(like.described)(unlabelled=True, window="1.5s")
    found = read_like(path, type(like)(described, like.channels, 75, 50.0, 50.0), "annotation")
    assert found.y is not None
    assert found.y[:4].tolist() == ["awake", "", "", "awake"]
    assert found.known[:4].tolist() == [True, False, False, True]


def test_guesses_of_a_file_to_predict_are_said(tmp_path: Path) -> None:
    """What `prepare` notes of a file is said of one to predict, and where its flags are said."""
    path = tmp_path / "mine.csv"
    table([f"{t / 8}" for t in range(16)]).to_csv(path, index=False)
    like = reading_of(bring(path, label="y", group="who"))
    assert "say --rate 8" in " ".join(read_like(path, like).notes)
    _walk(tmp_path)
    like = reading_of(bring(tmp_path / "walk.csv", label="act", group="who", window="1s"))
    notes = " ".join(read_like(tmp_path / "walk.csv", like).notes)
    assert "time is read as seconds: 50 Hz" in notes
    assert "have no label" not in notes


def test_what_predict_cannot_score_or_cut_is_told(tmp_path: Path) -> None:
    """A channel is no label, and a recording that is too short has no window."""
    path = _walk(tmp_path)
    like = reading_of(bring(path, label="act", group="who", window="1s"))
    with pytest.raises(DataError, match="ax is a channel of the model"):
        read_like(path, like, "ax")
    layouts.recording()[:30].to_csv(tmp_path / "short.csv", index=False)
    with pytest.raises(DataError, match="the longest stretch without a gap has 30"):
        read_like(tmp_path / "short.csv", like)


def test_files_to_predict_need_no_label_in_their_names(tmp_path: Path) -> None:
    """Where no file is named as those of the fit were, all are predicted."""
    named = "{label}_{group}_{n}.wav"
    layouts.clips(tmp_path / "w", named)
    layouts.clips(tmp_path / "new", "rec{n}.wav")
    like = reading_of(bring(tmp_path / "w", pattern=named))
    assert len(read_like(tmp_path / "new", like).x) == 24
    assert read_like(tmp_path / "w", like, "label").known.all()
