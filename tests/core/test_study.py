"""Studies expand in order, once each, and one at a time."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest

from tsxfer.core.expansion import expand, trials_of
from tsxfer.core.specs import Recipe
from tsxfer.core.study import Study
from tsxfer.core.study_files import parse_study
from tsxfer.errors import SpecError


def test_ancestors_and_twins_come_first_and_once() -> None:
    """Whatever a trial starts from or is compared with stands before it, and no key comes twice."""
    same = Recipe()  # under one recipe and size, a scratch trial is also a pretraining
    study = Study(
        "s",
        ("a@1", "b@1"),
        ("b@1", "a@1"),
        sizes=("n=300", "all"),
        repeats=3,
        pretrainings=2,
        recipe=same,
        pretraining=same,
    )
    seen: set[str] = set()
    for trial in expand(study):
        assert trial.key not in seen
        if trial.reuse:
            assert {trial.reuse.source.key, trial.twin().key} <= seen
        seen.add(trial.key)


def test_a_large_grid_takes_the_memory_of_its_pretrainings() -> None:
    """50 data sets by 50 by 8 models by 4 sizes by 10 repeats: a thousand trials need a few MB."""
    names = tuple(f"d{n}@1" for n in range(50))
    models = tuple(f"m{n}" for n in range(8))
    sizes = ("n=100", "n=200", "n=300", "n=400")
    study = Study(name="s", sources=names, targets=names, models=models, sizes=sizes, repeats=10)
    tracemalloc.start()
    assert sum(1 for _ in itertools.islice(trials_of(study), 3000)) == 3000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


def test_repeats_start_from_several_pretrainings() -> None:
    """Seven repeats take three pretrainings of a source in turn, not one again and again."""
    study = Study("s", ("a@1",), ("b@1",), sizes=("n=300",), repeats=7, pretrainings=3)
    used = [t.reuse.source.repeat for t in expand(study) if t.reuse]
    assert used == [0, 1, 2, 0, 1, 2, 0]


def test_nothing_to_compare_is_an_error() -> None:
    """A data set is never its own source."""
    with pytest.raises(SpecError, match="nothing to compare"):
        expand(Study("s", ("a@1",), ("a@1",)))


def test_sizes_are_numbers_or_words_in_a_file() -> None:
    """A number of labels may be written without quotation marks, alone or in a list."""
    names = 'sources = ["a@1"]\ntargets = ["b@1"]\n'
    written = parse_study(names + 'sizes = [300, "all"]\nsource_size = 3000', "s", "s.toml")
    assert (written.sizes, written.source_size) == (("n=300", "all"), "n=3000")
    assert parse_study(names + "sizes = 300", "s", "s.toml").sizes == ("n=300",)
