"""Identity and named chance."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsxfer.core.building import from_plain
from tsxfer.core.specs import Recipe, Reuse, Trial, canonical_size
from tsxfer.errors import SpecError
from tsxfer.keys import canonical, content_key, plain, stream

GOLDEN = Path(__file__).parent / "golden" / "keys.json"


def _trial(name: str = "a@1", repeat: int = 0, **more: object) -> Trial:
    return Trial(name, "tcn", "1500", repeat, **more)  # type: ignore[arg-type]


def test_released_keys_never_change() -> None:
    """The keys of specs that users have rows of stay what they were."""
    for line in json.loads(GOLDEN.read_text()):
        assert content_key(from_plain(Trial, line["trial"])) == line["key"]


def test_a_default_given_or_left_out_is_the_same_trial() -> None:
    """Naming a default does not orphan a row."""
    assert _trial(recipe=Recipe(rate=1e-3), profile="strict").key == _trial().key


@given(st.floats(1e-6, 1), st.integers(0, 99), st.booleans())
def test_plain_data_reads_back(rate: float, repeat: int, frozen: bool) -> None:
    """A trial survives its plain form, and its key with it."""
    trial = _trial(repeat=repeat, recipe=Recipe(rate=rate), reuse=Reuse(_trial("b@1"), 0.5, frozen))
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
