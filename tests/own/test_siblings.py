"""Siblings of files that were once read wrongly: read rightly, asked about, or refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.own import layouts
from tests.own.made import TIME, N, bring, groups, labels, table, windows, windows_like
from tsxfer.errors import DataError
from tsxfer.own.alike import in_one_order
from tsxfer.own.called import named_like, units_of
from tsxfer.own.description import Description
from tsxfer.own.gains import said_of_gains
from tsxfer.own.reading import Reading
from tsxfer.own.signals import Signal

LABELLED = {"label": "y", "group": "who"}


def _text(made: pd.DataFrame, **how: Any) -> str:
    return made.to_csv(index=False, **how)


def _cell(value: object, row: int = 5, at: int = 3) -> pd.DataFrame:
    made = table().astype(object)
    made.iloc[row, at] = value
    return made


def _columns(names: list[str]) -> str:
    return _text(table(names))


WORDS = np.where(labels() == "on", "1_1", "11")
BY_LETTERS = sorted(f"{4 * i}ms" for i in range(TIME))
READ: dict[str, tuple[str, np.ndarray, str]] = {
    "times sorted as text": (
        _text(table([f"{4 * i}ms" for i in range(TIME)])[[*BY_LETTERS, "y", "who"]]),
        labels(),
        "order of letters",
    ),
    "numbers in brackets": (_columns([f"ax[{i}]" for i in range(TIME)]), labels(), ""),
    "signs that nobody sees": (
        _text(table(y=np.where(np.arange(N) % 4, labels(), np.char.add(labels(), "\u200b")))),
        labels(),
        "are one",
    ),
    "rounded times as names": (_columns([f"{i / 32:.2f}" for i in range(TIME)]), labels(), ""),
    "decimal commas in names": (
        table([f"{i / 8:.3f}".replace(".", ",") for i in range(TIME)]).to_csv(
            index=False, sep=";", decimal=","
        ),
        labels(),
        "times or dates",
    ),
    "dates over a month's end": (
        _columns(
            [f"2020-{1 + i // 8:02d}-{24 + i % 8 if i < 8 else i % 8 + 1:02d}" for i in range(TIME)]
        ),
        labels(),
        "times or dates",
    ),
    "times over a full minute": (
        _columns([f"00:{i // 8:02d}:{52 + i % 8 if i < 8 else i % 8:02d}" for i in range(TIME)]),
        labels(),
        "times or dates",
    ),
    "classes with underscores": (_text(table(y=WORDS)), WORDS, ""),
    "a separator behind each line": (_text(table()).replace("\n", ",\n"), labels(), "is empty"),
    "a nameless group": (
        _text(table(who=np.where(np.arange(N) == 17, "NA", groups()))),
        labels(),
        "'na'",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_a_table_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    """Samples, labels and their order are those of the file; what was guessed is said."""
    text, y, said = READ[name]
    (tmp_path / "mine.csv").write_text(text)
    made = bring(tmp_path / "mine.csv", **LABELLED)
    assert np.allclose(made.array("x"), windows(), atol=1e-5)
    assert np.array(made.classes)[made.array("y")].tolist() == y.tolist()
    assert said in " ".join(made.notes)


ASKED: dict[str, tuple[str, dict[str, str], str, dict[str, str]]] = {
    "a sentinel": (_text(_cell(-999)), {}, "--nan -999", {"nan": "none"}),
    "a sentinel that is missing": (
        _text(_cell(-999)),
        {},
        "--missing interpolate",
        {"nan": "-999", "missing": "interpolate"},
    ),
    "Null": (_text(_cell("Null")), {}, "--missing drop", {"missing": "drop"}),
    "a blank and NA": (_text(_cell(" NA")), {}, "--missing drop", {"missing": "drop"}),
    "one decimal comma": (_text(_cell("1,5")), {}, "correct the cells", {}),
    "thousands": (_text(_cell("12,345.5")), {}, "that group thousands", {}),
    "windows as text": (
        _text(table().assign(all="[0.1, 0.2, -3e-1]")),
        {},
        "a column for each sample",
        {},
    ),
    "units": (
        _text(table()).replace("\n", "\n" + ",".join(["mV"] * TIME + ["", ""]) + "\n", 1),
        {},
        "remove that line",
        {},
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_in_doubt_is_refused_and_the_flag_settles_it(tmp_path: Path, name: str) -> None:
    """A refusal names the flag that works: with it the other windows are as written."""
    text, said, word, settled = ASKED[name]
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(DataError) as error:
        bring(tmp_path / "mine.csv", **LABELLED, **said)
    assert word in (error.value.mend or "")
    if settled:
        made = bring(tmp_path / "mine.csv", **LABELLED, **settled)
        assert np.allclose(np.asarray(made.array("x"))[:5], windows()[:5], atol=1e-5)


def test_a_note_says_where_commas_may_group_thousands(tmp_path: Path) -> None:
    """``1,234;5,678`` is read with decimal commas, and that is said."""
    whole = (1000 + np.abs(windows()[:, 0]) * 1000).round()
    made = table().assign(**{f"x_{t}": [f"{v:,.0f}" for v in whole[:, t]] for t in range(TIME)})
    made.to_csv(tmp_path / "mine.csv", index=False, sep=";")
    assert "decimal comma" in " ".join(bring(tmp_path / "mine.csv", **LABELLED).notes)


def test_large_whole_numbers_stay_apart(tmp_path: Path) -> None:
    """Groups whose numbers differ beyond what float64 holds are groups of their own."""
    large = 2**53 + np.arange(N) // 6
    table(who=large).to_parquet(tmp_path / "mine.parquet")
    made = bring(tmp_path / "mine.parquet", **LABELLED)
    assert sorted(set(made.array("group").tolist())) == sorted(map(str, set(large.tolist())))


def test_decimal_commas_in_the_label_are_numbers(tmp_path: Path) -> None:
    """A label written with decimal commas is a number as the samples are."""
    y = windows()[:, 0, 0]
    table(y=y).to_csv(tmp_path / "mine.csv", index=False, sep=";", decimal=",")
    assert np.allclose(bring(tmp_path / "mine.csv", **LABELLED).array("y"), y)


def _people(folder: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """A recording for each of six people; `edit` changes the fourth one's."""
    folder.mkdir()
    for number, (who, part) in enumerate(layouts.recording().groupby("who")):
        part = part.drop(columns="who")
        (edit(part) if number == 3 else part).to_csv(folder / f"{who}.csv", index=False)
    return folder


