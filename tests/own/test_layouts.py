"""Layouts that open by commands and flags alone: right values, and refusals with the way out."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.own import layouts
from tests.own.made import windows_like
from tsxfer.core.cautions import Caution
from tsxfer.core.specs import PROFILES
from tsxfer.data.prepare import Prepared
from tsxfer.data.task import parts_of
from tsxfer.errors import DataError, SpecError, TsxferError
from tsxfer.own import importing
from tsxfer.own.description import Description
from tsxfer.own.reading import reading_of
from tsxfer.store.workspace import Workspace

RATE = layouts.RATE


def bring(path: Path, **said: Any) -> Prepared:
    """What a file or folder becomes."""
    return importing.bring(path, Description(**said), Workspace(path.absolute().parent / "space"))


def _groups(made: Prepared) -> list[str]:
    return sorted(set(np.asarray(made.array("group")).tolist()))


def _notes(made: Prepared) -> str:
    return "\n".join(made.notes)


# Folders of sounds.


def test_class_folders_of_sound_are_read(tmp_path: Path) -> None:
    """A sub-folder is a class, rate and samples are the files' own."""
    layouts.clips(tmp_path / "words")
    made = bring(tmp_path / "words")
    assert (made.count, made.classes, made.card.rate_hz) == (24, ("no", "yes"), 8000)
    x = np.asarray(made.array("x"))
    assert x.shape == (24, 1, 800)
    assert 0.2 < np.abs(x).max() < 0.5
    assert made.card.warnings == (Caution.UNGROUPED,)


@pytest.mark.parametrize("name", ["{label}/{group}_{n}.wav", "{label}_{group}_{n}.wav"])
def test_names_with_a_pattern_tell_label_and_speaker(tmp_path: Path, name: str) -> None:
    """What the pattern calls group stays together; names alone or in folders are the same."""
    layouts.clips(tmp_path / "words", name)
    made = bring(tmp_path / "words", pattern=name)
    assert (made.classes, _groups(made)) == (("no", "yes"), [f"s{n}" for n in range(6)])


def test_a_name_that_two_readings_fit_is_said(tmp_path: Path) -> None:
    """`a_b_c_1` may be label a or label a_b: one reading is taken, both are shown."""
    layouts.clips(tmp_path / "words", "{label}_speaker_{group}_{n}.wav")
    made = bring(tmp_path / "words", pattern="{label}_{group}_{n}.wav")
    assert "read as label" in _notes(made)
    exact = bring(tmp_path / "words", pattern="{label}_speaker_{group}_{n}.wav")
    assert "read as label" not in _notes(exact)


def test_files_that_do_not_fit_the_pattern_are_said(tmp_path: Path) -> None:
    """A stray file is left out and named; a pattern that fits none is refused."""
    layouts.clips(tmp_path / "words")
    layouts.sound(tmp_path / "words" / "noise.wav", np.zeros(800))
    made = bring(tmp_path / "words", pattern="{label}/{group}_{n}.wav")
    assert made.count == 24
    assert "noise.wav" in _notes(made)
    with pytest.raises(DataError, match="none of 25 files"):
        bring(tmp_path / "words", pattern="{label}-{group}.wav")
    with pytest.raises(SpecError, match="no field"):
        bring(tmp_path / "words", pattern="*.wav")


def test_clips_of_unequal_length_need_a_word(tmp_path: Path) -> None:
    """Refused by default, padded or cropped when it is said, and both are stated."""
    layouts.clips(tmp_path / "words", short=300)
    with pytest.raises(DataError, match="unequal length: 300 to 800") as refused:
        bring(tmp_path / "words")
    assert "--lengths" in str(refused.value.mend)
    padded = bring(tmp_path / "words", lengths="pad")
    assert (padded.card.length, "6 windows" in _notes(padded)) == (800, True)
    assert bring(tmp_path / "words", lengths="crop").card.length == 300


def test_a_clip_that_is_cut_off_is_named(tmp_path: Path) -> None:
    """A file shorter than its header declares is refused, never padded."""
    layouts.clips(tmp_path / "words")
    path = tmp_path / "words" / "yes" / "s0_0.wav"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"s0_0.wav is cut: its header declares 1,600") as refused:
        bring(tmp_path / "words", lengths="pad")
    assert str(path) in str(refused.value.where)


def test_mixed_rates_are_refused_or_resampled(tmp_path: Path) -> None:
    """Two rates need --resample; a slow file then has the length that its seconds ask for."""
    layouts.clips(tmp_path / "words")
    slow = tmp_path / "words" / "yes" / "s0_0.wav"
    layouts.sound(slow, np.sin(np.arange(400) * 0.2), 4000)
    with pytest.raises(DataError, match="files of 2 rates") as refused:
        bring(tmp_path / "words")
    assert "--resample" in str(refused.value.mend)
    made = bring(tmp_path / "words", resample=4000.0)
    assert (made.card.rate_hz, made.card.length) == (4000, 400)


