"""Identity and named chance."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsxfer.core.building import from_plain
from tsxfer.core.sizes import canonical_size
from tsxfer.core.specs import Recipe, Reuse, Trial
from tsxfer.core.strategy import named
from tsxfer.errors import SpecError, TsxferError
from tsxfer.keys import canonical, content_key, plain, stream
from tsxfer.store.rows import Store, from_record, to_line

GOLDEN = Path(__file__).parent / "golden" / "keys.json"


def _trial(name: str = "a@1", repeat: int = 0, **more: object) -> Trial:
    return Trial(name, "tcn", "1500", repeat, **more)  # type: ignore[arg-type]


def test_released_keys_never_change() -> None:
    """The keys of specs that users have rows of stay what they were."""
    for line in json.loads(GOLDEN.read_text()):
        assert content_key(from_plain(Trial, line["trial"])) == line["key"]


def test_rows_of_a_frozen_transfer_are_read_under_the_key_that_stayed() -> None:
    """An early row said frozen beside its strategy; it is the row of the strategy's key by now."""
    line = next(one for one in json.loads(GOLDEN.read_text()) if "before" in one)
    before = line["before"]
    assert content_key(before["trial"]) == before["key"] != line["key"]
    early = {**before, "status": "failed", "metric": "macro_f1"}
    row = from_record(early)
    assert row.key == line["key"]
    assert row.trial == from_plain(Trial, line["trial"])
    assert from_record(json.loads(to_line(row))) == row
    with pytest.raises(TsxferError):
        from_record({**early, "key": "0" * 16})


def test_the_states_of_early_rows_are_counted_for_the_key_that_stayed(tmp_path: Path) -> None:
    """A study with a frozen transfer that was finished is not run again."""
    line = next(one for one in json.loads(GOLDEN.read_text()) if "before" in one)
    early = {**line["before"], "status": "failed", "metric": "macro_f1", "data": {}}
    (tmp_path / "a.jsonl").write_text(json.dumps(early) + "\n")
    assert set(Store(tmp_path).states()) == set(Store(tmp_path).rows()) == {line["key"]}


def test_a_default_given_or_left_out_is_the_same_trial() -> None:
    """Naming a default does not orphan a row."""
    assert _trial(recipe=Recipe(rate=1e-3), profile="strict").key == _trial().key


@given(st.floats(1e-6, 1), st.integers(0, 99), st.booleans())
def test_plain_data_reads_back(rate: float, repeat: int, frozen: bool) -> None:
    """A trial survives its plain form, and its key with it."""
    how = named("frozen" if frozen else "copy")
    trial = _trial(
        repeat=repeat, recipe=Recipe(rate=rate), reuse=Reuse(_trial("b@1"), 0.5, strategy=how)
    )
    again = from_plain(Trial, json.loads(json.dumps(plain(trial))))
    assert again == trial
    assert again.key == trial.key


@given(st.integers(0, 9), st.integers(0, 9))
def test_keys_tell_trials_apart(a: int, b: int) -> None:
    """Two trials share a key exactly when they are equal."""
    assert (_trial(repeat=a).key == _trial(repeat=b).key) == (a == b)


def test_a_stream_depends_on_its_names_alone() -> None:
    """The same names draw the same numbers, and any other name draws others."""
    first = stream("split", "emg@1", 3).random(4).tolist()
    assert first == stream("split", "emg@1", 3).random(4).tolist()
    assert first != stream("split", "emg@1", 4).random(4).tolist()
    assert stream("a", "bc").random() != stream("ab", "c").random()


def test_nan_has_no_canonical_form() -> None:
    """A spec with NaN cannot be keyed, since NaN equals nothing."""
    with pytest.raises(ValueError, match="JSON"):
        canonical({"rate": float("nan")})


def test_an_unknown_name_is_refused_with_a_near_one() -> None:
    """A misspelt field says where it is and what was meant."""
    with pytest.raises(SpecError, match=r"unknown name 'epoch'[\s\S]*epochs"):
        from_plain(Recipe, {"epoch": 3}, "study.toml")


@pytest.mark.parametrize("bad", ["0", "-3", "15OO", "0%", "101%", ""])
def test_a_size_that_is_no_budget_is_refused(bad: str) -> None:
    """Only counts, shares and all are label budgets."""
    with pytest.raises(SpecError, match="label budget"):
        canonical_size(bad)