def test_channels_in_another_order_are_put_in_order(tmp_path: Path) -> None:
    """Channels of files are matched by name, and that is said."""
    plain = bring(_people(tmp_path / "plain", lambda p: p), label="act", window="1s")
    turned = _people(tmp_path / "turned", lambda p: p[["time", "ay", "act", "ax"]])
    made = bring(turned, label="act", window="1s")
    assert np.array_equal(made.array("x"), plain.array("x"))
    assert "another order" in " ".join(made.notes)


def test_files_that_share_some_channels_are_refused(tmp_path: Path) -> None:
    """A channel of another name at one place of several is not taken for the same sensor."""
    path = _people(tmp_path / "people", lambda p: p.rename(columns={"ax": "gx"}))
    with pytest.raises(DataError, match="has the channels"):
        bring(path, label="act", window="1s")


def test_a_counter_is_no_channel(tmp_path: Path) -> None:
    """A column that counts the samples is left out of a recording, and that is said."""
    layouts.recording().reset_index(drop=True).to_csv(tmp_path / "r.csv")
    made = bring(tmp_path / "r.csv", label="act", group="who", window="1s")
    assert made.card.channels == ("ax", "ay")
    assert "counts the samples" in " ".join(made.notes)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_iso_times_of_mixed_precision_are_times(tmp_path: Path, zone: str) -> None:
    """Whole seconds without decimals among others, and a change of offset, break no clock."""
    made = layouts.recording(subjects=2)
    first = pd.Timestamp("2021-03-28 00:59:50", tz="UTC")
    seconds = made["time"] + 60 * (made["who"] == "p1")
    times = [(first + pd.Timedelta(s, "s")).tz_convert(zone).isoformat() for s in seconds]
    made.assign(time=times).to_csv(tmp_path / "r.csv", index=False)
    found = bring(tmp_path / "r.csv", label="act", group="who", window="1s")
    assert (found.card.rate_hz, found.count) == (50, 24)


def test_hidden_folders_links_and_other_kinds(tmp_path: Path) -> None:
    """Hidden files are no windows, linked folders are, files of other kinds are counted."""
    folder = tmp_path / "w"
    layouts.clips(folder)
    hidden = folder / ".ipynb_checkpoints" / "a.wav"
    layouts.sound(hidden, np.sin(np.arange(800)))
    (folder / "no").rename(tmp_path / "elsewhere")
    (folder / "no").symlink_to(tmp_path / "elsewhere")
    (folder / "yes" / "b.mp3").write_bytes(b"ID3")
    made = bring(folder, pattern="{label}/{group}_{n}.wav")
    assert (made.count, made.classes) == (24, ("no", "yes"))
    assert "1 .mp3" in " ".join(made.notes)


def test_folders_in_folders_need_a_pattern(tmp_path: Path) -> None:
    """Which folder is the class is asked, and the pattern that is offered works."""
    layouts.clips(tmp_path / "w", "{label}/{group}/{n}.wav")
    with pytest.raises(DataError, match="which is the class") as error:
        bring(tmp_path / "w")
    assert error.value.mend == "say it: --pattern '{label}/{group}/{name}.wav'"
    assert bring(tmp_path / "w", pattern="{label}/{group}/{name}.wav").classes == ("no", "yes")


def test_train_and_test_folders_are_an_official_split(tmp_path: Path) -> None:
    """``--test part`` names the field of the pattern that tells the test part."""
    layouts.clips(tmp_path / "w", "train/{label}/{group}_{n}.wav")
    (tmp_path / "w" / "test" / "yes").mkdir(parents=True)
    (tmp_path / "w" / "test" / "no").mkdir()
    for label in ("yes", "no"):
        for file in sorted((tmp_path / "w" / "train" / label).glob("s5_*.wav")):
            file.rename(tmp_path / "w" / "test" / label / file.name)
    with pytest.raises(DataError) as error:
        bring(tmp_path / "w")
    assert error.value.mend == "say it: --pattern '{part}/{label}/{name}.wav' --test part"
    made = bring(tmp_path / "w", pattern="{part}/{label}/{name}.wav", test="part")
    assert (made.card.split, int((made.array("part") == "test").sum())) == ("official", 4)