def test_rates_that_are_exact_and_near_are_not_one(tmp_path: Path) -> None:
    """250 and 256 Hz are two rates: no file is taken at another's."""
    for n, rate in enumerate((250, 256)):
        layouts.edf(tmp_path / "night" / f"p{n}.edf", n, rates=(rate,))
    with pytest.raises(DataError, match="files of 2 rates"):
        bring(tmp_path / "night", window="1s")
    assert bring(tmp_path / "night", window="1s", resample=250.0).card.length == 250
    with pytest.raises(DataError, match="--rate 256, but the file states 250"):
        bring(tmp_path / "night" / "p0.edf", window="1s", rate=256.0)


def test_flac_and_two_channels_are_read(tmp_path: Path) -> None:
    """Flac keeps its channels."""
    import soundfile

    for n in range(12):
        path = tmp_path / "beeps" / ("high", "low")[n % 2] / f"{n}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(n).uniform(-0.5, 0.5, (400, 2)), 8000)
    made = bring(tmp_path / "beeps")
    assert (made.count, made.card.channels) == (12, ("c0", "c1"))


# Long recordings.


def test_a_recording_is_cut_into_windows_of_one_label_and_one_group(tmp_path: Path) -> None:
    """Each window lies in one stretch; its samples are the file's rows; time gives the rate."""
    table = layouts.recording()
    table.to_csv(tmp_path / "walk.csv", index=False)
    made = bring(tmp_path / "walk.csv", label="act", group="who", window="1s", step="0.5s")
    x, y = np.asarray(made.array("x")), np.asarray(made.array("y"))
    assert (x.shape, made.card.rate_hz) == ((6 * 6 * 3, 2, 50), RATE)
    assert made.card.channels == ("ax", "ay")
    assert _groups(made) == [f"p{n}" for n in range(6)]
    assert np.allclose(x[1], table[["ax", "ay"]].to_numpy()[25:75].T)
    assert np.allclose(x[3], table[["ax", "ay"]].to_numpy()[100:150].T)
    assert [made.classes[code] for code in y[:6]] == ["walk"] * 3 + ["rest"] * 3
    assert "overlapping" in _notes(made)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".txt", ".parquet"])
def test_recordings_of_every_kind_of_table_are_the_same(tmp_path: Path, ending: str) -> None:
    """Text of any separator and parquet give the same windows."""
    table = layouts.recording()
    path = tmp_path / f"walk{ending}"
    if ending == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="," if ending == ".csv" else "\t")
    made = bring(path, label="act", group="who", window="50")
    assert np.allclose(made.array("x")[2], table[["ax", "ay"]].to_numpy()[100:150].T)
    assert made.count == 72


def test_a_gap_in_time_is_in_no_window(tmp_path: Path) -> None:
    """Rows that are missing end a stretch; what crosses the gap is not a window, and it is said."""
    table = layouts.recording(turns=2)
    table = table.drop(index=range(40, 60))
    table.to_csv(tmp_path / "walk.csv", index=False)
    made = bring(tmp_path / "walk.csv", label="act", group="who", window="50")
    assert made.count == 6 * 4 - 2
    assert "6 gaps" in _notes(made)  # the row that is missing, and five new people


def test_times_are_read_with_their_unit(tmp_path: Path) -> None:
    """Milliseconds by name or by --rate, dates, and a contradiction of the rate is refused."""
    table = layouts.recording()
    said = {"label": "act", "group": "who", "window": "1s"}
    ms = table.assign(time=(table["time"] * 1000).round().astype(int))
    ms.rename(columns={"time": "time_ms"}).to_csv(tmp_path / "ms.csv", index=False)
    assert bring(tmp_path / "ms.csv", **said).card.rate_hz == RATE
    ms.to_csv(tmp_path / "plain.csv", index=False)
    with pytest.raises(TsxferError, match="needs the rate") as refused:
        bring(tmp_path / "plain.csv", **said)
    assert "--rate" in str(refused.value.mend)
    assert bring(tmp_path / "plain.csv", rate=50.0, **said).card.rate_hz == RATE
    with pytest.raises(DataError, match="--rate 77"):
        bring(tmp_path / "plain.csv", rate=77.0, **said)
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(table["time"], unit="s")
    table.assign(time=stamps.astype(str)).to_csv(tmp_path / "dates.csv", index=False)
    assert bring(tmp_path / "dates.csv", **said).card.rate_hz == RATE


