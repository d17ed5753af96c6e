"""A training that was cut off between two epochs goes on, bit for bit as if it had not been."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.train.test_stacked import RECIPE, _replica
from tsxfer.core.strategy import named
from tsxfer.errors import StoreError
from tsxfer.train.loop import Fit, Rules, fit, turns
from tsxfer.train.midway import Midway, unpack

LONGER: tuple[tuple[str, bool, dict[str, Any]], ...] = (
    ("magnet", False, {"strategy": named("lp_ft")}),
    ("resnet", True, {"strategy": named("lp_ft")}),
    ("inception_time", False, {"strategy": named("renorm")}),
    ("tcn", True, {"strategy": named("lora")}),
    ("mlstm_fcn", True, {"objective": "contrastive"}),
)
# A plateau and stops come within six epochs: rates have fallen, and one replica may be over.
RULES = Rules(replace(RECIPE, epochs=6, patience=3, plateau_patience=1, rate=3e-3))
SHORT = replace(RULES, recipe=replace(RULES.recipe, epochs=2))
STARTS: tuple[tuple[str, bool, dict[str, Any]], ...] = (
    ("magnet", True, {"augment": True}),
    ("mlstm_fcn", False, {"strategy": named("gradual")}),
    ("convnetquake", False, {"strategy": named("l2_sp"), "augment": True}),
    ("convnetquake", False, {"objective": "masked"}),
    *(pytest.param(name, drop, how, marks=pytest.mark.slow) for name, drop, how in LONGER),
)


class _CutError(Exception):
    """The process ended here."""


class _Cut(Midway):
    """Keeps each epoch, and ends the process after one of them."""

    last = 0

    def epoch_done(self) -> None:
        """Count, keep, and end."""
        super().epoch_done()
        self.last -= 1
        if not self.last:
            raise _CutError


def _trained(keeper: Midway | None, rules: Rules, name: str, **how: Any) -> tuple[list[Fit], Any]:
    pack = [_replica(name, number, **how) for number in range(2)]
    late = [{n: 4 * epoch for n, epoch in one.thaws.items()} for one in pack]  # after the cuts
    pack = [replace(one, thaws=thaws) for one, thaws in zip(pack, late, strict=True)]
    fits = fit(pack, rules, turns, keeper)
    return fits, [one.model.state_dict() for one in pack]


def _cut(path: Path, epochs: int, rules: Rules, name: str, **how: Any) -> None:
    keeper = _Cut(path, 0, {})
    keeper.last = epochs
    with pytest.raises(_CutError):
        _trained(keeper, rules, name, **how)


def _equal(one: list[dict[str, Tensor]], other: list[dict[str, Tensor]]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a) for a, b in pairs)


@pytest.mark.parametrize(("name", "always_drop", "how"), STARTS)
def test_what_was_cut_off_twice_ends_with_the_same_bits(
    tmp_path: Path, name: str, always_drop: bool, how: dict[str, Any]
) -> None:
    """Weights, curve, steps, best epoch and what was learned equal those without a cut."""
    rules = replace(RULES, always_drop=always_drop)
    expected, weights = _trained(None, rules, name, **how)
    path = tmp_path / "a.state"
    _cut(path, 1, rules, name, **how)
    _cut(path, 2, rules, name, **how)
    keeper = Midway(path, 1e9, {})
    found, others = _trained(keeper, rules, name, **how)
    assert keeper.said == "resumed after epoch 3"
    assert found == expected
    assert _equal(others, weights)


def test_rates_and_stops_are_part_of_the_state(tmp_path: Path) -> None:
    """A replica whose rate has fallen, beside one that stops before the end, is as it was."""
    rules = replace(RULES, recipe=replace(RULES.recipe, patience=2))
    fits, _ = _trained(None, rules, "convnetquake")
    assert min(one.steps for one in fits) < max(one.steps for one in fits)
    path = tmp_path / "a.state"
    rates: list[float] = []

    class Seen(Midway):
        def take_up(self, runs: Any) -> None:
            super().take_up(runs)
            rates.extend(min(run.rates().values()) for run in runs)

    _cut(path, 4, rules, "convnetquake")
    assert _trained(Seen(path, 1e9, {}), rules, "convnetquake")[0] == fits
    assert min(rates) < RULES.recipe.rate


def test_a_damaged_state_costs_time_alone(tmp_path: Path) -> None:
    """It is said, and the training begins anew with the same bits."""
    path = tmp_path / "a.state"
    _cut(path, 1, RULES, "convnetquake")
    whole = path.read_bytes()
    for spoiled in (whole[:0], whole[:900] + bytes([whole[900] ^ 1]) + whole[901:], b"state"):
        with pytest.raises(StoreError, match="damaged"):
            unpack(spoiled)
    path.write_bytes(whole[: len(whole) // 2])
    keeper = Midway(path, 1e9, {})
    assert _trained(keeper, RULES, "convnetquake")[0] == _trained(None, RULES, "convnetquake")[0]
    assert keeper.said == "state on disk not used: damaged"


def test_a_state_of_another_training_is_not_taken_up(tmp_path: Path) -> None:
    """Other versions, other weights to start from, other data: each is named."""
    path = tmp_path / "a.state"
    _cut(path, 1, RULES, "convnetquake")
    newer = Midway(path, 1e9, {"torch": "99"})
    _trained(newer, RULES, "convnetquake")
    assert newer.said == "state on disk not used: of other torch"
    weights = Midway(path, 1e9, {})
    _trained(weights, RULES, "convnetquake", strategy=named("full"))
    assert "scores before training, starting weights" in weights.said


def test_what_may_not_be_kept_is_said_once_it_was_due(tmp_path: Path) -> None:
    """A short training says nothing; a disk that refuses ends nothing."""
    ticks = itertools.count(0.0, 10.0)
    refused = Midway(tmp_path / "a.state", 15.0, {}, "why", lambda: next(ticks))
    _trained(refused, SHORT, "convnetquake")
    assert refused.said == "no state kept: why"
    short = Midway(tmp_path / "a.state", 1e9, {}, "why")
    _trained(short, SHORT, "convnetquake")
    assert short.said == ""
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    full = Midway(tmp_path / "file" / "a.state", 0, {})
    _trained(full, SHORT, "convnetquake")
    assert "no state kept: File exists" in full.said