def _catalogue(folder: Path, edit: Callable[[pd.DataFrame], pd.DataFrame], **how: Any) -> Path:
    layouts.clips(folder, "{label}_{group}_{n}.wav")
    names = sorted(file.name for file in folder.glob("*.wav"))
    rows = [dict(zip(("word", "who"), name.split("_"), strict=False), file=name) for name in names]
    edit(pd.DataFrame(rows)).to_csv(folder / "list.csv", index=False, **how)
    return folder


REFUSED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "a file twice": (lambda t: pd.concat([t, t[:1].assign(word="no")]), "listed twice"),
    "no group": (lambda t: t.assign(who=t["who"].where(t.index != 3)), "no who"),
    "no label": (lambda t: t.assign(word=t["word"].where(t.index != 3)), "no word"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_catalogue_with_doubtful_rows_is_refused(tmp_path: Path, name: str) -> None:
    """A window under two rows, or without a label or group, is named by its row."""
    edit, said = REFUSED[name]
    with pytest.raises(DataError, match=said):
        bring(_catalogue(tmp_path / "w", edit), label="word", group="who")


def test_a_catalogue_with_paths_of_another_machine_is_read(tmp_path: Path) -> None:
    """Files are found by their names where these are enough, and that is said."""
    path = _catalogue(tmp_path / "w", lambda t: t.assign(file="D:\\\\clips\\\\" + t["file"]))
    made = bring(path, label="word", group="who")
    assert (made.count, made.classes) == (24, ("no", "yes"))
    assert "by their names alone" in " ".join(made.notes)


def test_a_catalogue_of_more_files_than_are_there_says_so(tmp_path: Path) -> None:
    """Most of the listed files are elsewhere: the catalogue is one all the same, and refused."""
    path = _catalogue(tmp_path / "w", lambda t: t)
    for file in sorted(path.glob("*.wav"))[:18]:
        file.unlink()
    with pytest.raises(DataError, match="listed and not there"):
        bring(path, label="word", group="who")


def test_catalogues_of_any_dialect_keep_names_of_classes(tmp_path: Path) -> None:
    """UTF-16, semicolons and classes called NA and None are read; unlisted files are counted."""
    named = {"yes": "None", "no": "NA"}
    path = _catalogue(
        tmp_path / "w",
        lambda t: t[:22].assign(word=t["word"].map(named)),
        encoding="utf-16",
        sep=";",
    )
    made = bring(path, label="word", group="who")
    assert (made.count, made.classes) == (22, ("NA", "None"))
    assert "2 files are not in list.csv" in " ".join(made.notes)


def test_intervals_keep_names_of_classes_and_decimal_commas(tmp_path: Path) -> None:
    """Intervals called NA are a class, those without a label label nothing."""
    signal = layouts.recording(subjects=1, turns=12).drop(columns=["act", "who"])
    signal.to_csv(tmp_path / "s.csv", index=False)
    spans = pd.DataFrame({"start": np.arange(12) * 2.0, "end": np.arange(12) * 2.0 + 2})
    spans["label"] = ["NA", "None", ""] * 4
    spans.to_csv(tmp_path / "i.csv", index=False, sep=";", decimal=",")
    made = bring(tmp_path / "s.csv", intervals=str(tmp_path / "i.csv"), window="1s")
    assert (made.count, made.classes) == (16, ("NA", "None"))


def _edf(folder: Path, ending: str, unit: str = "uV", turned: bool = False) -> Path:
    """Three recordings of 24 s; the second in another unit, or with its channels turned."""
    import edfio

    folder.mkdir()
    kinds = {"edf": (edfio.Edf, edfio.EdfSignal), "bdf": (edfio.Bdf, edfio.BdfSignal)}
    whole, channel = kinds[ending]
    for who in range(3):
        x = np.random.default_rng(who).normal(0, 1, (2, 1200))
        size = 1000 if unit == "mV" and who == 1 else 1
        made = [
            channel(row / size, 50, label=f"EEG {c}", physical_range=(-10 / size, 10 / size),
                    physical_dimension=unit if who == 1 else "uV")
            for c, row in enumerate(x)
        ]  # fmt: skip
        notes = [edfio.EdfAnnotation(2.0 * k, 2.0, ("awake", "asleep")[k % 2]) for k in range(12)]
        made = made[::-1] if turned and who == 1 else made
        whole(made, annotations=notes).write(folder / f"s{who}.{ending}")
    return folder


@pytest.mark.parametrize(
    ("ending", "unit", "turned"), [("bdf", "uV", False), ("edf", "mV", False), ("edf", "uV", True)]
)
def test_edf_and_bdf_of_any_unit_and_order(
    tmp_path: Path, ending: str, unit: str, turned: bool
) -> None:
    """Samples come in the first file's unit and order of channels, BDF as EDF."""
    made = bring(_edf(tmp_path / "n", ending, unit, turned), window="1s")
    second = np.random.default_rng(1).normal(0, 1, (2, 1200))
    assert made.count == 72
    assert np.allclose(made.array("x")[24:26], second[:, :100].reshape(2, 2, 50).swapaxes(0, 1),
                       atol=1e-3)  # fmt: skip


def test_arrays_that_nothing_reads_are_said(tmp_path: Path) -> None:
    """Groups or validation windows under other names are not passed over in silence."""
    np.savez(tmp_path / "a.npz", x=windows(), y=labels(), subject_id=groups())
    assert "subject_id 60" in " ".join(bring(tmp_path / "a.npz").notes)


def test_time_before_many_channels_is_questioned(tmp_path: Path) -> None:
    """16 moments of 64 channels look like 16 channels of 64 samples: smoothness tells, and says."""
    x = np.cumsum(np.random.default_rng(0).normal(size=(N, 16, 64)), axis=1)
    np.savez(tmp_path / "a.npz", x=x, y=labels())
    assert "--axes time,channel" in " ".join(bring(tmp_path / "a.npz").notes)
    np.savez(tmp_path / "b.npz", x=np.swapaxes(x, 1, 2), y=labels())
    assert "--axes" not in " ".join(bring(tmp_path / "b.npz", axes="channel,time").notes)


@pytest.mark.parametrize("kind", ["struct", "cells", "struct 7.3"])
def test_matlab_structures_and_cells_of_windows(tmp_path: Path, kind: str) -> None:
    """Fields of a structure are variables, and a cell array of equal windows is an array."""
    from scipy.io import savemat

    x, y = windows(3), (labels() == "on").astype(float)[:, None]
    path = tmp_path / "a.mat"
    if kind == "struct 7.3":
        layouts.matlab_7(path, {"data/X": x, "data/labels": y})
    elif kind == "cells":
        cells = np.empty((N, 1), object)
        cells[:, 0] = list(x)
        savemat(path, {"X": cells, "labels": y})
    else:
        savemat(path, {"data": {"X": x, "labels": y}})
    made = bring(path)
    assert np.allclose(made.array("x"), x, atol=1e-5)
    assert made.classes == ("0", "1")


TS = "@problemName a\n@timeStamps {}\n@univariate true\n@classLabel true on off\n@data\n"


def _ts(path: Path, stamp: Callable[[int], str] | None = None, unknown: int = -1) -> Path:
    rows = []
    for n, (window, label) in enumerate(zip(windows()[:, 0], labels(), strict=True)):
        cells = [f"({stamp(t)},{v})" if stamp else str(v) for t, v in enumerate(window)]
        rows.append(",".join(cells) + ":" + ("?" if n == unknown else label))
    path.write_text(TS.format(str(stamp is not None).lower()) + "\n".join(rows) + "\n")
    return path


def test_ts_time_stamps_with_colons_are_read(tmp_path: Path) -> None:
    """A colon within a time stamp ends no channel."""
    made = bring(_ts(tmp_path / "a.ts", lambda t: f"2020-01-01 00:00:{t:02d}"))
    assert np.allclose(made.array("x"), windows(), atol=1e-5)


def test_ts_stamps_that_fall_and_unknown_labels_are_refused(tmp_path: Path) -> None:
    """Samples out of the order of time, and a label ``?``, are named."""
    with pytest.raises(DataError, match="do not rise"):
        bring(_ts(tmp_path / "a.ts", lambda t: str(TIME - t)))
    with pytest.raises(DataError, match="have no label"):
        bring(_ts(tmp_path / "b.ts", unknown=4))


def test_traces_without_a_group_are_refused(tmp_path: Path) -> None:
    """Traces of no event are not one event called nan."""
    layouts.seisbench(tmp_path / "s")
    listed = tmp_path / "s" / "metadata.csv"
    made = pd.read_csv(listed)
    made.assign(source_id=made["source_id"].where(made.index % 5 > 0)).to_csv(listed, index=False)
    with pytest.raises(DataError, match="6 of 30 traces have no source_id"):
        bring(tmp_path / "s")


def _clips_at(path: Path, rate: int) -> Path:
    for n in range(4):
        layouts.sound(path / f"{n}.wav", np.sin(np.arange(800) * 0.1), rate)
    return path


def test_a_second_file_at_another_rate_or_of_other_channels_is_refused(tmp_path: Path) -> None:
    """What a model was fitted on is not stretched in time, nor are other sensors taken for its."""
    like = Reading(Description(unlabelled=True), ("sound",), 800, 8000.0, 8000.0)
    assert windows_like(_clips_at(tmp_path / "a", 8000), like)[0].shape == (4, 1, 800)
    with pytest.raises(DataError, match="fitted on 8000 Hz"):
        windows_like(_clips_at(tmp_path / "b", 16000), like)
    named = Reading(Description(unlabelled=True, window="1s"), ("EEG A", "EEG B"), 50, 50.0, 50.0)
    with pytest.raises(DataError, match="no channel EEG A"):
        windows_like(_edf(tmp_path / "n", "edf"), named)


@pytest.mark.parametrize("name", ["Label", "act_id", "sensor"])
def test_a_code_among_the_channels_is_refused(tmp_path: Path, name: str) -> None:
    """A column of 0, 1, 2 that is called or changes as the label is asked about, not learned."""
    made = layouts.recording(subjects=3)
    path = tmp_path / "r.csv"
    made.assign(**{name: made["act"].map({"walk": 1, "rest": 2})}).to_csv(path, index=False)
    said = {"group": "who", "window": "1s", "label": "act"}
    with pytest.raises(DataError, match=f"{name!r} would be a channel") as error:
        bring(path, **said)
    assert f"--x ax,ay,{name}" in (error.value.mend or "")
    assert bring(path, **said, ignore=(name,)).card.channels == ("ax", "ay")
    assert bring(path, **said, x=f"ax,ay,{name}").card.channels == ("ax", "ay", name)
    with pytest.raises(DataError, match="column 'act_id'"):
        bring(_coded(tmp_path / "c.csv", made), intervals=str(path), window="1s")


def _coded(path: Path, made: pd.DataFrame) -> Path:
    """The recording with its label as a number alone."""
    coded = made.assign(act_id=made["act"].eq("walk") * 1).drop(columns=["act", "who"])
    coded.to_csv(path, index=False)
    return path


def test_few_values_in_long_stretches_are_said(tmp_path: Path) -> None:
    """A switch that follows no label stays a channel, with a note."""
    made = layouts.recording(subjects=3)
    made["pump"] = (np.arange(len(made)) // 130) % 2
    made.to_csv(tmp_path / "r.csv", index=False)
    found = bring(tmp_path / "r.csv", label="act", group="who", window="1s")
    assert found.card.channels == ("ax", "ay", "pump")
    assert "--ignore pump" in " ".join(found.notes)


@pytest.mark.parametrize("late", [3, 40])
def test_ts_stamps_in_unequal_steps_are_refused(tmp_path: Path, late: int) -> None:
    """A gap within the stamps is asked about; a rate that is said takes the samples as even."""
    path = _ts(tmp_path / "a.ts", lambda t: str(t if t < 9 else t + late))
    with pytest.raises(DataError, match="step unevenly") as error:
        bring(path)
    assert "--rate HZ" in (error.value.mend or "")
    assert np.allclose(bring(path, rate=8.0).array("x"), windows(), atol=1e-5)


def test_square_arrays_are_said_or_asked_about(tmp_path: Path) -> None:
    """Where two axes could count windows the guess is said; smooth columns refuse it."""
    x = np.random.default_rng(0).normal(size=(N, N))
    np.savez(tmp_path / "a.npz", x=x, y=labels())
    assert "--axes channel,time settles it" in " ".join(bring(tmp_path / "a.npz").notes)
    np.savez(tmp_path / "b.npz", x=np.cumsum(x, axis=0), y=labels())
    with pytest.raises(DataError, match="down its columns") as error:
        bring(tmp_path / "b.npz")
    assert "--axes channel,time" in (error.value.mend or "")
    assert bring(tmp_path / "b.npz", axes="channel,time").count == N
    np.save(tmp_path / "r.npy", x)
    with pytest.raises(DataError, match="no longer axis"):
        bring(tmp_path / "r.npy", window="8", unlabelled=True)


def test_intervals_that_label_nothing_are_said_or_refused(tmp_path: Path) -> None:
    """Some beyond the end are said; most of them there means another unit of time."""
    recording = layouts.recording(subjects=1, turns=12).drop(columns=["act", "who"])
    recording.to_csv(tmp_path / "s.csv", index=False)
    spans = pd.DataFrame({"start": np.arange(14) * 2.0, "label": ["a", "b"] * 7})
    said = {"window": "1s", "intervals": str(tmp_path / "i.csv")}
    spans.assign(end=spans["start"] + 2).to_csv(tmp_path / "i.csv", index=False)
    notes = " ".join(bring(tmp_path / "s.csv", **said).notes)
    assert "2 intervals of i.csv lie outside of their recording" in notes
    spans["start"] *= 5
    spans.assign(end=spans["start"] + 10).to_csv(tmp_path / "i.csv", index=False)
    with pytest.raises(DataError, match="11 of 14 intervals lie outside"):
        bring(tmp_path / "s.csv", **said)


def test_what_is_odd_in_prices_is_said(tmp_path: Path) -> None:
    """Empty days, a split and a second column of closes are notes; two companies are refused."""
    close = 100 + np.cumsum(np.random.default_rng(0).normal(size=90))
    close[60:] /= 10
    days = pd.bdate_range("2018-01-01", periods=90).strftime("%Y-%m-%d")
    made = pd.DataFrame({"Date": days, "Close": close, "Adj Close": close})
    made.assign(Close=made["Close"].where(made.index != 20)).to_csv(tmp_path / "a.csv", index=False)
    found = bring(tmp_path / "a.csv", window="10")
    notes = " ".join(found.notes)
    assert found.count == 80 - 11
    assert "--label 'Adj Close'" in notes
    assert "1 days have no close" in notes
    assert "1 times, first a on 2018-03-26 to 0.0996" in notes
    assert bring(tmp_path / "a.csv", window="10", label="Adj Close").count == 80
    pd.concat([made, made]).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(DataError, match="two lines") as error:
        bring(tmp_path / "b.csv", window="10")
    assert "one csv for each in a folder" in (error.value.mend or "")


def test_a_catalogue_without_a_label_leaves_out_that_window(tmp_path: Path) -> None:
    """Empty cells and SAC's -12345 are refused, and left out by the flags of the refusal."""
    said = {"label": "mag", "group": "who"}
    marked = [("", {}), (-12345, {"nan": "-12345"})]
    for at, (value, flags) in enumerate(marked):
        path = _catalogue(
            tmp_path / f"w{at}",
            lambda t, v=value: t.assign(mag=[v if i == 3 else 1 + i / 7 for i in t.index]),
        )
        with pytest.raises(DataError) as error:
            bring(path, **said)
        assert "--missing drop" in (error.value.mend or "")
        assert bring(path, **said, missing="drop", **flags).count == 23


@pytest.mark.parametrize("ending", ["edf", "bdf"])
def test_a_status_channel_is_no_signal(tmp_path: Path, ending: str) -> None:
    """Codes of events in EDF and BDF are left out and said; a signal called alike stays."""
    made = _with_status(tmp_path / f"a.{ending}", np.repeat([0, 7, 0, 255], 300))
    assert made.card.channels == ("EEG 0",)
    assert "Status: called as codes" in " ".join(made.notes)
    noise = np.random.default_rng(1).integers(0, 255, 1200)
    assert _with_status(tmp_path / f"b.{ending}", noise).card.channels == ("EEG 0", "Status")


def _with_status(path: Path, codes: np.ndarray) -> Any:
    import edfio

    kinds = {".edf": (edfio.Edf, edfio.EdfSignal), ".bdf": (edfio.Bdf, edfio.BdfSignal)}
    whole, channel = kinds[path.suffix]
    noise = np.random.default_rng(0).normal(size=1200)
    made = [
        channel(noise, 50, label="EEG 0", physical_range=(-10, 10)),
        channel(codes.astype(float), 50, label="Status", physical_range=(-32768, 32767)),
    ]
    notes = [edfio.EdfAnnotation(2.0 * k, 2.0, ("awake", "asleep")[k % 2]) for k in range(12)]
    whole(made, annotations=notes).write(path)
    return bring(path, window="1s")


def test_a_marker_of_a_wfdb_record_is_no_signal(tmp_path: Path) -> None:
    """A signal called MARK that holds few values for long is left out, and said."""
    import wfdb

    signal = np.random.default_rng(0).normal(0, 0.5, (1200, 2))
    signal[:, 1] = np.repeat([0.0, 1.0], 600)
    wfdb.wrsamp("r", 50, ["mV", "mV"], ["I", "MARK"], signal, fmt=["16", "16"],
                write_dir=str(tmp_path))  # fmt: skip
    wfdb.wrann("r", "atr", np.arange(12) * 100, ["+"] * 12,
               aux_note=["(N", "(AFIB"] * 6, write_dir=str(tmp_path))  # fmt: skip
    made = bring(tmp_path / "r.hea", window="1s")
    assert made.card.channels == ("I",)
    assert "MARK: called as codes" in " ".join(made.notes)


def test_swapped_columns_of_components_are_put_in_order(tmp_path: Path) -> None:
    """A catalogue whose columns swap files, or that lists another instrument, goes by component."""
    layouts.seismograms(tmp_path / "a", "SAC")
    plain = bring(tmp_path / "a", group="event").array("x")
    listed = tmp_path / "a" / "catalogue.csv"
    made = pd.read_csv(listed)
    made.loc[4, ["BHE", "BHZ"]] = made.loc[4, ["BHZ", "BHE"]].to_numpy()
    made.to_csv(listed, index=False)
    found = bring(tmp_path / "a", group="event")
    assert np.array_equal(found.array("x"), plain)
    assert "another order" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("theirs", "ours", "units"),
    [
        (("HHZ", "HHN", "HHE"), ("BHE", "BHN", "BHZ"), ()),
        (("b (mV)", "a_V"), ("a_V", "b (uV)"), ("V", "mV")),
        (("b", "a_V"), ("a_V", "b (uV)"), None),
        (("FP1", "FP2"), ("AF1", "AF2"), None),
    ],
)
def test_names_that_say_the_same_are_matched(
    theirs: tuple[str, ...], ours: tuple[str, ...], units: tuple[str, ...] | None
) -> None:
    """Units and instruments in names hide no channel; a unit that one file alone states does."""
    x = np.arange(len(ours))[:, None] * np.ones(4)
    first = Signal("a", ours, 1.0, 4, x.dtype, lambda a, b: x[:, a:b], units=units_of(ours))
    other = Signal("b", theirs, 1.0, 4, x.dtype, lambda a, b: x[::-1, a:b],
                   units=units_of(theirs))  # fmt: skip
    if units is None:
        assert named_like(other, first).channels == theirs
        return
    (_, made), notes = in_one_order([first, other])
    assert made.channels == ours
    factor = np.array([1.0, 1e3])[:, None] if units else 1.0
    assert np.allclose(made.read(0, 4), x * factor)
    assert "otherwise" in notes[0]


@pytest.mark.parametrize("by", ["windows", "groups"])
def test_another_gain_is_said(by: str) -> None:
    """Windows, or whole groups, that are far larger than all others are named; a spread is not."""
    random = np.random.default_rng(0)
    size = 10 ** random.uniform(-1, 1, (60, 2))
    group = np.repeat([f"g{n}" for n in range(10)], 6)
    names = np.arange(60).astype(str)
    assert said_of_gains(size, group, names, ("a", "b")) == ()
    size[group == "g3", 1] *= 1e6 if by == "windows" else 1e3
    (said,) = said_of_gains(size, group, names, ("a", "b"))
    assert said.startswith(
        f"6 of 60 windows of channel b are some 7e+0{5 if by == 'windows' else 2}"
    )
    assert "times larger" in said
    assert "first 18" in said


def test_an_official_test_part_in_another_order_of_channels(tmp_path: Path) -> None:
    """Channels of the test file are matched by name, and other names are refused."""
    names = [f"{c}_{t}" for c in "ab" for t in range(8)]
    turned = names[8:] + names[:8]
    table(names).drop(columns="who").to_csv(tmp_path / "m_train.csv", index=False)
    later = table(names).drop(columns="who")
    later[names] += 7
    later[[*turned, "y"]].to_csv(tmp_path / "m_test.csv", index=False)
    made = bring(tmp_path / "m_train.csv", label="y")
    assert np.allclose(made.array("x")[N:], windows().reshape(N, 2, 8) + 7, atol=1e-5)
    assert "another order" in " ".join(made.notes)
    later.rename(columns=lambda name: name.replace("b_", "c_")).to_csv(
        tmp_path / "m_test.csv", index=False
    )
    with pytest.raises(DataError, match="other channels"):
        bring(tmp_path / "m_train.csv", label="y")


def _span_files(folder: Path, dated: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    signal = layouts.recording(subjects=1, turns=12).drop(columns=["act", "who"])
    if dated:
        signal["time"] = pd.Timestamp("2024-05-01") + pd.to_timedelta(signal["time"], "s")
    signal.to_csv(folder / "s.csv", index=False)
    start = np.arange(12) * 2.0
    spans = pd.DataFrame({"start": start, "end": start + 2, "label": ["a", "b"] * 6})
    return signal, spans


TIMES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "clock": lambda t: t.assign(
        **{n: [f"00:00:{v:04.1f}" for v in t[n]] for n in ("start", "end")}
    ),
    "milliseconds": lambda t: t.assign(start_ms=t["start"] * 1e3, end_ms=t["end"] * 1e3),
    "samples": lambda t: t.assign(**{f"{n} [samples]": t[n] * 50 for n in ("start", "end")}),
    "lasting": lambda t: t.assign(onset_s=t["start"], duration_ms=2000),
}


@pytest.mark.parametrize("name", TIMES)
def test_intervals_in_any_unit_are_read(tmp_path: Path, name: str) -> None:
    """Times of day, milliseconds and samples, as their columns say, label what seconds label."""
    signal, spans = _span_files(tmp_path)
    said = {"window": "1s", "intervals": str(tmp_path / "i.csv")}
    made = TIMES[name](spans)
    made.drop(columns=[] if name == "clock" else ["start", "end"]).to_csv(
        tmp_path / "i.csv", index=False
    )
    found = bring(tmp_path / "s.csv", **said)
    assert np.array_equal(found.array("y"), np.repeat([0, 1] * 6, 2))
    expected = signal[["ax", "ay"]].to_numpy().reshape(24, 50, 2).swapaxes(1, 2)
    assert np.allclose(found.array("x"), expected, atol=1e-5)


def test_intervals_of_dates_and_without_a_rate(tmp_path: Path) -> None:
    """Dates meet dates; a recording without times takes ``--rate``, else samples, and says so."""
    signal, spans = _span_files(tmp_path, dated=True)
    first = pd.Timestamp("2024-05-01")
    dated = spans.assign(**{n: [(first + pd.Timedelta(v, "s")).isoformat() for v in spans[n]]
                            for n in ("start", "end")})  # fmt: skip
    said = {"window": "50", "intervals": str(tmp_path / "i.csv")}
    dated.to_csv(tmp_path / "i.csv", index=False)
    assert bring(tmp_path / "s.csv", **said).count == 24
    signal.drop(columns="time").to_csv(tmp_path / "s.csv", index=False)
    with pytest.raises(DataError, match="they are dates, and the recording has no column"):
        bring(tmp_path / "s.csv", **said)
    spans.to_csv(tmp_path / "i.csv", index=False)
    assert bring(tmp_path / "s.csv", rate=50.0, **said).count == 24
    (spans.set_index("label") * 50).reset_index().to_csv(tmp_path / "i.csv", index=False)
    made = bring(tmp_path / "s.csv", **said)
    assert made.count == 24
    assert "taken as numbers of samples" in " ".join(made.notes)
    spans.assign(start="01:30").to_csv(tmp_path / "i.csv", index=False)
    with pytest.raises(DataError, match="'01:30' is a time of hours and minutes"):
        bring(tmp_path / "s.csv", **said)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (lambda text: text.encode("utf-16-le"), "save it as UTF-8"),
        (lambda text: gzip.compress(text.encode()), "it is gzipped: call it so, e.g. mine.csv.gz"),
        (lambda _: b"PAR1" + b"\0" * 99, "mine.parquet"),
    ],
)
def test_what_is_called_a_table_and_is_none_is_told(
    tmp_path: Path, written: Callable[[str], bytes], said: str
) -> None:
    """A file of another kind under the name of a csv is told what it is."""
    (tmp_path / "mine.csv").write_bytes(written(_text(table())))
    with pytest.raises(DataError) as error:
        bring(tmp_path / "mine.csv", **LABELLED)
    assert said in error.value.mend