def test_recordings_without_a_header_have_a_file_each_as_group(tmp_path: Path) -> None:
    """The first row of numbers is a sample, a lone column of words the label, a file a group."""
    folder = tmp_path / "people"
    folder.mkdir()
    for who, part in layouts.recording().groupby("who"):
        part[["ax", "ay", "act"]].to_csv(folder / f"{who}.txt", index=False, header=False)
    made = bring(folder, window="1s", rate=50.0)
    assert (made.count, made.card.channels) == (72, ("0", "1"))
    assert _groups(made) == [f"p{n}.txt" for n in range(6)]
    assert bring(folder, window="1s", rate=50.0, label="-1").count == 72
    named = bring(folder, window="1s", rate=50.0, pattern="{group}.txt")
    assert _groups(named) == [f"p{n}" for n in range(6)]


def test_a_recording_without_groups_keeps_overlapping_windows_together(tmp_path: Path) -> None:
    """Windows of one stretch share a group, which is said, so no overlap is on two sides."""
    table = layouts.recording(subjects=1, turns=12).drop(columns="who")
    table.to_csv(tmp_path / "walk.csv", index=False)
    made = bring(tmp_path / "walk.csv", label="act", window="1s", step="0.2s")
    assert len(_groups(made)) == 12
    assert "--group" in _notes(made)


def test_labels_that_are_missing_are_in_no_window(tmp_path: Path) -> None:
    """Samples without a label are counted and left out."""
    table = layouts.recording()
    table.loc[table["act"].eq("rest") & table["who"].eq("p0"), "act"] = None
    table.to_csv(tmp_path / "walk.csv", index=False)
    made = bring(tmp_path / "walk.csv", label="act", group="who", window="50")
    assert made.count == 72 - 6
    assert "300 of 3,600 samples have no label" in _notes(made)


def test_windows_that_fit_nowhere_are_refused(tmp_path: Path) -> None:
    """The longest stretch is told."""
    layouts.recording().to_csv(tmp_path / "walk.csv", index=False)
    with pytest.raises(DataError, match="has 100") as refused:
        bring(tmp_path / "walk.csv", label="act", group="who", window="3s")
    assert "shorter" in str(refused.value.mend)
    for window in ("0", "-1s", "nan", "two", "1e400s", "0.5"):
        with pytest.raises(SpecError):
            bring(tmp_path / "walk.csv", label="act", group="who", window=window)


def test_a_fitted_model_reads_another_recording_without_labels(tmp_path: Path) -> None:
    """What the card keeps of a recording cuts another one alike: same channels, no label needed."""
    table = layouts.recording()
    table.to_csv(tmp_path / "walk.csv", index=False)
    said = {"label": "act", "group": "who", "window": "1s", "step": "0.5s"}
    made = bring(tmp_path / "walk.csv", **said)
    new = layouts.recording(subjects=1, turns=2)
    new[["ay", "time", "ax"]].assign(mood=1.5).to_csv(tmp_path / "new.csv", index=False)
    x, kept = windows_like(tmp_path / "new.csv", reading_of(made))
    assert x.shape == (7, 2, 50)
    assert np.allclose(x[1], new[["ax", "ay"]].to_numpy()[25:75].T)
    assert kept.tolist() == list(range(7))


def test_the_official_test_part_is_the_sealed_one(tmp_path: Path) -> None:
    """A study's partition tests on the part that the files set aside, under both profiles."""
    layouts.archive_pair(tmp_path, ".ts")
    made = bring(tmp_path / "Toy_TRAIN.ts")
    part = np.asarray(made.array("part"))
    for profile in ("strict", "paper"):
        parts = parts_of(made, PROFILES[profile])
        assert parts.test.tolist() == np.flatnonzero(part == "test").tolist()
        assert (len(parts.train), len(parts.validation)) == (
            (22, 8) if profile == "strict" else (25, 5)
        )


