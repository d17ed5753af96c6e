"""A user's own file: read by its ending, described by flags or a card, refused with a reason."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsxfer.api.own import prepare_own
from tsxfer.core.cautions import Caution
from tsxfer.data import catalogue
from tsxfer.data.prepare import Prepared, fingerprint
from tsxfer.errors import DataError, SpecError, TsxferError
from tsxfer.own import importing, sizes
from tsxfer.own.content import Description
from tsxfer.own.version import MARK
from tsxfer.store.workspace import Workspace

N, TIME = 60, 16


def _windows(channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((N, channels, TIME)).round(3)


def _table(channels: int = 1) -> pd.DataFrame:
    names = [f"{c}_{t}" for c in "abc"[:channels] for t in range(TIME)]
    table = pd.DataFrame(_windows(channels).reshape(N, -1), columns=names)
    return table.assign(label=["on", "off"] * (N // 2), group=[f"g{i // 6}" for i in range(N)])


def _ts(head: str, labels: list[str], gap: str = "") -> str:
    rows = [",".join(map(str, w[0])) + f":{y}" for w, y in zip(_windows(), labels, strict=True)]
    rows[0] = gap or rows[0]
    return f"@problemName toy\n@timeStamps false\n@univariate true\n{head}\n@data\n" + "\n".join(
        rows
    )


def _bring(path: Path, **said: object) -> Prepared:
    return importing.bring(path, Description(**said), Workspace(path.parent / "space"))  # type: ignore[arg-type]


def test_every_format_gives_the_same_windows(tmp_path: Path) -> None:
    """csv, parquet and npz of the same numbers have the same x, labels and groups."""
    table = _table(2)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "b.parquet")
    names = {"y": table["label"].to_numpy(np.str_), "group": table["group"].to_numpy(np.str_)}
    np.savez(tmp_path / "c.npz", x=_windows(2), **names)
    made = [_bring(tmp_path / name) for name in ("a.csv", "b.parquet", "c.npz")]
    assert made[0].card.channels == ("a", "b")
    assert made[0].card.id.startswith("a+own@")
    for other in made:
        assert np.array_equal(other.array("x"), _windows(2).astype(np.float32))
        assert other.classes == ("off", "on")
        assert len(set(other.array("group").tolist())) == 10
        assert other.card.warnings == ()


def test_sktime_files_are_read(tmp_path: Path) -> None:
    """A .ts file with classes or with numbers is a target; groups are unknown and it says so."""
    (tmp_path / "c.ts").write_text(_ts("@classLabel true on off", ["on", "off"] * (N // 2)))
    made = _bring(tmp_path / "c.ts")
    assert np.allclose(made.array("x")[:, 0], _windows()[:, 0], atol=1e-6)
    assert made.classes == ("off", "on")
    assert made.card.warnings == (Caution.UNGROUPED,)
    (tmp_path / "r.ts").write_text(_ts("@targetLabel true", [str(i / 7) for i in range(N)]))
    assert _bring(tmp_path / "r.ts").card.task == "regression"


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (np.arange(N) % 3, "classification"),
        (np.arange(N), "regression"),
        (np.arange(N) / 7, "regression"),
        (np.arange(N) % 3 / 1.0, "classification"),
    ],
)
def test_the_task_is_inferred_and_can_be_said(
    tmp_path: Path, labels: np.ndarray, task: str
) -> None:
    """Few whole numbers are classes, others numbers; a flag overrules."""
    np.savez(tmp_path / "x.npz", x=_windows()[:, 0], y=labels)
    assert _bring(tmp_path / "x.npz").card.task == task
    assert _bring(tmp_path / "x.npz", task="regression").card.task == "regression"


def test_a_changed_file_or_card_is_another_data_set(tmp_path: Path) -> None:
    """The version follows content and description; an untouched file is not read again."""
    path = tmp_path / "a.csv"
    _table().to_csv(path, index=False)
    first = _bring(path)
    written = (first.folder / "meta.json").stat().st_mtime_ns
    assert _bring(path) == first
    assert (first.folder / "meta.json").stat().st_mtime_ns == written
    (tmp_path / "a.toml").write_text('rate = 50\ngroup = "group"\nmargin = 0.1\n')
    second = _bring(path)
    assert second.card.id != first.card.id
    assert (second.card.rate_hz, second.card.margin) == (50.0, 0.1)
    assert _bring(path, rate=60.0).card.rate_hz == 60.0
    _table().iloc[:-1].to_csv(path, index=False)
    third = _bring(path)
    assert len({first.fingerprint, third.fingerprint, first.card.id, third.card.id}) == 4
    found = catalogue.find(first.card.id, Workspace(tmp_path / "space"))
    assert found.card == first.card
    with pytest.raises(SpecError, match="ambiguous"):
        catalogue.find("a+own", Workspace(tmp_path / "space"))


def _spoilt(case: str) -> pd.DataFrame:
    table = _table()
    if case == "no label":
        return table.drop(columns="label")
    if case == "one class":
        return table.assign(label="on")
    if case == "duplicate":
        return pd.concat([table, table.iloc[:1].assign(group="g9")])
    if case == "rare":
        return table.assign(label=["odd", *table["label"][1:]])
    table = table.astype({"a_3": object})
    cells = {
        "nan": ("a_3", None),
        "inf": ("a_3", np.inf),
        "text": ("a_3", "bad"),
        "empty": ("label", ""),
    }
    if case in cells:
        column, value = cells[case]
        table.loc[4, column] = value
    if case == "short":
        table.loc[4, ["a_14", "a_15"]] = np.nan
    if case == "stranger":
        table["age"] = 3
    return table


SPOILT = {
    "no label": "no column called label",
    "one class": "one class only: on",
    "duplicate": "occur twice",
    "rare": "fewer than 3 windows: odd",
    "nan": "1 of 60 windows have samples that are missing",
    "inf": "1 of 60 windows have a sample that is infinite",
    "text": "'bad' is not a number",
    "empty": "have no label",
    "short": "windows of unequal length: 14 to 16 samples, 1 of 60",
    "stranger": "neither numbered samples nor label nor group: age",
}


@pytest.mark.parametrize("case", SPOILT)
def test_bad_tables_are_refused_with_place_and_mend(tmp_path: Path, case: str) -> None:
    """Each fault is one message; nothing half done is left in the workspace."""
    _spoilt(case).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=SPOILT[case]) as refused:
        _bring(tmp_path / "a.csv")
    assert refused.value.mend
    assert refused.value.where
    assert not list((tmp_path / "space").rglob("meta.json"))


def _npz(case: str, path: Path) -> None:
    x, y = _windows(), np.array(["on", "off"] * (N // 2))
    if case == "objects":
        ragged = np.empty(2, object)
        ragged[:] = [np.zeros(3), np.zeros(4)]
        np.savez(path, x=ragged, y=y[:2])
    elif case == "no x":
        np.savez(path, first=x, second=x, y=y)
    elif case == "short y":
        np.savez(path, x=x, y=y[:-1])
    elif case == "no group":
        np.savez(path, x=x, y=y)
    else:
        path.write_bytes(b"not a zip")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("objects", "unequal length"),
        ("no x", "no array called x"),
        ("short y", "holds 60 windows"),
        ("no group", "no array 'pump'"),
        ("torn", "cannot be read"),
    ],
)
def test_bad_archives_are_refused(tmp_path: Path, case: str, message: str) -> None:
    """Python objects are never unpickled, and shapes must agree."""
    _npz(case, tmp_path / "a.npz")
    with pytest.raises(TsxferError, match=message):
        _bring(tmp_path / "a.npz", group="pump" if case == "no group" else "")


def test_bad_sktime_files_are_refused(tmp_path: Path) -> None:
    """Unequal series, gaps and headers without labels are told."""
    labels = ["on", "off"] * (N // 2)
    (tmp_path / "u.ts").write_text(_ts("@classLabel true on off", labels, "1.0,2.0:on"))
    with pytest.raises(DataError, match="unequal"):
        _bring(tmp_path / "u.ts")
    gap = ",".join(["?", *["1.0"] * (TIME - 1)]) + ":on"
    (tmp_path / "n.ts").write_text(_ts("@classLabel true on off", labels, gap))
    with pytest.raises(DataError, match="NaN"):
        _bring(tmp_path / "n.ts")
    (tmp_path / "h.ts").write_text(_ts("@classLabel false", labels))
    with pytest.raises(DataError, match="declares no labels"):
        _bring(tmp_path / "h.ts")


@pytest.mark.parametrize("text", ["", "label,group,a_0,a_1\n", "label\non\n"])
def test_a_table_without_windows_is_told(tmp_path: Path, text: str) -> None:
    """Empty files, headers alone and single columns give one message."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=r"no readable table|no window") as refused:
        _bring(tmp_path / "a.csv")
    assert refused.value.where


