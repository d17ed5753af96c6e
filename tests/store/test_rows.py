"""Rows survive torn lines and several writers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rows import study
from tsxfer.errors import StoreError
from tsxfer.store.predictions import of_another
from tsxfer.store.rows import Store, from_record, to_line


def _rows(n: int = 3) -> list:
    return list(study(n, [0.1] * n, [0.2] * n)[1].values())


def test_rows_come_back_from_several_writers(tmp_path: Path) -> None:
    """Reading is the union of all writers' files."""
    rows = _rows()
    for row in rows:
        Store(tmp_path).append(row)
    assert Store(tmp_path).rows() == {row.key: row for row in rows}


@given(cut=st.integers(1, 200))
def test_a_torn_last_line_costs_only_itself(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    """Whatever is cut off the end of a file, the rows before it are read."""
    folder = tmp_path_factory.mktemp("torn")
    store, rows = Store(folder), _rows()
    for row in rows:
        store.append(row)
    file = next(folder.glob("*.jsonl"))
    file.write_bytes(file.read_bytes()[:-cut])
    found = Store(folder)
    assert len(found.rows()) >= len(rows) - 1
    assert len(found.damaged) <= 1


def test_garbage_lines_are_counted_and_left_out(tmp_path: Path) -> None:
    """Bytes that are no row do not hide the rows around them."""
    store, rows = Store(tmp_path), _rows()
    store.append(rows[0])
    with next(tmp_path.glob("*.jsonl")).open("ab") as file:
        file.write(b'\xff\x00{"key": 3}\n[]\n{"a":1}\n')
    store.append(rows[1])
    assert set(store.rows()) == {rows[0].key, rows[1].key}
    assert len(store.damaged) == 3


def test_an_edited_trial_is_not_taken_for_the_old_one() -> None:
    """A row whose trial was changed by hand no longer matches its key."""
    import json

    record = json.loads(to_line(_rows()[0]))
    record["trial"]["repeat"] = 5
    with pytest.raises(StoreError, match="holds the trial"):
        from_record(record)


def test_states_are_those_of_the_rows(tmp_path: Path) -> None:
    """Counting without building rows says the same of done, failed, repeated and torn ones."""
    rows = _rows(4)
    failed = [replace(row, status="failed", error="x") for row in rows]
    for row in (*failed[:3], *rows[:2], failed[0]):
        Store(tmp_path).append(row)
    with next(tmp_path.glob("*.jsonl")).open("ab") as file:
        file.write(b'{"key": "torn\n[]\n' + b"[" * 5000)
    found = Store(tmp_path).rows()
    assert Store(tmp_path).states() == {key: row.status for key, row in found.items()}


def test_of_equal_rows_the_one_whose_predictions_lie_there_is_chosen(tmp_path: Path) -> None:
    """Else the predictions of a repaired row would be missed, and it trained for ever."""
    first = _rows(1)[0]
    second = replace(first, data={"emg@1": "other"})
    third = replace(first, subset="again")
    Store(tmp_path).extend([first, second, third])
    store = Store(tmp_path)
    assert store.rows() == {first.key: first}  # nothing lies there: nothing is known
    assert store.rivals == {first.key}
    (tmp_path / "predictions").mkdir()
    for row in (second, third):
        np.savez(tmp_path / "predictions" / f"{row.key}.npz", row=np.array(row.digest))
        assert store.rows() == {row.key: row}
        assert of_another(tmp_path, first)
        assert not of_another(tmp_path, row)


def test_what_rows_repeat_is_held_once(tmp_path: Path) -> None:
    """A million rows fit, since equal parts are one object; rows stay equal to what was written."""
    rows = _rows(4)
    Store(tmp_path).extend(rows)
    found = list(Store(tmp_path).rows().values())
    assert found == rows
    assert len({id(row.environment) for row in found}) == 1
    assert len({id(row.trial.recipe) for row in found}) == 1


@pytest.mark.parametrize(
    "change",
    [{"group": 3}, {"rule": None}, {"shared_groups": "8"}, {"groups": {"train": 1, "test": "x"}}],
)
def test_a_split_proof_that_reports_cannot_read_is_refused(change: dict) -> None:
    """Counts are whole numbers, and what a group is and how it was split are words."""
    import json

    counts = {"train": 24, "validation": 8, "test": 8}
    proof = {"instances": counts, "groups": counts, "shared_groups": 0, "group": "subject"}
    row = replace(_rows()[0], split=proof)
    assert from_record(json.loads(to_line(row))) == row
    with pytest.raises(StoreError, match="a broken split proof"):
        from_record(json.loads(to_line(replace(row, split=proof | change))))
