"""Strategies as plain data: names, words, and combinations that are refused."""

import json
from dataclasses import replace

import pytest

from tests.rows import study as made_rows
from tsxfer.core.building import from_plain
from tsxfer.core.expansion import expand
from tsxfer.core.specs import OBJECTIVES, Recipe, Reuse, Trial
from tsxfer.core.strategy import STRATEGIES, Strategy, named
from tsxfer.core.study import COMBINATIONS, Study
from tsxfer.core.study_files import read_study, study_toml
from tsxfer.errors import SpecError
from tsxfer.keys import plain
from tsxfer.report.columns import model
from tsxfer.stats.cells import cells, treatment
from tsxfer.stats.compare import compare

PLAIN = Study(
    name="s",
    sources=("a@1", "b@1"),
    targets=("x@1",),
    models=("tcn",),
    sizes=("n=1500",),
    repeats=4,
    source_size="n=9000",
)


@pytest.mark.parametrize("name", [*STRATEGIES, "first_3", "first_2_frozen"])
def test_a_name_is_a_strategy_and_its_words(name: str) -> None:
    """A strategy that was asked for by name is shown by that name, and reads back from a file."""
    held = named(name)
    assert held.words == ("" if name == "copy" else name)
    assert from_plain(Strategy, json.loads(json.dumps(plain(held)))) == held


def test_parts_combine_and_are_spelt_out() -> None:
    """What has no name is shown by what departs from the study's strategy."""
    held = Strategy("backbone", blocks=2, anchor=0.1)
    assert held.words == "copied backbone, blocks 2, anchor 0.1"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"blocks": -1}, "blocks = -1"),
        ({"stage": 0, "learn": "gradual"}, "stage = 0"),
        ({"rate_decay": 0.0}, r"outside \(0, 1\]"),
        ({"anchor": -1.0}, "below 0"),
        ({"learn": "frozen", "anchor": 0.1}, "anchor has no effect"),
        ({"learn": "tuned", "stage": 3}, "stage has no effect"),
        ({"learn": "probe", "rank": 2}, "rank has no effect"),
    ],
)
def test_idle_or_impossible_parts_are_refused(fields: dict, message: str) -> None:
    """No part of a strategy can be given without doing what it says."""
    with pytest.raises(SpecError, match=message):
        Strategy(**fields)


def test_an_unknown_strategy_is_answered_with_a_near_one() -> None:
    """A slip of the key gets the name that was meant."""
    with pytest.raises(SpecError, match="gradual"):
        named("gradul")
    with pytest.raises(SpecError, match="unknown strategy"):
        named("first_0")


def test_the_default_strategy_changes_no_key() -> None:
    """Rows of transfers from before strategies stay found."""
    trial = Trial("x@1", "tcn", "1500", 0, reuse=Reuse(Trial("a@1", "tcn", "all", 0)))
    assert "strategy" not in json.dumps(plain(trial))
    assert replace(trial, reuse=replace(trial.reuse, strategy=Strategy())).key == trial.key


def test_each_way_is_a_treatment_of_the_same_twin() -> None:
    """Strategies, objectives and combinations multiply transfers, never scratch runs."""
    strategies = (Strategy(), named("probe"), named("first_2"))
    wide = replace(PLAIN, strategies=strategies, objectives=OBJECTIVES, combine=("average",))
    plain_twins = {t.key for t in expand(PLAIN) if t.size == "n=1500" and t.reuse is None}
    trials = expand(wide)
    transfers = [t for t in trials if t.reuse]
    assert {t.twin().key for t in transfers} == plain_twins
    ways = {(t.source, t.reuse.strategy.words) for t in transfers if t.reuse}
    assert len(ways) == len({treatment(t).key for t in transfers}) == 3 * 3 * 3
    assert {t.key for t in expand(PLAIN)} <= {t.key for t in trials}