def test_the_number_of_a_window_is_no_channel(tmp_path: Path) -> None:
    """A long table's column of window numbers, however many, is asked about."""
    made = layouts.recording(subjects=3)
    made["window_id"] = np.arange(len(made)) // 50
    made.to_csv(tmp_path / "r.csv", index=False)
    with pytest.raises(DataError, match=r"'window_id' would be a channel.*more than 20 whole"):
        bring(tmp_path / "r.csv", label="act", group="who", window="1s")


def test_days_are_groups_and_objects_are_named(tmp_path: Path) -> None:
    """Days as groups of an npz are names; an array of objects is named, with the way to save it."""
    days = np.datetime64("2020-01-01") + np.arange(N) // 6
    np.savez(tmp_path / "a.npz", x=windows(), y=labels(), group=days)
    assert bring(tmp_path / "a.npz").array("group")[0] == "2020-01-01"
    np.savez(tmp_path / "b.npz", x=windows(), y=labels().astype(object))
    with pytest.raises(DataError, match="y is an array of Python objects") as error:
        bring(tmp_path / "b.npz")
    assert "y.astype(str)" in error.value.mend
    np.savez(tmp_path / "c.npz", x=windows()[..., None], y=labels())
    with pytest.raises(DataError) as error:
        bring(tmp_path / "c.npz")
    assert "x.squeeze()" in error.value.mend


