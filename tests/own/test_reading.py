"""Files to predict are read as the file that the model was fitted on; labels are not needed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.own import layouts
from tests.own.made import TIME, N, bring, groups, labels, table, windows, windows_like
from tsxfer.errors import DataError, SpecError
from tsxfer.own.description import Description
from tsxfer.own.like import read_like
from tsxfer.own.reading import Reading, at_rate, reading_of, refuse_rate

EXPECTED = windows().astype(np.float32)


def _same(path: Path, like: Reading) -> bool:
    x, places = windows_like(path, like)
    return bool(
        np.array_equal(places, np.arange(N)) and np.array_equal(x.astype(np.float32), EXPECTED)
    )


def test_a_label_that_is_numbered_like_a_sample_is_no_channel(tmp_path: Path) -> None:
    """The card keeps columns: the fitted file, with or without its label, gives its windows."""
    made = table([str(t) for t in range(TIME)]).rename(columns={"y": str(TIME)})
    made.to_csv(tmp_path / "a.csv", index=False)
    like = reading_of(bring(tmp_path / "a.csv", label=str(TIME), group="who"))
    assert _same(tmp_path / "a.csv", like)
    made.drop(columns=[str(TIME), "who"]).to_csv(tmp_path / "new.csv", index=False)
    assert _same(tmp_path / "new.csv", like)


def test_the_description_is_kept(tmp_path: Path) -> None:
    """Ignored columns, positions without a header and axes serve the next file too."""
    table(extra1=1.5, note="x").to_csv(tmp_path / "a.csv", index=False)
    like = reading_of(bring(tmp_path / "a.csv", label="y", ignore=("extra1", "note", "who")))
    assert _same(tmp_path / "a.csv", like)
    codes = (labels() == "on").astype(float)[:, None]
    np.savetxt(tmp_path / "b.csv", np.hstack([windows()[:, 0], codes]), delimiter=",", fmt="%.3f")
    assert _same(tmp_path / "b.csv", reading_of(bring(tmp_path / "b.csv", label="-1")))
    np.savez(tmp_path / "c.npz", x=windows(), y=labels(), group=groups())
    like = reading_of(bring(tmp_path / "c.npz"))
    np.savez(tmp_path / "new.npz", x=windows())
    assert _same(tmp_path / "new.npz", like)


def test_levels_and_rates_are_those_of_the_fitted_file(tmp_path: Path) -> None:
    """What is taken off comes from the card, and resampling is done again."""
    np.savez(tmp_path / "a.npz", x=windows() + 1e9, y=labels(), group=groups())
    made = bring(tmp_path / "a.npz", rate=32.0, resample=16.0)
    like = reading_of(made)
    assert len(like.taken_off) == 1
    x, _ = windows_like(tmp_path / "a.npz", like)
    assert np.allclose(x - like.taken_off[0], made.array("x"), atol=1e-4)


def test_windows_that_are_left_out_keep_their_numbers(tmp_path: Path) -> None:
    """--missing drop of the fitted file leaves out rows, and places say which are left."""
    x = windows()
    x[4, 0, 2] = np.nan
    np.savez(tmp_path / "a.npz", x=x, y=labels(), group=groups())
    like = reading_of(bring(tmp_path / "a.npz", missing="drop"))
    found, places = windows_like(tmp_path / "a.npz", like)
    assert places.tolist() == [row for row in range(N) if row != 4]
    assert len(found) == N - 1
    strict = reading_of(bring(tmp_path / "a.npz", missing="interpolate"))
    described = replace(strict.described, missing="refuse")
    with pytest.raises(DataError, match="samples that are missing") as refused:
        windows_like(tmp_path / "a.npz", replace(strict, described=described))
    assert "fit with --missing interpolate" in refused.value.mend


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A file with other names is not read by guess."""
    table().to_csv(tmp_path / "a.csv", index=False)
    like = reading_of(bring(tmp_path / "a.csv", label="y", group="who"))
    table([f"z_{t}" for t in range(TIME)]).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match="no column x_0, x_1"):
        windows_like(tmp_path / "new.csv", like)


