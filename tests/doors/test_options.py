"""Options beside a name: what a file declares, what is refused, and what is in the key."""

from __future__ import annotations

import importlib.util
import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doors.conftest import TRIAL, Write, rows, transfer
from tsxfer.api.settling import resolve
from tsxfer.core.building import from_plain
from tsxfer.core.declared import of_object
from tsxfer.core.doors import HEADS, METHODS, OBJECTIVES, asked, canonical, declared
from tsxfer.core.strategy import Strategy, named, settle
from tsxfer.core.study_files import parse_study, study_toml
from tsxfer.errors import SpecError
from tsxfer.keys import plain
from tsxfer.models import heads
from tsxfer.running.fingerprints import code_of, through_doors
from tsxfer.store.workspace import Workspace
from tsxfer.train import pretext, watched

METHOD = '''
from dataclasses import dataclass, field
from typing import Literal

from tsxfer.train.method import Method, method


@dataclass
class Base(Method):
    every: int = 2
    kept: list = field(default_factory=list)


@method(copied="backbone")
@dataclass
class Mine(Base):
    """Told."""

    strength: float = 1
    way: Literal["near", "far"] = "near"
    on: bool = False

    def __post_init__(self):
        if self.strength < 0:
            raise ValueError("strength is below 0")

    def loss(self, step):
        return step.plain() + self.strength * step.features.square().mean()
'''
OTHERS = """
import torch

from tsxfer.models.heads import head
from tsxfer.train.pretext import objective


@head()
def wide(width, outputs, *, hidden=16):
    return torch.nn.Sequential(torch.nn.Linear(width, hidden), torch.nn.Linear(hidden, outputs))


@objective(metric="rmse", loss="squared error")
class Loud:
    def __init__(self, channels, length, *, power: int = 2):
        self.power = power
"""


@pytest.fixture
def mine(write: Write) -> Path:
    """A folder with a method, a head and an objective that have options."""
    write("others", OTHERS)
    return write("mine", METHOD)


def test_options_are_read_from_the_file_without_running_it(mine: Path) -> None:
    """Fields with a default that a command line can say, inherited ones too; the rest is none."""
    told = [one.words for one in declared(METHODS, "mine")]
    assert told == [
        "every = 2 (int)",
        "strength = 1.0 (float)",
        "way = near (near or far)",
        "on = false (bool)",
    ]
    assert [one.words for one in declared(HEADS, "wide")] == ["hidden = 16 (int)"]
    assert [one.words for one in declared(OBJECTIVES, "loud")] == ["power = 2 (int)"]


def test_an_object_of_another_package_declares_the_same(mine: Path) -> None:
    """An entry point has no file that is read; its class and function say it themselves."""
    for path, name, door in ((mine, "Mine", METHODS), (mine.with_name("others.py"), "wide", HEADS)):
        found = importlib.util.spec_from_file_location("other_package", path)
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        assert of_object(getattr(module, name)) == declared(door, name.lower())


def test_options_have_one_form_and_stand_in_words_and_key(mine: Path) -> None:
    """Order, spelling, and what is at its default change neither name nor key."""
    one, other = named("mine:way=far:strength=2+spread"), named("mine:strength=2.0:way=far+spread")
    assert one == other
    assert hash(one) == hash(other)
    assert one.words == "mine:strength=2.0:way=far+spread"
    assert named(one.words) == one
    assert from_plain(Strategy, json.loads(json.dumps(plain(one)))) == one
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  (as spawned workers get it)
    assert named("mine:strength=1:on=False") == Strategy(method="mine")
    assert transfer("mine:strength=1").key == transfer("mine").key
    assert transfer("mine:strength=1e+3").key != transfer("mine").key
    assert named("mine:strength=1e+3+spread").options == {"strength": 1000.0}