TIMED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], bool, str]] = {
    "a second clock": (lambda t: t.assign(timestamp=t["time"] + 5), True, "second column of times"),
    "a nameless clock": (lambda t: t.assign(t2=t["time"] + 5), False, "rises by 0.02 from row"),
    "minutes": (
        lambda t: t.assign(time=[f"{int(v) // 60:02d}:{v % 60:05.2f}" for v in t["time"]]),
        True,
        "",
    ),
    "minutes or hours": (lambda t: t.assign(time="01:30"), False, "or of minutes and seconds"),
    "dotted days": (
        lambda t: t.assign(
            time=(
                pd.Timestamp("2020-05-03 23:59:56") + pd.to_timedelta(t["time"], "s")
            ).dt.strftime("%d.%m.%Y %H:%M:%S.%f")
        ),
        True,
        "",
    ),
}


@pytest.mark.parametrize("name", TIMED)
def test_columns_of_times_are_no_channels(tmp_path: Path, name: str) -> None:
    """Second clocks are left out or asked about; minutes and dotted days are read as written."""
    columns, read, said = TIMED[name]
    made = layouts.recording(subjects=2)  # time begins anew with the second
    (made if "clock" in name else layouts.recording(subjects=1, turns=12)).pipe(columns).to_csv(
        tmp_path / "r.csv", index=False
    )
    if not read:
        with pytest.raises(DataError, match=said):
            bring(tmp_path / "r.csv", label="act", group="who", window="1s")
        return
    found = bring(tmp_path / "r.csv", label="act", group="who", window="1s")
    assert (found.card.channels, found.card.rate_hz, found.count) == (("ax", "ay"), 50, 24)
    assert said in " ".join(found.notes)


