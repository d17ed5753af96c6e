"""A trial that was cut off in its training is taken up by the next run; its row is the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.running.test_runner import SCRATCH, SOURCE, place
from tests.small import job
from tsxfer.core.results import Result
from tsxfer.core.specs import Reuse, Trial
from tsxfer.core.strategy import Strategy
from tsxfer.running import runner, unfinished
from tsxfer.running.runner import run
from tsxfer.running.supply import Shared, Supply
from tsxfer.store.rows import Store
from tsxfer.store.workspace import Workspace
from tsxfer.train.loop import turns
from tsxfer.train.midway import Midway
from tsxfer.train.stacked.stepper import Stacked

__all__ = ["place"]  # a fixture
TINY = replace(
    SCRATCH, size="n=60", recipe=replace(SCRATCH.recipe, epochs=4, tune=(0.5, 1.0), augment="light")
)
OFTEN = 1e-9  # minutes: each epoch


class _CutError(Exception):
    """The process ended here."""


def _numbers(row: Result) -> Result:
    return replace(row, cost={n: v for n, v in row.cost.items() if n not in ("seconds", "state")})


def _cut(place: Workspace, trial: Trial, epochs: int, patch: pytest.MonkeyPatch) -> None:
    """Train it in a process that ends after so many epochs."""
    kept, done = Midway.epoch_done, list[int]()

    def once(self: Midway) -> None:
        kept(self)
        done.append(1)
        if len(done) == epochs:
            raise _CutError

    with patch.context() as here:
        here.setattr(Midway, "epoch_done", once)
        with pytest.raises(_CutError):
            run(replace(job(place, trial), checkpoint=OFTEN))


def test_a_trial_goes_on_where_it_was_cut_off(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row equals that of a run in one go, tries of tuning included, and says so."""
    expected = run(job(place, TINY))
    _cut(place, TINY, 3, monkeypatch)
    row = run(replace(job(place, TINY), checkpoint=10))
    assert row.cost["state"] == "resumed after epoch 3"
    assert _numbers(row) == _numbers(expected)
    assert "state" not in expected.cost


def test_another_setting_begins_anew(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads change the last bits of sums: a state of one is not taken up with two."""
    environment = runner._environment
    trial = replace(TINY, repeat=1)
    _cut(place, trial, 2, monkeypatch)
    monkeypatch.setattr(runner, "_environment", lambda: environment() | {"threads": "2"})
    row = run(replace(job(place, trial), checkpoint=10))
    assert row.cost["state"] == "state on disk not used: of other threads"


def test_the_state_goes_when_the_row_is_stored(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before: a process that ends between the two has lost nothing."""
    trial = replace(TINY, repeat=2)
    _cut(place, trial, 2, monkeypatch)
    folder = place.root / "unfinished"
    left = folder / f"{trial.key}.x.partial"
    left.touch()
    pack = (replace(job(place, trial), checkpoint=10),)
    supply = Supply([pack], Shared.of(place, Store.of(place, "unfinished")))
    assert supply.take() == pack
    run(pack[0])
    assert len(list(folder.glob(f"{trial.key}.*"))) == 2
    supply.finish(pack)
    supply.close()
    assert not list(folder.glob(f"{trial.key}.*"))


def test_what_a_state_cannot_hold_is_refused_with_words(place: Workspace) -> None:
    """Stacks and methods with hooks are not kept; what the package trains in turns is."""
    assert unfinished.refusal([TINY], place, turns) == ""
    shipped = Reuse(Trial("speech_test_list+zoo@1", TINY.model, "all", 0))
    assert unfinished.refusal([replace(TINY, reuse=shipped)], place, turns) == ""
    assert "not taken in turns" in unfinished.refusal([TINY], place, Stacked())
    hooked = replace(SCRATCH, reuse=Reuse(SOURCE, strategy=Strategy(method="bss")))
    assert "method bss" in unfinished.refusal([hooked], place, turns)
