"""Verdicts are functions of rows: planted truths come out; without evidence nothing is decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.paper import made
from tsxfer.core.results import Result
from tsxfer.errors import SpecError
from tsxfer.paper import claims, effects, evidence, pages


def _verdicts(rows: list[Result]) -> dict[str, str]:
    return {c.name: c.verdict for c in claims.check_claims(evidence.evidence(rows))}


def _scaled(factor: Callable[[made.Run], float]) -> Callable[[made.Run], float]:
    return lambda run: made.no_effect(run) * (factor(run) if run.source else 1.0)


def test_gains_everywhere_are_supported() -> None:
    """Errors a tenth smaller from every source: raised, harmless, global to local and back."""
    found = _verdicts(made.rows(_scaled(lambda _: 0.9)))
    for name in ("raises", "harmless", "global to local", "local to global"):
        assert found[name] == "supported", name


def test_harm_everywhere_is_contradicted() -> None:
    """Errors a tenth larger from every source."""
    found = _verdicts(made.rows(_scaled(lambda _: 1.1)))
    for name in ("raises", "harmless", "global to local", "local to global"):
        assert found[name] == "contradicted", name


def test_no_effect_is_not_called_a_gain_or_a_difference() -> None:
    """Without any effect nothing is raised, harmed or made to matter."""
    found = _verdicts(made.rows())
    for name in ("raises", "global to local", "source matters", "model matters", "size matters"):
        assert found[name] == "undecided", name
    assert found["harmless"] != "contradicted"


def test_the_best_of_ten_does_not_reach_the_claims() -> None:
    """Noise over the grid makes best-of-the-grid win everywhere; the claims stay undecided."""
    loud = made.rows(lambda run: 1 + 0.1 * made.draw(run))
    assert _verdicts(loud)["raises"] == "undecided"
    assert "24/0 of 24" in pages.study_text(loud)


def test_one_good_source_matters_but_does_not_raise() -> None:
    """A single source that helps makes sources differ, without most pairs being better."""
    found = _verdicts(made.rows(_scaled(lambda run: 0.9 if run.source == "lomax@1" else 1.0)))
    assert found["source matters"] == "supported"
    assert found["global to local"] == "supported"
    assert found["local to global"] == "undecided"
    assert found["raises"] == "undecided"


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("size matters", lambda run: 0.9 if run.size == "n=1500" else 1.0),
        ("model matters", lambda run: 0.9 if run.model == "tcn" else 1.0),
        ("multiplier matters", lambda run: 0.9 + 0.05 * np.log10(run.multiplier)),
    ],
)
def test_planted_differences_matter(name: str, factor: Callable[[made.Run], float]) -> None:
    """An effect of one axis is seen by the claim on that axis."""
    assert _verdicts(made.rows(_scaled(factor)))[name] == "supported"


def _with_speech(better: float, *, loss: str = "squared error") -> list[Result]:
    names = ("lomax@1", "lendb@1", "speech@1")
    rows = made.rows(
        _scaled(lambda run: better if run.target == "speech@1" else 1.0),
        sources=names,
        targets=names,
    )
    return [
        replace(row, loss=loss) if row.trial.reuse and row.trial.dataset == "speech@1" else row
        for row in rows
    ]


def test_larger_gains_of_a_domain_are_seen() -> None:
    """Speech that gains a fifth beside seismology that gains nothing, and the reverse."""
    assert _verdicts(_with_speech(0.8))["speech gains more"] == "supported"
    assert _verdicts(_with_speech(1.2))["speech gains more"] == "contradicted"


def test_gains_on_unequal_losses_decide_nothing() -> None:
    """The same gain measures no transfer where scratch minimised another loss."""
    assert _verdicts(_with_speech(0.8, loss="cross-entropy"))["speech gains more"] == "undecided"


def test_gains_over_baselines_at_chance_decide_nothing() -> None:
    """Scratch that never learned is no baseline, whatever transfer gains over it."""
    rows = [
        replace(row, chance={"mae": 0.9}) if row.trial.dataset == "speech@1" else row
        for row in _with_speech(0.5)
    ]
    found = {c.name: c for c in claims.check_claims(evidence.evidence(rows))}
    assert found["speech gains more"].verdict == "undecided"
    assert "at chance in 4 of 4" in found["speech gains more"].why


def test_a_repeat_at_chance_does_not_reach_the_claims() -> None:
    """A misaligned repeat that flatters transfer is found and left out."""

    def score(run: made.Run) -> float:
        if run.repeat < 6:
            return made.no_effect(run)
        return (9.0 if run.source else 30.0) * made.no_effect(run)

    rows = made.rows(score, repeats=7)
    found = evidence.evidence(rows)
    assert found.gates.drop == (6,)
    assert _verdicts(rows)["raises"] == "undecided"


def test_claims_without_such_rows_are_undecided() -> None:
    """A study of other data sets gives every claim a verdict and no error."""
    rows = made.rows(sources=("one@1", "two@1"), targets=("one@1", "two@1"))
    found = _verdicts(rows)
    assert found["global to local"] == found["speech gains more"] == "undecided"


def test_two_repeats_decide_nothing() -> None:
    """Whatever the effect, too few repeats leave every claim undecided."""
    found = _verdicts(made.rows(_scaled(lambda _: 0.5), repeats=2))
    assert set(found.values()) == {"undecided"}


def test_one_repeat_cannot_be_left_out() -> None:
    """Leaving one run out needs another; the message says that no pair is left."""
    with pytest.raises(SpecError, match="no pair is left"):
        evidence.evidence(made.rows(repeats=1))


def test_log_ratios_by_hand() -> None:
    """Half the error and twice the F1 are the same gain, ln 2."""
    a, b = made.rows(repeats=1)[:2]
    halved = [replace(row, scores={"mae": s}) for row, s in ((a, 1.0), (b, 0.5))]
    doubled = [
        replace(row, metric="macro_f1", scores={"macro_f1": s}) for row, s in ((a, 0.2), (b, 0.4))
    ]
    for s, t in (halved, doubled):
        assert effects.log_gains([(s, t)]) == pytest.approx(np.log(2))


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_the_list_prints(form: str) -> None:
    """Every claim is printed with its verdict."""
    text = pages.claims_text(made.rows(repeats=3), form=form).lower()
    assert sum(text.count(word) for word in ("supported", "contradicted", "undecided")) >= 14
