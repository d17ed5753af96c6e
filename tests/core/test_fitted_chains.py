"""Sources that continue from others: how their first kernels are fitted to other channels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.small import filled, job
from tsxfer.core.expansion import expand
from tsxfer.core.specs import Recipe, Trial
from tsxfer.core.strategy import named
from tsxfer.core.study import Study
from tsxfer.errors import SpecError
from tsxfer.running.runner import run
from tsxfer.running.setup import begin
from tsxfer.store.workspace import Workspace
from tsxfer.train import weights
from tsxfer.train.channels import spread

STUDY = Study(
    "s", ("one@1", "eight@1", "nine@1"), ("target@1",), sizes=("n=1500",), repeats=1,
    pretrainings=1, combine=("sequential", "average"), check_start=False,
    channels={"one@1": 1, "eight@1": 8, "nine@1": 8, "target@1": 8},
)  # fmt: skip


def _chained(study: Study) -> list[Trial]:
    return [t for t in expand(study) if t.after is not None]


def test_chains_fit_as_their_transfer_does() -> None:
    """With spread, what continues on other channels spreads; on the same channels nothing does."""
    found = _chained(replace(STUDY, strategies=(named("copy+spread"),)))
    by = {(t.dataset, t.after.dataset, t.fitting) for t in found if t.after}
    assert by == {
        ("eight@1", "one@1", "spread"),
        ("nine@1", "eight@1", "repeat"),
        ("nine@1", "one@1", "spread"),
    }


def test_chains_are_what_they_were_where_no_fitting_is_named() -> None:
    """The plain copy, and independent channels, continue as before, under the same keys."""
    plain = [t.key for t in _chained(STUDY)]
    assert all(t.fitting == "repeat" for t in _chained(STUDY))
    alone = replace(STUDY, strategies=(named("copy+independent"),))
    assert [t.key for t in _chained(alone)] == plain
    both = replace(STUDY, strategies=(named("copy"), named("copy+spread")))
    assert set(plain) < {t.key for t in _chained(both)}


def test_a_fitting_without_a_chain_is_refused() -> None:
    """A trial that continues from nothing has no kernels to fit."""
    with pytest.raises(SpecError, match="continues from no other"):
        Trial("a@1", "tcn", "all", 0, fitting="spread")


def test_the_kernels_are_fitted_so(tmp_path: Path) -> None:
    """Training on eight channels starts from the first source's kernels, spread over them."""
    place = Workspace(tmp_path)
    place.make()
    filled(place, 400, ("emg+sim", "finance+sim"))
    first = Trial("finance+sim@1", "convnetquake", "n=60", 0, Recipe(epochs=1))
    run(job(place, first, keep=True))
    then = Trial("emg+sim@1", "convnetquake", "n=60", 0, Recipe(epochs=1), after=first)
    kernel = "backbone.convolutions.0.weight"
    source = weights.load(place.weights(first.key))[kernel]
    for way, expected in (("spread", spread(source, 8)), ("repeat", source.repeat(1, 8, 1))):
        trial = replace(then, fitting=way)  # type: ignore[arg-type]
        made = dict(begin(trial, place, "cpu").replicas[0].model.named_parameters())
        assert made[kernel].detach().equal(expected)