def test_a_study_file_says_options_in_a_table(mine: Path, place: Workspace) -> None:
    """The table, the command line and the file that is written back mean one strategy."""
    text = (
        'sources = ["local_eq"]\ntargets = ["emg"]\ndata = "simulated"\n'
        'objectives = ["labels", "loud:power=2", "loud:power=3"]\n'
        '[recipe]\nhead = "wide:hidden=16"\n'
        '[[strategies]]\nmethod = "mine"\noptions = { strength = 3, on = false }\n'
        '[[strategies]]\nmethod = "l2_sp"\noptions = { anchor = 0.5 }\n'
    )
    study = resolve(parse_study(text, "s", "s.toml"), place)
    assert study.strategies == (named("mine:strength=3"), named("l2_sp:anchor=0.5"))
    assert study.objectives == ("labels", "loud", "loud:power=3")
    assert study.recipe.head == "wide"
    assert parse_study(study_toml(study), "s", "s.toml") == study


def test_a_study_file_may_say_strategies_as_the_command_line_does(mine: Path) -> None:
    """Texts and tables stand side by side, and a wrong text is refused by name."""
    axes = 'sources = ["a"]\ntargets = ["b"]\n'
    listed = 'strategies = ["copy", "mine:strength=3+spread", { learn = "frozen" }]'
    study = parse_study(axes + listed, "s", "s.toml")
    assert study.strategies == (named("copy"), named("mine:strength=3+spread"), named("frozen"))
    one = parse_study(axes + 'strategies = "copy,mine:strength=3"', "s", "s.toml")
    assert one.strategies == (named("copy"), named("mine:strength=3"))
    with pytest.raises(SpecError, match="no option 'strenght'"):
        parse_study(axes + 'strategies = ["mine:strenght=3"]', "s", "s.toml")


REFUSED = {
    "mine:strenght=1": "no option 'strenght'",
    "mine:strength=nan": "strength = nan of method mine is not finite",
    "mine:strength=-inf": "strength = -inf of method mine is not finite",
    "mine:strength=much": "strength = much is not a number",
    "mine:every=2.5": "every = 2.5 is not a whole number",
    "mine:on=yes": "on = yes is not true or false",
    "mine:way=up": "way = up is not one of near, far",
    "mine:strength": "'strength' of 'mine:strength' is no option",
    "mine:every=1:every=2": "says every twice",
    "mine:kept=1": "no option 'kept'",
    "mine+spread:every=1": "options stand before it",
    "minne:every=1": "unknown strategy 'minne'",
    "lora:rank=0": "rank = 0",
    "probe:rank=2": "no option 'rank'",
    "l2_sp:anchor=nan": "anchor = nan of strategy l2_sp is not finite",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_option_is_refused_by_name(mine: Path, text: str) -> None:
    """Unknown, said twice, of another kind, not finite, or where there is none."""
    with pytest.raises(SpecError) as caught:
        named(text)
    assert REFUSED[text] in caught.value.problem
    assert caught.value.mend
    if "strenght" in text:
        assert caught.value.mend.startswith("did you mean strength? its options: every = 2 (int)")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strength": "1"}, "strength = '1' is not a number"),
        ({"strength": True}, "strength = True is not a number"),
        ({"every": 2.0}, "every = 2.0 is not a whole number"),
        ({"every": [2]}, "every = [2] of method mine is list"),
        ({"strength": float("nan")}, "strength = nan of method mine is not finite"),
        ({"way": "near,far"}, "holds a space or one of"),
    ],
)
def test_tables_are_held_to_the_same_kinds(mine: Path, options: dict, said: str) -> None:
    """A study file's values have types, which are not bent to what is declared."""
    with pytest.raises(SpecError) as caught:
        settle(Strategy(method="mine", options=options))
    assert said in caught.value.problem


def test_options_in_the_name_of_a_method_are_not_lost(mine: Path) -> None:
    """A table whose method is in the text form means what the command line means by it."""
    assert settle(Strategy(method="mine:strength=3")) == named("mine:strength=3")
    both = Strategy(method="mine:strength=3", options={"every": 5})
    assert settle(both) == named("mine:strength=3:every=5")
    with pytest.raises(SpecError, match="says strength twice"):
        settle(Strategy(method="mine:strength=3", options={"strength": 4.0}))