@pytest.mark.parametrize("place", ["first", "last", "number", "sparse"])
def test_arff_says_which_attribute_is_the_class(tmp_path: Path, place: str) -> None:
    """The nominal attribute is the class wherever it stands; a number at the end is a target."""
    samples = "".join(f"@attribute x{t} numeric\n" for t in range(TIME))
    y = ["-3" if label == "on" else "2" for label in labels()]
    kind = "numeric" if place == "number" else "{-3,2}"
    parts = [samples, f"@attribute y {kind}\n"]
    rows = [[*map(str, window), label] for window, label in zip(windows()[:, 0], y, strict=True)]
    if place == "first":
        parts, rows = parts[::-1], [[row[-1], *row[:-1]] for row in rows]
    lines = [",".join(row) for row in rows]
    lines = [f"{{0 {line}}}" for line in lines] if place == "sparse" else lines
    head = f"@relation a\n{''.join(parts)}@data\n"
    (tmp_path / "a.arff").write_text(head + "\n".join(lines))
    if place == "sparse":
        with pytest.raises(DataError, match="sparse"):
            bring(tmp_path / "a.arff")
        return
    made = bring(tmp_path / "a.arff")
    assert np.allclose(made.array("x"), windows(), atol=1e-5)
    assert made.card.task == ("regression" if place == "number" else "classification")
    assert set(np.asarray(made.array("y")).tolist()) == ({-3, 2} if place == "number" else {0, 1})


