"""Exports of laboratories that were once read wrongly: read rightly, said, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.own import layouts
from tests.own.made import bring, labels, table, windows
from tsxfer.errors import DataError, TsxferError
from tsxfer.own import table_signals
from tsxfer.own.dates import order_of
from tsxfer.own.like import read_like
from tsxfer.own.reading import reading_of


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


def _text(made: pd.DataFrame, **how: Any) -> str:
    return made.to_csv(index=False, **how)


def _named_rows(text: str) -> str:
    """As R's ``write.table`` writes it: rows have names, and no header names those."""
    head, *rows = text.strip().split("\n")
    return "\n".join([head, *(f'"{n}" {row}' for n, row in enumerate(rows, 1))]) + "\n"


TABLES: dict[str, tuple[str, str]] = {
    "percent remarks": ("% lab\n% v2\n" + _text(table()), "2 lines above"),
    "facts above": ("Device,X7\nRate,100\n\n" + _text(table()), "3 lines above"),
    "facts, semicolons": ("Device;X7, new\n" + _text(table(), sep=";", decimal=","), "1 lines"),
    "only decimal commas": (_text(table(), sep=";", decimal=","), ""),
    "columns of blanks": (table().to_string(index=False) + "\n", ""),
    "columns of blanks, commas": (table().to_string(index=False, decimal=",") + "\n", ""),
    "columns of blanks, numbered": (table().to_string() + "\n", "numbers the rows"),
    "names of rows as R writes them": (_named_rows(_text(table(), sep=" ")), "numbers the rows"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_as_programs_export_them_are_read(tmp_path: Path, name: str) -> None:
    """Remarks above the header, cells in columns and names of rows change no sample or label."""
    text, said = TABLES[name]
    (tmp_path / "mine.txt").write_text(text)
    made = bring(tmp_path / "mine.txt", label="y", group="who")
    assert np.allclose(made.array("x"), windows(), atol=1e-5)
    assert np.array(made.classes)[made.array("y")].tolist() == labels().tolist()
    assert said in " ".join(made.notes)


CELLS = {
    "another minus": (_text(table()).replace("-", "\u2212"), "it is U+2212"),
    "a fault of Excel": (_text(table()).replace("0.126", "#DIV/0!", 1), "correct the cells"),
    "a header too short": (_text(table()).replace("\n", ",\n").replace(",\n", "\n", 1), "same col"),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_that_are_no_numbers_are_refused_with_what_they_are(
    tmp_path: Path, name: str
) -> None:
    """The mend fits the fault: no line of units is seen where one cell is odd."""
    text, mend = CELLS[name]
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(DataError) as error:
        bring(tmp_path / "mine.csv", label="y", group="who")
    assert mend in error.value.mend


def _clocked(times: Callable[[pd.DataFrame], Any]) -> pd.DataFrame:
    made = layouts.recording(subjects=4)
    return made.assign(time=times(made))


def _dated(form: str, first: str) -> Callable[[pd.DataFrame], Any]:
    """Each person a day after the one before."""

    def times(made: pd.DataFrame) -> Any:
        days = pd.to_timedelta(made["who"].str[1:].astype(int), "D")
        return (pd.Timestamp(first) + days + pd.to_timedelta(made["time"], "s")).dt.strftime(form)

    return times


DATES = {
    "day first by the order of rows": ("%d/%m/%Y %H:%M:%S.%f", "2021-03-05", "the day first"),
    "month first by the order of rows": ("%m/%d/%Y %H:%M:%S.%f", "2021-03-05", "the month first"),
    "day first by a later day": ("%d/%m/%Y %H:%M:%S.%f", "2021-03-11", ""),
    "dashes": ("%d-%m-%Y %H:%M:%S.%f", "2021-03-05", "the day first"),
}


@pytest.mark.parametrize("name", DATES)
def test_days_and_months_are_told_by_the_order_of_rows(tmp_path: Path, name: str) -> None:
    """Times of 05/03/2021 go on from day to day, whichever stands first, and the guess is said."""
    form, first, said = DATES[name]
    _clocked(_dated(form, first)).to_csv(tmp_path / "r.csv", index=False)
    made = bring(tmp_path / "r.csv", label="act", group="who", window="1s")
    assert (made.card.rate_hz, made.count) == (50, 48)
    notes = " ".join(made.notes)
    assert said in notes
    assert bool(said) == ("write dates as 2021-03-05" in notes)


def test_days_and_months_of_one_date_stay_open() -> None:
    """One date reads both ways: month first, said; the same day and month is one reading."""
    assert "both could be" in order_of(["05/03/2021"]).note
    assert order_of(["05/03/2021", "04/03/2021"]).day_first
    assert order_of(["03/03/2021"]).note == ""


CLOCKS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "two rates": (
        lambda t: pd.concat([p[:: 1 + n % 2] for n, (_, p) in enumerate(t.groupby("who"))]),
        "in steps of 0.02 and of 0.04",
    ),
    "people in turns": (lambda t: t.sort_values("time"), "each time stands in several rows"),
    "a label for each sample": (
        lambda t: t.assign(act=np.arange(len(t)) * 1.5),
        "the longest of 2400 labelled stretches has 1",
    ),
    "days of a spreadsheet": (lambda t: t.assign(time=44000 + t["time"] / 86400), "needs the rate"),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_clocks_that_make_no_even_windows_are_refused(tmp_path: Path, name: str) -> None:
    """Several rates in one column, rows out of order, and labels that do not last are named."""
    edit, said = CLOCKS[name]
    edit(layouts.recording(subjects=4)).to_csv(tmp_path / "r.csv", index=False)
    with pytest.raises(TsxferError, match=said):
        bring(tmp_path / "r.csv", label="act", group="who", window="1s")


@pytest.mark.parametrize("named", ["time_min", "time [min]", "time"])
def test_minutes_are_a_unit_of_time(tmp_path: Path, named: str) -> None:
    """A column of minutes is read as such by its name, or where ``--rate`` fits no other unit."""
    made = layouts.recording(subjects=4)
    made = made.assign(time=made["time"] / 60).rename(columns={"time": named})
    made.to_csv(tmp_path / "r.csv", index=False)
    said = {"rate": 50.0} if named == "time" else {}
    found = bring(tmp_path / "r.csv", label="act", group="who", window="1s", **said)
    assert (found.card.rate_hz, found.count) == (50, 48)


def test_a_later_block_at_another_rate_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    """Rows that tick faster far behind the beginning are no windows of the same length in time."""
    monkeypatch.setattr(table_signals, "BLOCK", 8000)
    made = layouts.recording(subjects=4)
    late = made.index >= 1200
    made["time"] = np.where(late, 100 + np.arange(len(made)) / 100, np.arange(len(made)) / 50)
    made.to_csv(tmp_path / "r.csv", index=False)
    with pytest.raises(DataError, match="several rates"):
        bring(tmp_path / "r.csv", label="act", window="1s", group="who")


def _moments(names: list[str], smooth: bool) -> pd.DataFrame:
    """A recording of 1,200 moments whose label lasts 100, without a column of times."""
    x = np.random.default_rng(0).normal(0, 1, (1200, len(names)))
    x = np.cumsum(x, axis=0) if smooth else x
    return pd.DataFrame(x.round(3), columns=names).assign(y=np.repeat(["on", "off"] * 6, 100))


MOMENTS = {
    "sensors by number": ([f"emg{n + 1}" for n in range(8)], False),
    "smooth columns": ([f"v{n}" for n in range(32)], True),
    "electrodes": (["AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2"], False),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_rows_that_are_moments_are_no_windows(tmp_path: Path, name: str) -> None:
    """``emg1`` to ``emg8`` are sensors: the table is asked about, and ``--window`` cuts it."""
    columns, smooth = MOMENTS[name]
    _moments(columns, smooth).to_csv(tmp_path / "r.csv", index=False)
    with pytest.raises(DataError, match="recording, one moment a row") as error:
        bring(tmp_path / "r.csv", label="y")
    assert "--window 100" in error.value.mend
    made = bring(tmp_path / "r.csv", label="y", window="100")
    assert (made.count, made.array("x").shape[1:]) == (12, (len(columns), 100))
    if name != "electrodes":
        assert bring(tmp_path / "r.csv", label="y", axes="channel,time").count == 1200


def test_windows_that_wear_slowly_stay_windows(tmp_path: Path) -> None:
    """Columns called as documented, ``x_0`` on, are windows, though each goes on from the last."""
    made = _moments([f"x_{n}" for n in range(32)], smooth=True)
    made.to_csv(tmp_path / "r.csv", index=False)
    assert bring(tmp_path / "r.csv", label="y").count == 1200


def test_a_column_of_times_beside_numbered_channels_makes_a_recording(tmp_path: Path) -> None:
    """``time, a1, a2, a3`` is cut at once, rather than asked to ignore its times first."""
    made = layouts.recording(channels=3).rename(columns={"ax": "a1", "ay": "a2", "az": "a3"})
    made.to_csv(tmp_path / "r.csv", index=False)
    said = {"label": "act", "group": "who"}
    with pytest.raises(DataError, match="time is called as times are") as error:
        bring(tmp_path / "r.csv", **said)
    assert "--window 1s" in error.value.mend
    assert bring(tmp_path / "r.csv", window="1s", **said).count == 72


def test_moments_in_an_array_are_no_windows(tmp_path: Path) -> None:
    """Rows that go on from one to the next are asked about; windows alike for long are not."""
    made = _moments([f"v{n}" for n in range(32)], smooth=True)
    x, y = made.drop(columns="y").to_numpy(), made["y"].to_numpy(np.str_)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    with pytest.raises(DataError, match="is x a recording"):
        bring(tmp_path / "a.npz")
    beat = np.exp(-(((np.arange(64) - 32) / 3.0) ** 2)) * np.repeat([1.0, 2.0, 0.5], 40)[:, None]
    beats = beat + np.random.default_rng(0).normal(0, 0.01, (120, 64))
    np.savez(tmp_path / "b.npz", x=beats, y=y[:120])
    assert bring(tmp_path / "b.npz").count == 120
    walk = np.cumsum(np.random.default_rng(0).normal(size=300))
    sliding = np.lib.stride_tricks.sliding_window_view(walk, 32)[:200]
    np.savez(tmp_path / "c.npz", x=sliding, y=y[:200], group=np.arange(200) // 20)
    assert bring(tmp_path / "c.npz").count == 200


def test_labels_in_a_file_of_their_own_are_found(tmp_path: Path) -> None:
    """``y_train.txt`` beside ``X_train.txt`` is named, with the command that joins them."""
    np.savetxt(tmp_path / "X_train.txt", windows()[:, 0], fmt="%12.4f")
    np.savetxt(tmp_path / "y_train.txt", labels() == "on", fmt="%d")
    with pytest.raises(DataError, match=r"labels in y_train\.txt") as error:
        bring(tmp_path / "X_train.txt")
    assert "train.csv --header no --label -1" in error.value.mend
    code = error.value.mend.split('"')[1].replace("'train.csv'", repr(str(tmp_path / "all.csv")))
    exec(code, {})  # noqa: S102  (what the message offers)
    made = bring(tmp_path / "all.csv", header="no", label="-1")
    assert np.allclose(made.array("x"), windows(), atol=1e-4)


def test_a_title_above_a_sheet_is_left_out_and_said(tmp_path: Path) -> None:
    """A sheet of Excel with a title and facts above its header is read from the header on."""
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(tmp_path / "a.xlsx") as book:
        above = pd.DataFrame([["Pump study", None], ["Device", "X7"]])
        above.to_excel(book, index=False, header=False)
        table().to_excel(book, index=False, startrow=3, startcol=1)
    made = bring(tmp_path / "a.xlsx", label="y", group="who")
    assert np.allclose(made.array("x"), windows(), atol=1e-5)
    assert "2 lines above the header are left out, the first 'Pump study'" in " ".join(made.notes)


def test_channels_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Two channels called EEG are numbered, and a file to predict keeps both in order."""
    import edfio

    random = np.random.default_rng(0)
    signals = [
        edfio.EdfSignal(random.normal(0, 1, 1200), 50, label="EEG", physical_range=(-10, 10))
        for _ in range(2)
    ]
    notes = [edfio.EdfAnnotation(2.0 * k, 2.0, ("W", "N1")[k % 2]) for k in range(12)]
    edfio.Edf(signals, annotations=notes).write(tmp_path / "a.edf")
    made = bring(tmp_path / "a.edf", window="1s")
    assert made.card.channels == ("EEG", "EEG (2)")
    assert "several channels are called EEG" in " ".join(made.notes)
    found = read_like(tmp_path / "a.edf", reading_of(made))
    assert np.allclose(found.x, made.array("x"), atol=1e-5)


def test_numbers_of_events_are_no_names_of_files(tmp_path: Path) -> None:
    """In a catalogue of 0.wav, 1.wav, ... the event 1 is a group, and no second file."""
    for n in range(24):
        noise = np.random.default_rng(n).normal(0, 0.3, 400)
        layouts.sound(tmp_path / "w" / f"{n}.wav", noise)
    rows = [{"file": f"{n}.wav", "mag": 1 + n / 7, "event": n // 2} for n in range(24)]
    pd.DataFrame(rows).to_csv(tmp_path / "w" / "list.csv", index=False)
    made = bring(tmp_path / "w", label="mag", group="event")
    assert made.array("x").shape == (24, 1, 400)
    assert len(set(made.array("group").tolist())) == 12


def test_a_test_part_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A misspelt ``--test`` would draw the split in silence; a column of lists has its own."""
    table().to_csv(tmp_path / "a.csv", index=False)
    np.savez(tmp_path / "a.npz", x=windows(), y=labels())
    for name in ("a.csv", "a.npz"):
        said = {"label": "y", "group": "who"} if name == "a.csv" else {}
        with pytest.raises(TsxferError, match="--test fold names no file, and no column"):
            bring(tmp_path / name, test="fold", **said)
    made = pd.DataFrame({"x": windows()[:, 0].tolist(), "y": labels()})
    made["fold"] = np.where(np.arange(len(made)) < 40, "train", "test")
    made.to_parquet(tmp_path / "a.parquet")
    found = bring(tmp_path / "a.parquet", label="y", test="fold")
    assert (found.card.split, int((found.array("part") == "test").sum())) == ("official", 20)
    assert found.card.group == "window"


def test_an_ignored_column_that_is_misspelt_is_said(tmp_path: Path) -> None:
    """``--ignore humidty`` leaves the column where it is, and a note says so; a class is none."""
    made = layouts.recording().assign(humidity=np.random.default_rng(0).normal(size=3600))
    made.to_csv(tmp_path / "r.csv", index=False)
    said = {"label": "act", "group": "who", "window": "1s"}
    notes = " ".join(bring(tmp_path / "r.csv", ignore=("humidty",), **said).notes)
    assert "--ignore humidty: no column is called so; did you mean humidity?" in notes
    kept = bring(tmp_path / "r.csv", ignore=("humidity",), **said)
    assert "no column is called so" not in " ".join(kept.notes)


def test_a_field_of_the_pattern_may_be_the_label(tmp_path: Path) -> None:
    """``--label emotion`` names the field that tells it; a label that nothing tells is refused."""
    layouts.clips(tmp_path / "w", "{label}_{group}_{n}.wav")
    said = {"pattern": "{emotion}_{speaker}_{n}.wav", "label": "emotion", "group": "speaker"}
    made = bring(tmp_path / "w", **said)
    assert (made.classes, made.card.label, made.card.group) == (("no", "yes"), "emotion", "speaker")
    layouts.clips(tmp_path / "v")
    with pytest.raises(DataError, match="--label emotion names no field"):
        bring(tmp_path / "v", label="emotion")


def test_flags_that_a_layout_does_not_heed_are_refused(tmp_path: Path) -> None:
    """``--window`` of arrays, ``--step`` alone and ``--x`` of no column are not passed over."""
    np.savez(tmp_path / "a.npz", x=windows(), y=labels())
    with pytest.raises(TsxferError, match="--window means nothing for arrays"):
        bring(tmp_path / "a.npz", window="8")
    layouts.clips(tmp_path / "w")
    with pytest.raises(TsxferError, match="--step without --window"):
        bring(tmp_path / "w", step="8")
    made = pd.DataFrame({"x": windows()[:, 0].tolist(), "y": labels()})
    made.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no column 'eeg' for --x"):
        bring(tmp_path / "a.parquet", label="y", x="eeg")


def test_a_header_above_decimal_commas_alone_is_no_remark(tmp_path: Path) -> None:
    """Commas that part numbers are no cells: every column is a number, and the header stays."""
    numbers = table().drop(columns=["who"]).assign(y=np.linspace(-1, 1, len(table())))
    for separator in (";", "\t"):
        path = tmp_path / f"mine{ord(separator)}.csv"
        path.write_text(_text(numbers, sep=separator, decimal=","))
        assert np.allclose(bring(path, label="y").array("x"), windows(), atol=1e-5)