def test_options_without_a_method_are_refused() -> None:
    """Beside parts of the package's own they would do nothing."""
    with pytest.raises(SpecError, match="without a method"):
        Strategy(copied="backbone", options={"anchor": 1.0})


def test_the_option_reaches_the_method_and_what_is_not_said_is_as_before(
    mine: Path, place: Workspace
) -> None:
    """Strength 0 is the plain loss to the bit, strength 1 is not; all have the file's hash."""
    ways = ("full", "mine:strength=0", "mine")
    full, none, usual = rows(place, *map(transfer, ways))
    assert {row.status for row in (full, none, usual)} == {"done"}, (none.error, usual.error)
    assert none.scores == full.scores != usual.scores
    assert none.data["method mine.py"] == usual.data["method mine.py"]


def test_a_value_that_the_class_refuses_is_named_with_file_and_line(
    mine: Path, place: Workspace
) -> None:
    """Its own range is said by its own code; the row beside it is done."""
    bad, good = rows(place, transfer("mine:strength=-1"), TRIAL)
    assert (bad.status, good.status) == ("failed", "done")
    assert "method mine:strength=-1.0 fails: ValueError: strength is below 0" in bad.error
    assert f"{mine}, line 25" in bad.error


def test_heads_and_objectives_take_options_by_the_same_text(mine: Path) -> None:
    """Made with them; the hash is the file's, whatever is said beside the name."""
    assert asked(HEADS, "wide:hidden=4") == ("wide", {"hidden": 4})
    assert canonical(HEADS, "wide:hidden=16") == "wide"
    first = next(heads.make("wide:hidden=4", 8, 3).children())
    assert first.out_features == 4
    made = pretext.of("loud:power=3", 2, 64)
    assert isinstance(made, pretext.Watched)
    assert made.inner.power == 3  # type: ignore[attr-defined]
    recipe = replace(TRIAL.recipe, head="wide:hidden=4")
    assert list(code_of(replace(TRIAL, recipe=recipe))) == ["head wide.py"]
    with pytest.raises(SpecError, match="no option 'width'"):
        asked(HEADS, "dense:width=3")


def test_what_was_read_by_one_way_is_not_taken_for_another(mine: Path) -> None:
    """Rows of two strategies on the same data are done by the code of each."""
    doors = [through_doors(transfer(way)) for way in ("copy", "mine", "mine:strength=2")]
    assert doors[0] != doors[1] == doors[2]


def test_one_strategy_in_two_spellings_is_named_twice(mine: Path) -> None:
    """What an option says at its default is the strategy without it, and the message names it."""
    text = 'sources = ["a"]\ntargets = ["b"]\nstrategies = ["mine", "mine:strength=1", "copy"]'
    with pytest.raises(SpecError, match="strategies names one twice: mine, mine"):
        parse_study(text, "s", "s.toml")


def test_a_file_that_is_no_python_is_told_before_a_name_is_unknown(write: Write) -> None:
    """Whatever the file is called: a method in it is not merely mistyped."""
    path = write("others", "@method(\nclass Mine(Method): ...\n")
    with pytest.raises(SpecError, match=r"others.py is not Python") as caught:
        named("mine")
    assert caught.value.where.startswith(f"{path}, line ")


def test_a_method_that_declares_what_cannot_be_said_fails_by_name(write: Write) -> None:
    """A field without a default is the class's fault, not that of who names it."""
    path = write(
        "bare",
        "from dataclasses import dataclass\nfrom tsxfer.train.method import Method, method\n\n\n"
        "@method()\n@dataclass\nclass Bare(Method):\n    strength: float\n",
    )
    with pytest.raises(SpecError, match="bare fails: TypeError") as caught:
        watched.of(named("bare"))
    assert f"{path}, line 7" in caught.value.where