def test_a_misspelt_card_is_told(tmp_path: Path) -> None:
    """Unknown names of a card get a suggestion."""
    _table().to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "a.toml").write_text('lable = "label"\n')
    with pytest.raises(SpecError, match="did you mean label"):
        _bring(tmp_path / "a.csv")


def test_a_size_that_does_not_fit_is_told_before_training(tmp_path: Path) -> None:
    """The message names the largest size that fits."""
    _table().to_csv(tmp_path / "a.csv", index=False)
    made = _bring(tmp_path / "a.csv")
    with pytest.raises(DataError, match="use a size of at most"):
        sizes.refuse_misfit(made, "strict", "n=500")
    assert sizes.sizes_that_fit(made, "strict", ("n=20", "n=500", "all")) == ("n=20", "all")


def test_a_class_that_would_not_be_learned_is_told_before_training(tmp_path: Path) -> None:
    """A class that sits in the groups of another part alone is named."""
    table = _table()
    sides = {}
    for name in table["group"].unique():
        spoilt = table.assign(label=table["label"].mask(table["group"] == name, "odd"))
        path = tmp_path / f"{name}.csv"
        spoilt.to_csv(path, index=False)
        sides[name] = sizes.sizes_that_fit(_bring(path), "strict", ("all",), 3)
    refused = [name for name, sizes in sides.items() if not sizes]
    assert 0 < len(refused) < len(sides)
    with pytest.raises(DataError, match="no window of class odd"):
        sizes.refuse_misfit(_bring(tmp_path / f"{refused[0]}.csv"), "strict", "all")


