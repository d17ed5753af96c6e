"""Text tables as they are written: separators, decimals, encodings, packing, headers or none."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.own.made import TIME, bring, labels, table, windows
from tsxfer.errors import DataError

EXPECTED = windows().astype(np.float32)


def _bytes(case: str) -> bytes:
    made, text = table(), table().to_csv(index=False)
    return {
        "tabs": made.to_csv(index=False, sep="\t").encode(),
        "semicolons": made.to_csv(index=False, sep=";", decimal=",").encode(),
        "packed": gzip.compress(text.encode()),
        "blanks": made.to_csv(index=False, sep=" ").encode(),
        "latin": text.replace("s03", "Zoé").encode("latin-1"),
        "sep=": b"sep=,\r\n" + text.encode(),
        "remarks": b"# pumps, 2024\n# raw\n\n" + text.encode(),
        "numpy's header": b"# " + text.encode(),
        "windows lines": text.replace("\n", "\r\n").encode(),
        "utf16": text.encode("utf-16"),
        "bom": text.encode("utf-8-sig"),
    }[case]


NAMES = {"tabs": "a.tsv", "packed": "a.csv.gz", "blanks": "a.txt"}
CASES = (
    "tabs", "semicolons", "packed", "blanks", "latin", "sep=", "remarks", "numpy's header",
    "windows lines", "utf16", "bom",
)  # fmt: skip


def _write(case: str, folder: Path) -> Path:
    return _put(folder / NAMES.get(case, "a.csv"), _bytes(case))


def _put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", CASES)
def test_every_dialect_gives_the_same_windows(tmp_path: Path, case: str) -> None:
    """Separators, decimal commas, encodings and gzip change no number, class or group."""
    made = bring(_write(case, tmp_path), label="y", group="who")
    assert np.array_equal(made.array("x"), EXPECTED)
    assert made.classes == ("off", "on")
    group = made.array("group").tolist()
    assert len(set(group)) == 10
    assert case != "latin" or "Zoé" in group


def test_the_card_of_a_packed_file(tmp_path: Path) -> None:
    """``a.toml`` describes ``a.csv.gz`` as it does ``a.csv``."""
    (tmp_path / "a.toml").write_text('label = "y"\ngroup = "who"\n')
    assert bring(_write("packed", tmp_path)).card.group == "who"


def test_a_byte_order_mark_of_the_card_is_no_fault(tmp_path: Path) -> None:
    """A card as Windows' editor saves it is read."""
    table().to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "a.toml").write_bytes(b'\xef\xbb\xbflabel = "y"\ngroup = "who"\n')
    assert bring(tmp_path / "a.csv").card.group == "who"


def _headerless(folder: Path, first: bool) -> Path:
    codes = (labels() == "on").astype(float)[:, None]
    both = (codes, windows()[:, 0]) if first else (windows()[:, 0], codes)
    np.savetxt(folder / "a.csv", np.hstack(both), delimiter=",", fmt="%.3f")
    return folder / "a.csv"


@pytest.mark.parametrize(("first", "label"), [(True, "0"), (False, "-1"), (False, str(TIME))])
def test_a_table_without_header_is_read_by_position(
    tmp_path: Path, first: bool, label: str
) -> None:
    """No window is lost to a header that is not there; positions count from either end."""
    path = _headerless(tmp_path, first)
    for header in ("", "no"):
        made = bring(path, label=label, header=header)
        assert np.array_equal(made.array("x"), EXPECTED)
        assert made.classes == ("0", "1")
        assert any("no header" in note for note in made.notes) == (not header)


def test_a_name_where_there_is_no_header_is_refused(tmp_path: Path) -> None:
    """The message names the flags that read the file, and they do."""
    with pytest.raises(DataError, match="no header") as refused:
        bring(_headerless(tmp_path, False), label="y")
    assert "--header no --label -1" in refused.value.mend


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Pandas would call the second ``x_3.1`` and add a sample."""
    names = [f"x_{min(t, TIME - 2)}" for t in range(TIME)]
    table(names).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match="two columns are called 'x_14'"):
        bring(tmp_path / "a.csv", label="y", group="who")


def test_a_large_table_is_read_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above a bound the samples lie in a file, in many batches, with the same numbers."""
    monkeypatch.setattr("tsxfer.own.tables.SMALL", 100)
    monkeypatch.setattr("tsxfer.own.streams.BATCH", 1000)
    monkeypatch.setattr("tsxfer.own.survey.BLOCK", 50)
    table().to_csv(tmp_path / "a.csv", index=False)
    made = bring(tmp_path / "a.csv", label="y", group="who")
    assert np.array_equal(made.array("x"), EXPECTED)
    assert not list((tmp_path / "space" / "scratch").iterdir())


def test_a_late_byte_of_latin_is_read_from_the_first_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose end shows that it is no UTF-8 loses and repeats no row."""
    monkeypatch.setattr("tsxfer.own.streams.BATCH", 1000)
    monkeypatch.setattr("tsxfer.own.dialect.HEAD", 500)
    text = table().to_csv(index=False).replace("s09", "Zoé")
    (tmp_path / "a.csv").write_bytes(text.encode("latin-1"))
    made = bring(tmp_path / "a.csv", label="y", group="who")
    assert np.array_equal(made.array("x"), EXPECTED)
    assert "Zoé" in made.array("group").tolist()
    assert any("Latin-1" in note for note in made.notes)
