"""What a declared analysis binds, and what a failed baseline is worth."""

from dataclasses import replace

import numpy as np
import pytest

from tests.rows import matrix, noise, study
from tsxfer.core.results import Result
from tsxfer.core.specs import Trial
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import Comparison, compare
from tsxfer.stats.lock import Lock, lock
from tsxfer.stats.sequential import boundaries, sequential, spent

Made = tuple[list[Trial], dict[str, Result]]


def _clear(repeats: int = 7, **terms: object) -> Made:
    """A clear gain."""
    a = (0.5 + 0.01 * noise(1, (repeats,))).tolist()
    b = (0.6 + 0.01 * noise(2, (repeats,))).tolist()
    return study(repeats, a, b, **terms)  # type: ignore[arg-type]


def _declared(trials: list[Trial], repeats: int = 7, **terms: object) -> Lock:
    held = lock("s", trials, repeats, {"emg@1": 0.02}, {"emg@1": "macro_f1"})
    return replace(held, **terms)  # type: ignore[arg-type]


def _one(made: Made, declared: Lock | None) -> Comparison:
    trials, rows = made
    stamped = {k: replace(r, analysis=declared.digest) if declared else r for k, r in rows.items()}
    return compare(cells(trials, stamped, partial=True), declared)[0]


def test_scratch_at_chance_is_no_baseline() -> None:
    """A gain over scratch that beats the blind answer by less than the margin is no verdict."""
    assert _one(_clear(chance=0.3), None).verdict == "better"
    lost = _one(_clear(chance=0.49), None)
    assert lost.verdict == "no valid baseline"
    assert any("no valid baseline" in note for note in lost.notes)


def test_a_failed_baseline_helps_no_other_comparison() -> None:
    """Corrected p of the others are those of a family in which it found nothing."""
    gains = np.zeros((2, 2, 1, 7))
    gains[:, 0], gains[0, 1] = 30.0, 1.0
    trials, rows = matrix(["a@1", "b@1"], ["c@1", "d@1"], gains, spread=0.5, twin_spread=0.3)
    bad = {
        k: replace(r, chance={"mae": 10.0}) if r.trial.dataset == "c@1" else r
        for k, r in rows.items()
    }
    sound, lost = compare(cells(trials, rows)), compare(cells(trials, bad))
    by = {(c.source, c.trial.dataset): c for c in lost}
    assert {by[s, "c@1"].verdict for s in ("a@1", "b@1")} == {"no valid baseline"}
    before = next(c for c in sound if (c.source, c.trial.dataset) == ("a@1", "d@1"))
    assert by["a@1", "d@1"].p == before.p
    assert (by["a@1", "d@1"].p_corrected or 0) > (before.p_corrected or 0)


def test_rows_without_their_lock_are_exploratory() -> None:
    """Rows that carry the hash of an analysis that is not there are labelled; others are not."""
    trials, rows = _clear()
    held = _declared(trials)
    stamped = {k: replace(r, analysis=held.digest) for k, r in rows.items()}
    assert "exploratory" not in compare(cells(trials, stamped), held)[0].labels
    assert "exploratory" in compare(cells(trials, stamped))[0].labels
    assert "exploratory" in compare(cells(trials, stamped), replace(held, level=0.1))[0].labels
    assert "exploratory" not in compare(cells(trials, rows))[0].labels


def test_margins_come_from_the_lock() -> None:
    """An edited margin in rows changes nothing where one was declared."""
    made = _clear()
    wide = made[0], {k: replace(r, margin=0.5) for k, r in made[1].items()}
    assert _one(wide, None).margin == 0.5
    assert _one(wide, _declared(made[0])).margin == 0.02


def test_what_is_missing_keeps_its_place() -> None:
    """A family of which one comparison is there is corrected as the family that was declared."""
    made = _clear()
    held = _declared(made[0])
    more = replace(held, primary=(*held.primary, *(f"made up: {i:016d}" for i in range(9))))
    alone, among = _one(made, held), _one(made, more)
    assert among.p_corrected == pytest.approx(10 * (alone.p_corrected or 0))


def test_fewer_repeats_than_declared_decide_nothing() -> None:
    """Three of seven repeats are interim however clear; all of them, or failed ones, are not."""
    made = _clear()
    held = _declared(made[0])
    early = [t for t in made[0] if t.repeat < 4], made[1]
    assert _one(early, held).verdict == "interim"
    assert _one(made, held).verdict == "better"
    failed = {
        k: replace(r, status="failed") if r.trial.repeat > 3 and r.trial.reuse else r
        for k, r in made[1].items()
    }
    assert _one((made[0], failed), held).verdict == "better"


def test_a_declared_look_may_end_the_study() -> None:
    """A clear gain is better at a declared look, where p pays for looking; else it is interim."""
    made = _clear()
    held = _declared(made[0], looks=(4,))
    at_look = [t for t in made[0] if t.repeat < 4], made[1]
    between = [t for t in made[0] if t.repeat < 5], made[1]
    looked, alone = _one(at_look, held), _one(at_look, None)
    assert looked.verdict == "better"
    assert (looked.p or 0) > (alone.p or 0)
    assert _one(between, held).verdict == "interim"


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        (5, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        (3, [3.7103, 2.5114, 1.9930]),
        (2, [2.9626, 1.9686]),
    ],
)
def test_boundaries_are_the_published_ones(looks: int, published: list[float]) -> None:
    """Lan-DeMets boundaries of a two-sided level of 0.05 (Reboussin et al. 2000, ld98)."""
    shares = tuple((i + 1) / looks for i in range(looks))
    assert boundaries(shares, 0.05) == pytest.approx(published, abs=2e-4)


def test_looking_keeps_the_level() -> None:
    """With no effect three looks reject in 5 % of walks, looking at each n in far more."""
    walks = np.cumsum(np.random.default_rng(7).normal(size=(20_000, 12)), axis=1)
    z = np.abs(walks / np.sqrt(np.arange(1, 13)))
    bounds = boundaries((4 / 12, 8 / 12, 1.0), 0.05)
    spending = np.mean((z[:, [3, 7, 11]] >= bounds).any(axis=1))
    assert abs(spending - 0.05) < 0.005
    assert np.mean((z >= 1.96).any(axis=1)) > 0.2


def test_a_sequential_p_is_the_level_at_which_its_boundary_is_met() -> None:
    """At the boundary of level 0.05 the sequential p is 0.05; without looks it is p itself."""
    from scipy.special import ndtr

    for look, bound in zip((5, 10), boundaries((0.5, 1.0), 0.05), strict=True):
        assert sequential(2 * float(ndtr(-bound)), look, (5,), 10) == pytest.approx(0.05, rel=0.01)
    assert sequential(0.03, 10, (), 10) == 0.03
    assert spent(1.0, 0.05) == pytest.approx(0.05)