def test_intervals_in_a_second_file_label_a_recording(tmp_path: Path) -> None:
    """Windows lie in one interval, none in what none covers; columns may be called otherwise."""
    table = layouts.recording(subjects=1, turns=12)
    table[["time", "ax", "ay"]].to_csv(tmp_path / "signal.csv", index=False)
    spans = pd.DataFrame({"start": np.arange(11) * 2.0, "end": np.arange(11) * 2.0 + 2,
                          "label": ["walk", "rest"] * 5 + ["walk"]})  # fmt: skip
    spans.to_csv(tmp_path / "spans.csv", index=False)
    said = {"window": "1s", "intervals": str(tmp_path / "spans.csv")}
    made = bring(tmp_path / "signal.csv", **said)
    assert made.count == 22
    assert np.allclose(made.array("x")[2], table[["ax", "ay"]].to_numpy()[100:150].T)
    assert "100 of 1,200 samples have no label" in _notes(made)
    other = spans.rename(columns={"start": "onset", "end": "offset", "label": "what"})
    other.assign(person=[f"q{n % 4}" for n in range(11)]).to_csv(
        tmp_path / "spans.csv", index=False
    )
    again = bring(tmp_path / "signal.csv", label="what", group="person", **said)
    assert again.card.id != made.card.id
    assert _groups(again) == ["q0", "q1", "q2", "q3"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"start": [5000.0], "end": [7000.0], "label": ["walk"]}, "none of 1 intervals"),
        ({"start": [4.0], "end": [2.0], "label": ["walk"]}, "does not end after"),
        ({"start": [4.0], "label": ["walk"]}, "no column called end"),
        ({"start": [4.0], "end": [6.0]}, "no column 'label' of labels"),
    ],
)
def test_bad_intervals_are_refused(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    """Outside of the recording, backwards, or without a column."""
    layouts.recording(subjects=1)[["time", "ax"]].to_csv(tmp_path / "signal.csv", index=False)
    pd.DataFrame(changed).to_csv(tmp_path / "spans.csv", index=False)
    with pytest.raises(TsxferError, match=message):
        bring(tmp_path / "signal.csv", window="1s", intervals=str(tmp_path / "spans.csv"))


def test_arrays_of_recordings_take_labels_from_a_file_beside_them(tmp_path: Path) -> None:
    """`--pattern` and `--label` pair the files; the longer axis is time."""
    folder = tmp_path / "arm"
    folder.mkdir()
    for who, part in layouts.recording().groupby("who"):
        np.save(folder / f"{who}_emg.npy", part[["ax", "ay"]].to_numpy())
        np.save(folder / f"{who}_ann.npy", part["act"].to_numpy().astype("S4"))
    made = bring(folder, pattern="{group}_emg.npy", label="{group}_ann.npy", window="50")
    assert (made.count, made.classes, len(_groups(made))) == (72, ("rest", "walk"), 6)
    with pytest.raises(TsxferError, match="no file of labels"):
        bring(folder, pattern="{group}_emg.npy", label="{group}_lab.npy", window="50")


def test_what_is_no_number_in_a_recording_is_named(tmp_path: Path) -> None:
    """The cell with its row and column; a further column of words is offered to be ignored."""
    table = layouts.recording().astype({"ax": object})
    table.loc[7, "ax"] = "oops"
    table.to_csv(tmp_path / "walk.csv", index=False)
    with pytest.raises(DataError, match="'oops' is not a number") as refused:
        bring(tmp_path / "walk.csv", label="act", group="who", window="50")
    assert "column ax, row 8" in str(refused.value.where)
    layouts.recording().assign(place="lab").to_csv(tmp_path / "walk.csv", index=False)
    with pytest.raises(DataError, match="place") as refused:
        bring(tmp_path / "walk.csv", label="act", group="who", window="50")
    assert "--ignore place" in str(refused.value.mend)
    assert (
        bring(tmp_path / "walk.csv", label="act", group="who", window="50", ignore=("place",)).count
        == 72
    )


def test_memory_stays_flat_for_long_recordings(tmp_path: Path, monkeypatch: Any) -> None:
    """Blocks are read one after the other, and stretches go on across them."""
    from tsxfer.own import table_signals

    monkeypatch.setattr(table_signals, "BLOCK", 2000)
    table = layouts.recording()
    table.to_csv(tmp_path / "walk.csv", index=False)
    made = bring(tmp_path / "walk.csv", label="act", group="who", window="50")
    assert made.count == 72
    assert np.allclose(made.array("x")[3], table[["ax", "ay"]].to_numpy()[150:200].T)


# Biosignals.


def test_edf_recordings_are_cut_by_their_annotations(tmp_path: Path) -> None:
    """Physical values, labels of annotations, one file a group."""
    for who in range(4):
        layouts.edf(tmp_path / "night" / f"p{who}.edf", who)
    made = bring(tmp_path / "night", window="1s", pattern="{group}.edf")
    assert (made.count, made.classes) == (4 * 24, ("asleep", "awake"))
    assert (made.card.rate_hz, made.card.channels) == (RATE, ("EEG 0", "EEG 1"))
    expected = np.random.default_rng(0).normal(0, 1, 24 * RATE)
    assert np.allclose(np.asarray(made.array("x"))[:2, 0].ravel(), expected[:100], atol=1e-3)
    one = bring(tmp_path / "night" / "p0.edf", window="1s", step="0.5s", x="EEG 1")
    assert (one.count, one.card.channels) == (36, ("EEG 1",))


def test_edf_faults_are_told(tmp_path: Path) -> None:
    """Channels of two rates need --x; a file cut short and one that is none are refused."""
    layouts.edf(tmp_path / "a.edf", rates=(50, 10))
    with pytest.raises(DataError, match="different rates") as refused:
        bring(tmp_path / "a.edf", window="1s")
    assert "--x 'EEG 0'" in str(refused.value.mend)
    assert bring(tmp_path / "a.edf", window="1s", x="EEG 0").count == 24
    layouts.edf(tmp_path / "b.edf")
    whole = (tmp_path / "b.edf").read_bytes()
    for text in (whole[: len(whole) // 2], whole[:100], b"not at all"):
        (tmp_path / "b.edf").write_bytes(text)
        with pytest.raises(DataError, match=r"b.edf"):
            bring(tmp_path / "b.edf", window="1s")


def test_wfdb_records_are_cut_by_rhythm_or_beat(tmp_path: Path) -> None:
    """Rhythms hold until the next; a beat is the middle of its window."""
    for who in range(4):
        layouts.wfdb_record(tmp_path / "hearts", f"r{who}")
    made = bring(tmp_path / "hearts", window="1s", pattern="{group}.hea")
    assert (made.count, made.classes, made.card.channels) == (96, ("AFIB", "N"), ("I", "II"))
    layouts.wfdb_record(tmp_path / "beats", "r0", notes=False)
    beats = bring(tmp_path / "beats" / "r0.hea", window="1s")
    assert (beats.count, beats.classes) == (22, ("N", "V"))
    signal = np.random.default_rng(sum(b"r0")).normal(0, 0.5, (24 * RATE, 2))
    assert np.allclose(beats.array("x")[0], signal[25:75].T, atol=1e-2)


def test_a_wfdb_header_reaches_no_other_place(tmp_path: Path) -> None:
    """A header that names files elsewhere, or on a server, is refused."""
    layouts.wfdb_record(tmp_path / "hearts", "r0")
    head = tmp_path / "hearts" / "r0.hea"
    text = head.read_text()
    for elsewhere in ("../r0.dat", "/etc/passwd", "http://x/r0.dat", "s3://x/r0.dat"):
        head.write_text(text.replace("r0.dat", elsewhere))
        with pytest.raises(DataError, match=r"r0"):
            bring(head, window="1s")


@pytest.mark.parametrize(
    ("package", "file", "extra"),
    [
        ("edfio", "a.edf", "biosignals"),
        ("wfdb", "a.hea", "biosignals"),
        ("obspy", "a.sac", "seismology"),
    ],
)
def test_a_missing_package_is_named_with_its_command(
    tmp_path: Path, monkeypatch: Any, package: str, file: str, extra: str
) -> None:
    """Pip's command for the extra, not a traceback."""
    genuine = builtins.__import__

    def absent(name: str, *args: Any, **options: Any) -> Any:
        if name.split(".")[0] == package:
            raise ImportError(f"No module named {package!r}")
        return genuine(name, *args, **options)

    (tmp_path / file).write_bytes(b"0")
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(DataError, match=package) as refused:
        bring(tmp_path / file, window="1s")
    assert f'pip install "tsxfer[{extra}]"' in str(refused.value.mend)


# Arrays.


def test_matlab_files_of_both_kinds_give_the_same_windows(tmp_path: Path) -> None:
    """Version 5 and 7.3, labels (n, 1) or words, windows along the last axis as in MATLAB."""
    from scipy.io import savemat

    x, words, _ = layouts.windows()
    codes = (words == "on").astype(float)[:, None]
    turned = np.moveaxis(x, 0, 2)  # (channel, time, n)
    savemat(tmp_path / "five.mat", {"X": x, "labels": codes})
    savemat(tmp_path / "last.mat", {"eeg": turned, "labels": words.astype(object)[:, None]})
    layouts.matlab_7(tmp_path / "seven.mat", {"X": x, "labels": codes})
    layouts.matlab_7(tmp_path / "words.mat", {"eeg": turned}, words.tolist())
    made = [bring(tmp_path / f"{n}.mat") for n in ("five", "last", "seven", "words")]
    for one in made:
        assert np.allclose(one.array("x"), x.astype(np.float32))
    assert made[0].classes == made[2].classes == ("0", "1")
    assert made[1].classes == made[3].classes == ("off", "on")


def test_matlab_variables_are_named_by_flags(tmp_path: Path) -> None:
    """Where names say nothing, what there is is listed; time before channel is questioned."""
    from scipy.io import savemat

    x, words, groups = layouts.windows()
    savemat(
        tmp_path / "a.mat",
        {
            "p": np.swapaxes(x, 1, 2),
            "q": (words == "on") * 1.0,
            "r": np.arange(60) // 6 * 1.0,
            "s": np.ones((2, 60, 16)),
        },
    )
    with pytest.raises(DataError, match="no array") as refused:
        bring(tmp_path / "a.mat")
    assert "p 60x16x2" in str(refused.value.where)
    with pytest.raises(DataError, match="16 channels of 2 samples") as refused:
        bring(tmp_path / "a.mat", x="p", label="q", group="r")
    assert "--axes time,channel" in str(refused.value.mend)
    made = bring(tmp_path / "a.mat", x="p", label="q", group="r", axes="time,channel")
    assert np.allclose(made.array("x"), x.astype(np.float32))
    assert len(_groups(made)) == len(set(groups))


def test_an_npy_pair_is_read_by_file_or_by_folder(tmp_path: Path) -> None:
    """y.npy and groups.npy beside X.npy are found; windows alone are refused with what is there."""
    x, words, groups = layouts.windows()
    folder = tmp_path / "mine"
    folder.mkdir()
    np.save(folder / "X.npy", x)
    with pytest.raises(DataError, match="windows alone") as refused:
        bring(folder / "X.npy")
    assert "y.npy" in str(refused.value.mend)
    np.save(folder / "y.npy", words)
    np.save(folder / "groups.npy", groups)
    by_file, by_folder = bring(folder / "X.npy"), bring(folder)
    assert by_file.fingerprint == by_folder.fingerprint
    assert len(_groups(by_file)) == 10
    np.save(folder / "y.npy", words[::-1])
    assert bring(folder / "X.npy").card.id != by_file.card.id


@pytest.mark.parametrize("how", ["npz", "npy"])
def test_train_and_test_arrays_are_the_official_split(tmp_path: Path, how: str) -> None:
    """X_train with X_test: the test part is theirs, and the card and the rows say so."""
    x, words, _ = layouts.windows()
    parts = {"X_train": x[:40], "y_train": words[:40], "X_test": x[40:], "y_test": words[40:]}
    if how == "npz":
        np.savez(tmp_path / "a.npz", **parts)
        made = bring(tmp_path / "a.npz")
    else:
        for name, array in parts.items():
            np.save(tmp_path / f"{name}.npy", array)
        made = bring(tmp_path / "X_train.npy")
    assert (made.count, made.card.split) == (60, "official")
    assert Caution.OFFICIAL in made.card.warnings
    assert np.asarray(made.array("part")).tolist() == ["train"] * 40 + ["test"] * 20


def test_an_array_can_tell_the_official_part(tmp_path: Path) -> None:
    """--test NAME: words or 0 and 1; a group in both parts is refused."""
    x, words, groups = layouts.windows()
    said = {"x": x, "y": words, "part": np.repeat(["train", "val", "test"], 20)}
    np.savez(tmp_path / "a.npz", **said)
    made = bring(tmp_path / "a.npz", test="part", ignore=())
    assert (np.asarray(made.array("part")) == "test").sum() == 20
    assert "validation is drawn anew" in _notes(made)
    np.savez(tmp_path / "b.npz", group=groups, **(said | {"part": np.arange(60) % 2}))
    with pytest.raises(DataError, match="10 groups are in both parts") as refused:
        bring(tmp_path / "b.npz", test="part")
    assert "--test no" in str(refused.value.mend)


# The archive.


@pytest.mark.parametrize(
    ("ending", "channels"),
    [(".ts", 1), (".tsv", 1), (".txt", 1), (".arff", 1), (".arff", 2), (".ts", 2)],
)
def test_train_and_test_files_of_the_archive_are_the_official_split(
    tmp_path: Path, ending: str, channels: int
) -> None:
    """NAME_TRAIN finds NAME_TEST beside it; --test no leaves it out."""
    x, _ = layouts.archive_pair(tmp_path, ending, channels)
    made = bring(tmp_path / f"Toy_TRAIN{ending}")
    assert (made.count, made.card.split, made.classes) == (60, "official", ("1", "2"))
    assert np.allclose(made.array("x"), x.astype(np.float32), atol=1e-6)
    assert (np.asarray(made.array("part")) == "test").sum() == 30
    alone = bring(tmp_path / f"Toy_TRAIN{ending}", test="no")
    assert (alone.count, alone.card.split) == (30, "grouped")


def test_a_changed_test_file_is_another_data_set(tmp_path: Path) -> None:
    """The test part counts in the version, whether it was found or named."""
    layouts.archive_pair(tmp_path, ".ts")
    train, test = tmp_path / "Toy_TRAIN.ts", tmp_path / "Toy_TEST.ts"
    first = bring(train)
    test.write_text(test.read_text() + "\n" + ",".join(["0.5"] * 16) + ":1\n")
    second = bring(train)
    assert (first.card.id != second.card.id, second.count) == (True, 61)
    test.rename(tmp_path / "later.ts")
    assert bring(train).count == 30
    assert bring(train, test=str(tmp_path / "later.ts")).count == 61


def test_missing_ends_of_archive_files_are_lengths(tmp_path: Path) -> None:
    """NaN behind the last number of a series makes it shorter, NaN before it is a gap."""
    x, _, _ = layouts.windows(30, 1)
    rows = [[str(1 + n % 2), *map(str, w[0])] for n, w in enumerate(x)]
    rows[3][-4:] = ["NaN"] * 4
    (tmp_path / "Toy_TRAIN.tsv").write_text("\n".join("\t".join(row) for row in rows))
    with pytest.raises(DataError, match="unequal length: 12 to 16"):
        bring(tmp_path / "Toy_TRAIN.tsv")
    assert bring(tmp_path / "Toy_TRAIN.tsv", lengths="pad").count == 30


def test_a_set_of_the_archive_by_name(tmp_path: Path) -> None:
    """`ucr:UnitTest` lies inside sktime and comes with its official split."""
    made = importing.bring(Path("ucr:UnitTest"), Description(), Workspace(tmp_path))
    assert (made.count, made.card.length, made.card.split) == (41, 24, "official")
    assert "1 windows of the train part that occur a second time" in _notes(made)
    assert (np.asarray(made.array("part")) == "test").sum() == 22
    assert made.card.id.startswith("unittest+own@")
    with pytest.raises(SpecError, match="no set 'GunPont'") as refused:
        importing.bring(Path("ucr:GunPont"), Description(), Workspace(tmp_path))
    assert "GunPoint" in str(refused.value.mend)


def test_other_sets_of_the_archive_are_downloaded_once(tmp_path: Path, monkeypatch: Any) -> None:
    """The loader of sktime downloads into one folder; a failure is told with the way by hand."""
    from tsxfer.own import ucr

    monkeypatch.setenv(ucr.HOME, str(tmp_path / "home"))
    asked = []

    def cache(url: Any, name: str, extract_path: str, **_: Any) -> None:
        asked.append(name)
        (Path(extract_path) / name).mkdir()
        layouts.archive_pair(Path(extract_path) / name, ".ts")
        for side in ("TRAIN", "TEST"):
            (Path(extract_path) / name / f"Toy_{side}.ts").rename(
                Path(extract_path) / name / f"{name}_{side}.ts"
            )

    monkeypatch.setattr("sktime.datasets._data_io._cache_dataset", cache)
    made = importing.bring(Path("ucr:Coffee"), Description(), Workspace(tmp_path / "ws"))
    assert (made.count, asked) == (60, ["Coffee"])

    def fails(url: Any, name: str, extract_path: str, **_: Any) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr("sktime.datasets._data_io._cache_dataset", fails)
    with pytest.raises(DataError, match="no network") as refused:
        importing.bring(Path("ucr:Beef"), Description(), Workspace(tmp_path / "ws"))
    assert "Beef_TRAIN.ts" in str(refused.value.mend)


# Seismology and finance.


def test_seisbench_data_is_read_with_events_as_groups(tmp_path: Path) -> None:
    """Buckets, components, rate, magnitude and source_id; chunks are one data set."""
    first = layouts.seisbench(tmp_path / "quakes", "_a")
    second = layouts.seisbench(tmp_path / "quakes", "_b", first=15)
    made = bring(tmp_path / "quakes")
    assert (made.count, made.card.channels, made.card.rate_hz) == (60, ("Z", "N", "E"), 20)
    assert (made.card.label, made.card.group, made.card.task) == (
        "source_magnitude",
        "source_id",
        "regression",
    )
    assert np.allclose(made.array("x"), np.concatenate([first, second]))
    assert np.allclose(made.array("y")[:3], [1.0, 1.1, 1.2])
    assert len(_groups(made)) == 30


def test_seisbench_rates_labels_and_official_split(tmp_path: Path) -> None:
    """Mixed rates need --resample, unlabelled traces are said, `split` may be the official one."""
    layouts.seisbench(tmp_path / "quakes", rates=(20.0, 40.0))
    with pytest.raises(DataError, match="traces of 2 rates") as refused:
        bring(tmp_path / "quakes")
    assert "--resample" in str(refused.value.mend)
    made = bring(tmp_path / "quakes", resample=20.0, lengths="crop")
    assert (made.card.length, made.card.rate_hz) == (100, 20)
    metadata = tmp_path / "quakes" / "metadata.csv"
    table = pd.read_csv(metadata).assign(trace_sampling_rate_hz=20.0)
    table.loc[[3, 4], "source_magnitude"] = np.nan
    table.to_csv(metadata, index=False)
    made = bring(tmp_path / "quakes", test="split")
    assert (made.count, made.card.split) == (28, "official")
    assert "2 traces have no source_magnitude" in _notes(made)


def test_seisbench_faults_are_told(tmp_path: Path) -> None:
    """Traces that are not there, links elsewhere, files cut short: one message each."""
    import h5py

    folder = tmp_path / "quakes"
    layouts.seisbench(folder)
    waves, whole = folder / "waveforms.hdf5", (folder / "waveforms.hdf5").read_bytes()
    waves.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="no complete HDF5 file"):
        bring(folder)
    waves.write_bytes(b"text")
    with pytest.raises(DataError, match="no HDF5 file"):
        bring(folder)
    waves.write_bytes(whole)
    with h5py.File(waves, "a") as file:
        file.move("data/bucket0", "elsewhere")
        file["data/bucket0"] = h5py.ExternalLink("other.hdf5", "data")
    with pytest.raises(DataError):
        bring(folder)
    waves.write_bytes(whole)
    table = pd.read_csv(folder / "metadata.csv")
    table.loc[5, "trace_name"] = "bucket0$99,:3,:200"
    table.to_csv(folder / "metadata.csv", index=False)
    with pytest.raises(DataError, match=r"bucket0\$99") as refused:
        bring(folder)
    assert "row 7" in str(refused.value.where)


def test_seisbench_components_must_agree(tmp_path: Path) -> None:
    """A trace of one component, or of another order, is never taken for three channels."""
    import h5py

    layouts.seisbench(tmp_path / "quakes", "_a")
    layouts.seisbench(tmp_path / "quakes", "_b", first=15)
    with h5py.File(tmp_path / "quakes" / "waveforms_b.hdf5", "a") as file:
        del file["data_format/component_order"]
        file["data_format/component_order"] = "ENZ"
    with pytest.raises(DataError, match="different components"):
        bring(tmp_path / "quakes")
    metadata = tmp_path / "quakes" / "metadata_b.csv"
    metadata.unlink()
    table = pd.read_csv(tmp_path / "quakes" / "metadata_a.csv")
    table.loc[2, "trace_name"] = "bucket0$2,:1,:200"
    table.to_csv(tmp_path / "quakes" / "metadata_a.csv", index=False)
    with pytest.raises(DataError, match="different components"):
        bring(tmp_path / "quakes")


@pytest.mark.parametrize("kind", ["SAC", "MSEED"])
def test_seismograms_with_a_catalogue(tmp_path: Path, kind: str) -> None:
    """A csv names files, magnitudes and events; components are channels, however many files."""
    layouts.seismograms(tmp_path / "quakes", kind)
    made = bring(tmp_path / "quakes", group="event")
    assert (made.count, made.card.channels, made.card.rate_hz) == (12, ("BHE", "BHN", "BHZ"), 20)
    assert (made.card.task, made.card.label, len(_groups(made))) == ("regression", "magnitude", 6)
    next((tmp_path / "quakes").glob("3.*")).unlink()
    with pytest.raises(DataError, match="listed and not there"):
        bring(tmp_path / "quakes", group="event")


def test_daily_prices_give_the_next_close_or_its_direction(tmp_path: Path) -> None:
    """Windows of closes in order of time, split in time, learned relative to their last close."""
    closes = layouts.prices(tmp_path / "index.csv")
    made = bring(tmp_path / "index.csv", window="20")
    assert (made.count, made.card.split, made.card.label_like_input) == (100, "time", True)
    assert np.allclose(made.array("y"), closes[20:])
    assert np.allclose(made.array("x")[0, 0], closes[:20])
    assert (np.diff(made.array("start")) > 0).all()
    up = bring(tmp_path / "index.csv", window="20", task="classification")
    assert (up.classes, up.card.label_like_input) == (("not_up", "up"), False)
    named = np.array(up.classes)[np.asarray(up.array("y"))]
    assert ((closes[20:] > closes[19:-1]) == (named == "up")).all()


def test_daily_prices_of_many_companies(tmp_path: Path) -> None:
    """A folder of files: one group a company, all split in time."""
    for n in range(3):
        layouts.prices(tmp_path / "shares" / f"{'ABC'[n]}.csv", seed=n)
    made = bring(tmp_path / "shares", window="20")
    assert (made.count, _groups(made), made.card.split) == (300, ["A", "B", "C"], "time")


def test_a_folder_that_nothing_reads_says_what_is_readable(tmp_path: Path) -> None:
    """An empty folder, one of pictures, and a file of an unknown kind."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpeg").write_bytes(b"0")
    with pytest.raises(TsxferError) as refused:
        bring(tmp_path / "pictures")
    assert ".wav" in str(refused.value.mend)
    assert "docs/layouts.md" in str(refused.value.mend)