def test_a_rate_that_was_overruled_does_not_hide_another(tmp_path: Path) -> None:
    """With ``--rate`` said at the fit, a file that states another rate than that one is refused."""
    names = [[f"{t * step}ms" for t in range(TIME)] for step in (4, 2)]
    for number, columns in enumerate(names):
        table(columns).to_csv(tmp_path / f"{number}.csv", index=False)
    made = bring(tmp_path / "0.csv", label="y", group="who", rate=100.0)
    like = reading_of(made)
    assert (like.stated_hz, like.file_rate_hz) == (250, 100)
    assert len(windows_like(tmp_path / "0.csv", like)[0]) == N
    like = replace(like, described=replace(like.described, columns=tuple(names[1])))
    with pytest.raises(DataError, match="samples come at 500 Hz, the model was fitted on 250 Hz"):
        windows_like(tmp_path / "1.csv", like)


def test_a_recording_that_states_no_rate_is_predicted_at_the_rate_that_is_said(
    tmp_path: Path,
) -> None:
    """``predict --rate`` serves a file without times; another rate than that of the fit is not."""
    made = layouts.recording(subjects=2)
    made.to_csv(tmp_path / "a.csv", index=False)
    like = reading_of(bring(tmp_path / "a.csv", label="act", group="who", window="1s"))
    made[["ax", "ay"]].to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(SpecError, match="needs the rate") as error:
        windows_like(tmp_path / "new.csv", like)
    assert "--rate HZ" in error.value.mend
    assert "fit again with the other flags" in error.value.mend
    assert len(windows_like(tmp_path / "new.csv", at_rate(like, 50.0))[0]) == 24
    with pytest.raises(DataError, match="come at 25 Hz, the model was fitted on 50 Hz") as refused:
        windows_like(tmp_path / "new.csv", at_rate(like, 25.0))
    assert "--rate" not in refused.value.mend  # which the clock of a recording contradicts
    described = Description(unlabelled=True)
    with pytest.raises(DataError, match="come at 25 Hz") as refused:
        refuse_rate(25.0, Reading(described, ("x",), 16, 50.0, 50.0, stated_hz=50.0), "new.csv")
    assert "--rate 50" in refused.value.mend
    with pytest.raises(SpecError, match="rate = nan"):
        at_rate(like, float("nan"))


def test_the_axis_of_windows_is_kept(tmp_path: Path) -> None:
    """A square file to predict is turned as the fitted file was, whose labels told the axis."""
    x = windows()[:, 0]
    np.savez(tmp_path / "a.npz", x=x.T, y=labels(), group=groups())
    like = reading_of(bring(tmp_path / "a.npz"))
    assert _same(tmp_path / "a.npz", like)
    np.savez(tmp_path / "new.npz", x=x[:TIME].T)
    assert np.allclose(windows_like(tmp_path / "new.npz", like)[0][:, 0], x[:TIME])


def test_what_prepare_asks_about_predict_does_not_pass_over(tmp_path: Path) -> None:
    """A number for nothing, and a rate that nothing can be held against, are refused."""
    table().to_csv(tmp_path / "a.csv", index=False)
    like = reading_of(bring(tmp_path / "a.csv", label="y", group="who"))
    odd = table().astype({"x_3": object})
    odd.loc[5, "x_3"] = -9999
    odd.to_csv(tmp_path / "b.csv", index=False)
    ways: list[Any] = ["refuse", "interpolate", "drop"]
    for missing in ways:
        other = replace(like, described=replace(like.described, missing=missing))
        with pytest.raises(DataError, match="-9999 in 1 of 60 windows") as asked:
            windows_like(tmp_path / "b.csv", other)
        mend = asked.value.mend
        assert "predict takes" not in mend
        assert ("fit again with --nan -9999 --missing interp" in mend) is (missing == "refuse")
    refit = replace(like.described, nan="-9999", missing="interpolate")
    assert len(windows_like(tmp_path / "b.csv", replace(like, described=refit))[0]) == 60
    odd.loc[5, "x_3"] = None
    odd.to_csv(tmp_path / "b.csv", index=False)
    assert len(windows_like(tmp_path / "b.csv", other)[0]) == 59
    with pytest.raises(SpecError, match="was not said"):
        at_rate(like, 10.0)


def test_labels_of_archive_files_are_scored_against(tmp_path: Path) -> None:
    """``--label class`` of a .ts or .arff file gives its labels, which the format itself names."""
    for ending in (".ts", ".arff"):
        layouts.archive_pair(tmp_path, ending)
        path = tmp_path / f"Toy_TEST{ending}"
        like = reading_of(bring(path))
        found = read_like(path, like, "class")
        y, known = found.y, found.known
        assert np.asarray(y).astype(int).tolist() == [1, 2] * 15
        assert known.all()
