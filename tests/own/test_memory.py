"""Data in memory: what arrays, panels and tables become, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tsxfer.api.given import names_of
from tsxfer.errors import TsxferError
from tsxfer.own.description import Description
from tsxfer.own.memory import bring_arrays, bring_table
from tsxfer.store.workspace import Workspace

BLANK = Description()
X = np.random.default_rng(0).normal(size=(60, 2, 16))
Y = np.array(["low", "mid", "high"])[np.arange(60) % 3]
GROUPS = np.arange(60) // 5


def _bring(place: Path, x: Any = X, y: Any = Y, groups: Any = GROUPS, **said: Any) -> Any:
    return bring_arrays("", x, y, groups, Description(**said), Workspace(place))


def test_arrays_are_kept_as_they_are(tmp_path: Path) -> None:
    """Windows, class names and groups come back as given, the rate as said."""
    made = _bring(tmp_path, rate=50.0)
    np.testing.assert_array_equal(np.asarray(made.array("x")), X.astype(np.float32))
    assert [made.classes[code] for code in made.array("y")] == Y.tolist()
    assert np.asarray(made.array("group")).tolist() == GROUPS.astype(str).tolist()
    assert made.card.rate_hz == 50


def test_content_names_a_data_set(tmp_path: Path) -> None:
    """Equal content and words are the same set; another sample, label, group or word is another."""
    first = _bring(tmp_path).card.id
    assert _bring(tmp_path, x=X.copy()).card.id == first
    changed = X.copy()
    changed[3, 1, 7] += 1e-9
    others = [
        _bring(tmp_path, x=changed),
        _bring(tmp_path, y=np.roll(Y, 1)),
        _bring(tmp_path, groups=np.arange(60) // 6),
        _bring(tmp_path, groups=None),
        _bring(tmp_path, margin=0.1),
    ]
    assert len({first, *(made.card.id for made in others)}) == 6


def test_every_form_of_windows_is_the_same_data(tmp_path: Path) -> None:
    """A list of windows, a panel by instance and time, and nested cells are the array."""
    panel = pd.concat({i: pd.DataFrame(X[i].T, columns=["c0", "c1"]) for i in range(60)})
    nested = pd.DataFrame({f"c{c}": [pd.Series(X[i, c]) for i in range(60)] for c in range(2)})
    for x in (list(X), panel, nested):
        made = _bring(tmp_path, x=x)
        np.testing.assert_array_equal(np.asarray(made.array("x")), X.astype(np.float32))
        assert made.card.channels == ("c0", "c1")


def test_unequal_windows_are_refused_or_padded(tmp_path: Path) -> None:
    """Unequal lengths are refused with the word that settles them, and then padded."""
    unequal = [window[:, : 16 - i % 2] for i, window in enumerate(X)]
    with pytest.raises(TsxferError, match="unequal length: 15 to 16"):
        _bring(tmp_path, x=unequal)
    assert _bring(tmp_path, x=unequal, lengths="pad").card.length == 16


def test_a_number_that_stands_for_missing_is_heard(tmp_path: Path) -> None:
    """-999 is refused, and with `nan` said filled in, in arrays and in tables alike."""
    place, x = Workspace(tmp_path), X.copy()
    x[3, 0, 5] = -999
    with pytest.raises(TsxferError, match="-999"):
        _bring(tmp_path, x=x)
    said = Description(nan="-999", missing="interpolate", label="state")
    table = pd.DataFrame(x[:, 0]).assign(state=Y)
    for made in (
        _bring(tmp_path, x=x, nan="-999", missing="interpolate"),
        bring_table("", table, said, place),
    ):
        assert np.asarray(made.array("x")).min() > -10


def test_a_table_is_read_as_a_file_of_it_is(tmp_path: Path) -> None:
    """One window a row, columns of label and group by name."""
    table = pd.DataFrame(X[:, 0]).assign(state=Y, subject=GROUPS)
    said = Description(label="state", group="subject")
    made = bring_table("pumps", table, said, Workspace(tmp_path))
    assert made.card.id.startswith("pumps+own@")
    assert (made.count, made.card.length, made.card.group) == (60, 16, "subject")


PANEL = pd.concat({i: pd.DataFrame(X[i].T) for i in range(60)})
TABLE, LABELS = pd.DataFrame(X[:, 0]), pd.Series(Y)
BAD = {
    "length of y": ((X, Y[:-1], GROUPS), {}, "y holds 59 values, x holds 60 windows"),
    "length of groups": ((X, Y, GROUPS[:-1]), {}, "groups holds 59 values"),
    "words": ((X.astype(str), Y, GROUPS), {}, "not numbers"),
    "one series": ((X[0, 0], Y, None), {}, "one series, not windows"),
    "missing sample": ((np.where(X > 2, np.nan, X), Y, GROUPS), {}, "samples that are missing"),
    "missing label": ((X, [None, *Y[1:]], GROUPS), {}, "1 of 60 windows have no label"),
    "missing group": ((X, Y, [None, *GROUPS[1:]]), {}, "1 of 60 windows have no group"),
    "one class": ((X, ["a"] * 60, GROUPS), {}, "one class only"),
    "two labels a window": ((X, np.stack([Y, Y], 1), GROUPS), {}, "not one value a window"),
    "time first": ((X.transpose(0, 2, 1), Y, GROUPS), {}, "16 channels of 2 samples"),
    "column of an array": ((X, Y, GROUPS), {"label": "y"}, "--label means nothing for arrays"),
    "channels": (([X[0], *X[1:, :1]], Y, GROUPS), {}, "windows of 1 to 2 channels"),
    "no array": ((None, Y, GROUPS), {}, "x is NoneType, not windows"),
    "uneven y": ((X, [[1], [2, 3]] * 30, GROUPS), {}, "y is not one value a window"),
    "objects as groups": ((X, Y, [object()] * 60), {}, "neither text nor a number"),
    "no UTF-8": ((X, np.array([b"\xff", b"\xfe", b"a"] * 20), GROUPS), {}, "no UTF-8"),
    "masked x": ((np.ma.masked_greater(X, 1), Y, GROUPS), {}, "x is a masked array"),
    "masked y": ((X, np.ma.masked_equal(np.arange(60) % 3, 1), GROUPS), {}, "20 masked values"),
    "time of a panel": ((PANEL[::-1], Y, GROUPS), {}, "not in order of time"),
    "order of y": ((TABLE, LABELS[::-1], GROUPS), {}, "index of y holds the names"),
    "order of groups": ((X, LABELS, pd.Series(GROUPS)[::-1]), {}, "index of groups holds"),
    "empty": (([], [], None), {}, "no window"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_arrays_are_refused(fault: str, tmp_path: Path) -> None:
    """What makes no data set is refused with the value shown, and nothing is kept of it."""
    (x, y, groups), said, message = BAD[fault]
    with pytest.raises(TsxferError, match=message):
        _bring(tmp_path, x=x, y=y, groups=groups, **said)
    assert not list((tmp_path / "data").glob("*+own@*"))


def test_days_are_names_of_groups(tmp_path: Path) -> None:
    """Objects whose text is the same tomorrow, such as dates, name groups."""
    days = [date(2026, 1, 1 + int(group)) for group in GROUPS]
    assert np.asarray(_bring(tmp_path, groups=days).array("group"))[0] == "2026-01-01"


def test_bad_tables_are_refused(tmp_path: Path) -> None:
    """A column that is not there is answered with the near ones; two of one name are refused."""
    table, place = pd.DataFrame(X[:, 0]).assign(state=Y), Workspace(tmp_path)
    with pytest.raises(TsxferError, match="no column 'stat'") as refused:
        bring_table("", table, Description(label="stat"), place)
    assert "state" in refused.value.mend
    with pytest.raises(TsxferError, match="the DataFrame has: 0, 1"):
        bring_table("", pd.DataFrame(X[:, 0]), BLANK, place)
    twice = pd.concat([table, table[["state"]]], axis=1)
    with pytest.raises(TsxferError, match="called '0', one as text"):
        bring_table("", table.assign(**{"0": 1.0}), Description(label="state"), place)
    with pytest.raises(TsxferError, match="two columns 'state'"):
        bring_table("", twice, Description(label="state"), place)


def test_what_is_given_is_told_apart(tmp_path: Path) -> None:
    """Names stay names, data in memory becomes a data set, and anything else is refused."""
    place = Workspace(tmp_path)
    assert names_of("target", ["emg", "speech"], BLANK, place) == (["emg", "speech"], 0)
    names, held = names_of("target", ["emg", {"pumps": (X, Y)}], BLANK, place)
    assert (names[0], names[1].startswith("pumps+own@"), held) == ("emg", True, 1)
    for odd in (3, X, (X,), (X, Y, GROUPS, 1)):
        with pytest.raises(TsxferError, match="--target is") as refused:
            names_of("target", odd, BLANK, place)
        assert "(x, y, groups)" in refused.value.mend