def test_what_an_older_reading_prepared_is_said_and_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name stays, a note offers ``--again``, and that reads anew and says what changed."""
    path = tmp_path / "mine.csv"
    _table().to_csv(path, index=False)
    space, said = Workspace(tmp_path / "space"), Description(label="label", group="group")
    prepare_own(str(path), said, space, again=True)
    told = capsys.readouterr().out
    assert "read for the first time: nothing had been prepared" in told
    assert "again" not in told
    made = importing.bring(path, said, space)
    assert "--again" not in " ".join(made.notes)
    (made.folder / MARK).unlink()
    old = importing.bring(path, said, space)
    assert (old.card.id, old.fingerprint) == (made.card.id, made.fingerprint)
    assert "tsxfer prepare FILE --again" in " ".join(old.notes)
    np.save(made.folder / "x.npy", np.array(made.array("x")) + 1)
    meta = json.loads((made.folder / "meta.json").read_text())
    other = {"fingerprint": fingerprint(made.folder)}
    (made.folder / "meta.json").write_text(json.dumps(meta | other))
    prepare_own(str(path), said, space, again=True)
    assert "are others now" in capsys.readouterr().out
    new = importing.bring(path, said, space)
    assert (new.notes, new.fingerprint) == (made.notes, made.fingerprint)
    prepare_own(str(path), said, space, again=True)
    assert "are as they were" in capsys.readouterr().out