def test_a_readme_and_a_folder_around_others(tmp_path: Path) -> None:
    """A readme beside tables is none of them; one folder around the classes is named as it is."""
    path = _people(tmp_path / "people", lambda p: p)
    (path / "README.txt").write_text("hello, this\nis no table\n")
    assert bring(path, label="act", window="1s").count == 72
    layouts.clips(tmp_path / "w", "audio/{label}/{group}_{n}.wav")
    with pytest.raises(DataError) as error:
        bring(tmp_path / "w")
    assert "'audio/{label}/{name}.wav'" in error.value.mend
    assert bring(tmp_path / "w", pattern="audio/{label}/{name}.wav").classes == ("no", "yes")


def test_seisbench_that_is_turned_is_told(tmp_path: Path) -> None:
    """Samples before components, where the file does not say so, are no 200 components."""
    import h5py

    x = layouts.seisbench(tmp_path / "s")
    with h5py.File(tmp_path / "s" / "waveforms.hdf5", "a") as file:
        del file["data_format/dimension_order"], file["data/bucket0"]
        file["data/bucket0"] = x.swapaxes(1, 2)
    listed = tmp_path / "s" / "metadata.csv"
    listed.write_text(listed.read_text().replace(":3,:200", ":200,:3"))
    with pytest.raises(DataError, match="has 200 components of 3 samples"):
        bring(tmp_path / "s")