@pytest.mark.parametrize("how", COMBINATIONS)
def test_what_a_combined_source_starts_from_comes_first(how: str) -> None:
    """Every ancestor stands before its descendant, and none is taken for a comparison."""
    trials = expand(replace(PLAIN, combine=(how,), sources=("a@1", "b@1", "c@1")))  # type: ignore[arg-type]
    place = {t.key: i for i, t in enumerate(trials)}
    for trial in trials:
        assert all(place[origin.key] < place[trial.key] for origin in trial.origins)
    combined = [t for t in trials if t.reuse and len(t.datasets) > 2]
    assert len(combined) == 4
    words = {
        "pooled": "a@1 + b@1 + c@1",
        "sequential": "a@1 > b@1 > c@1",
        "average": "a@1 & b@1 & c@1",
    }
    assert {t.source for t in combined} == {words[how]}
    assert all(t.reuse is None for t in trials if t.after or t.pool)


def test_averaged_sources_grew_from_the_first() -> None:
    """Weights of different starts cannot be averaged, so the others continue from the first."""
    trial = next(
        t for t in expand(replace(PLAIN, combine=("average",))) if t.reuse and t.reuse.also
    )
    assert trial.reuse is not None
    assert [t.after for t in trial.reuse.also] == [trial.reuse.source]


def test_a_study_of_everything_reads_back_from_its_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The file that ``--save-study`` writes means the same trials."""
    wide = replace(
        PLAIN,
        strategies=(Strategy(), named("lora")),
        objectives=("labels", "masked"),
        combine=COMBINATIONS,
        baselines=("trivial", "strong"),
        controls=("permuted", "shuffled"),
    )
    path = tmp_path / "s.toml"
    path.write_text(study_toml(wide))
    again = read_study(path)
    assert again == wide
    assert [t.key for t in expand(again)] == [t.key for t in expand(wide)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategies": (Strategy(), Strategy())}, "names one twice"),
        ({"objectives": ()}, "no objectives"),
        ({"pretraining": Recipe(objective="masked")}, "objectives ="),
        ({"frozen": True, "strategies": (named("probe"),)}, "both say"),
        ({"objectives": ("masked",), "combine": ("pooled",)}, "pooled"),
    ],
)
def test_a_thing_said_twice_or_in_vain_is_refused(changes: dict, message: str) -> None:
    """One thing has one place in a study file."""
    with pytest.raises(SpecError, match=message):
        replace(PLAIN, **changes)


def test_tables_tell_ways_apart() -> None:
    """Two treatments of one source never look the same in a table."""
    trials, rows = made_rows(3, [0.5, 0.6, 0.55], [0.6, 0.7, 0.62])
    probe = [replace(t, reuse=replace(t.reuse, strategy=named("probe"))) for t in trials if t.reuse]
    more = {
        t.key: replace(rows[o.key], trial=t)
        for t, o in zip(probe, [t for t in trials if t.reuse], strict=True)
    }
    found = compare(cells([*trials, *probe], rows | more))
    assert [model(c) for c in found] == ["convnetquake", "convnetquake probe"]


def test_controls_of_unlabelled_sources_shuffle_nothing() -> None:
    """A source that sees no labels has no placebo of shuffled labels; the other controls it has."""
    trials = expand(replace(PLAIN, objectives=("masked",), controls=("permuted", "shuffled")))
    assert {t.control for t in trials if t.reuse} == {"", "permuted"}


def test_frozen_has_one_key_however_it_is_asked_for() -> None:
    """A study that says frozen is the study whose strategies say so: the same trials and keys."""
    said = expand(Study("s", ("a@1",), ("b@1",), frozen=True, repeats=2))
    written = expand(Study("s", ("a@1",), ("b@1",), strategies=(named("frozen"),), repeats=2))
    assert [t.key for t in said] == [t.key for t in written]
    assert any(t.reuse and t.reuse.frozen and t.reuse.still for t in said)
