"""Statistics against scipy and statsmodels as oracles, and against simulated truth."""

from collections import Counter
from typing import get_args
from unittest import mock

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tests.rows import noise, study
from tsxfer.errors import ComparisonError
from tsxfer.stats import tests as tests
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import Verdict, compare
from tsxfer.stats.families import benjamini_hochberg, holm

P = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_the_paired_t_test_is_scipys() -> None:
    """P and interval agree with scipy to 1e-10."""
    d = noise(0, (7,)) + 0.5
    ours, oracle = tests.plain_spread(d), scipy.stats.ttest_1samp(d, 0)
    assert tests.t_test(d, ours) == pytest.approx(oracle.pvalue, abs=1e-10)
    assert tests.interval(d, ours) == pytest.approx(
        tuple(oracle.confidence_interval(0.95)), abs=1e-10
    )


def test_one_sided_tests_are_scipys() -> None:
    """Non-inferiority is a shifted one-sided t test, equivalence the worse of two."""
    d, margin = noise(1, (9,)) * 0.1, 0.15
    low = scipy.stats.ttest_1samp(d, -margin, alternative="greater").pvalue
    high = scipy.stats.ttest_1samp(d, margin, alternative="less").pvalue
    spread = tests.plain_spread(d)
    assert tests.non_inferiority(d, spread, margin) == pytest.approx(low)
    assert tests.equivalence(d, spread, margin) == pytest.approx(max(low, high))


def test_sign_flips_are_scipys_permutation_test() -> None:
    """The exact p over all 2^7 patterns agrees with scipy's, and its floor is 2/2^n."""
    d = noise(2, (7,)) + 0.8
    oracle = scipy.stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert tests.sign_flip(d) == pytest.approx(oracle)
    assert tests.sign_flip(np.arange(1.0, 8)) == 2 / 2**7


@settings(deadline=None)
@given(P)
def test_corrections_are_statsmodels(p: list[float]) -> None:
    """Adjusted p agree with statsmodels for any family, and gaps stay gaps."""
    for ours, name in ((benjamini_hochberg, "fdr_bh"), (holm, "holm")):
        with mock.patch("gc.collect"):  # statsmodels collects in each call: half a second here
            oracle = multipletests(p, method=name)[1]
        assert np.allclose(ours(p), oracle)  # type: ignore[arg-type]
        assert ours([*p, None])[-1] is None


def test_hedges_g_and_its_interval() -> None:
    """A worked example: d_z of 1 with n = 10 has g 0.914; the interval covers what made it."""
    d = noise(3, (10,))
    d = (d - d.mean()) / d.std(ddof=1) + 1
    found = tests.hedges_g(d)
    assert found is not None
    g, (low, high) = found
    assert g == pytest.approx(0.914, abs=0.002)
    df, t = 9, np.sqrt(10)
    for end, p in ((low, 0.975), (high, 0.025)):
        assert scipy.stats.nct.cdf(t, df, end / g * np.sqrt(10)) == pytest.approx(p, abs=1e-4)


def test_moderated_variances_lie_between_their_own_and_the_prior() -> None:
    """With many cells a variance is drawn towards the others and gains degrees of freedom."""
    families = [noise(i, (7,)) for i in range(40)]
    own = [tests.plain_spread(d) for d in families]
    shrunk = tests.moderated_spreads(families)
    assert all(s.moderated and s.df > o.df for s, o in zip(shrunk, own, strict=True))
    assert np.std([s.variance for s in shrunk]) < np.std([o.variance for o in own])
    assert not tests.moderated_spreads(families[:5])[0].moderated


def test_null_data_seldom_gets_a_verdict_of_difference() -> None:
    """400 null cells, paired and compared one at a time: 2 to 8 % are called different."""
    called = 0
    for i in range(400):
        a, b = noise(i, (2, 7)) * 0.05 + 0.5
        called += compare(cells(*study(7, a.tolist(), b.tolist())))[0].verdict in (
            "better",
            "worse",
        )
    assert 0.02 * 400 <= called <= 0.08 * 400


def test_a_known_gain_is_found_and_oriented() -> None:
    """A clear gain is better for F1, and the same numbers are worse for an error."""
    a = (0.5 + 0.01 * noise(1, (7,))).tolist()
    b = (0.6 + 0.01 * noise(2, (7,))).tolist()
    assert compare(cells(*study(7, a, b)))[0].verdict == "better"
    flipped = compare(cells(*study(7, a, b, metric="mae")))[0]
    assert flipped.verdict == "worse"
    assert flipped.difference < 0


def test_a_null_result_is_undecided_or_within_the_margin_but_never_equal() -> None:
    """Noise beyond the margin is never called equivalent, noise far within it is, none equal."""
    assert "equal" not in get_args(Verdict)
    wide, tight = _null_verdicts(0.2), _null_verdicts(0.002)
    assert wide["equivalent"] == 0
    assert wide["undecided"] >= 0.85 * 200
    assert tight["equivalent"] >= 0.9 * 200
    assert tight["equivalent"] + tight["better"] + tight["worse"] == 200


def _null_verdicts(deviation: float) -> Counter[str]:
    """Verdicts of 200 null cells with a margin of 0.02."""
    arms = [(deviation * noise(i, (2, 7)) + 0.5).tolist() for i in range(200)]
    return Counter(compare(cells(*study(7, *pair)))[0].verdict for pair in arms)


def test_two_pairs_decide_nothing() -> None:
    """Below three pairs the verdict is undecided and says why."""
    c = compare(cells(*study(2, [0.1, 0.1], [0.9, 0.9])))[0]
    assert c.verdict == "undecided"
    assert "too few repeats" in c.notes[0]


def test_pairs_join_by_key_in_any_order() -> None:
    """Shuffling trials and rows changes nothing."""
    trials, rows = study(5, [0.1, 0.2, 0.3, 0.4, 0.5], [0.2, 0.2, 0.4, 0.4, 0.6])
    backwards = compare(cells(trials[::-1], dict(reversed(rows.items()))))
    assert backwards == compare(cells(trials, rows))


def test_gaps_are_refused_unless_asked_for() -> None:
    """A missing row is an error with a mend; partial keeps the rest and lists the gap."""
    trials, rows = study(4, [0.1] * 4, [0.2] * 4)
    del rows[trials[0].key]
    with pytest.raises(ComparisonError, match="1 of 4 pairs"):
        cells(trials, rows)
    found = cells(trials, rows, partial=True)[0]
    assert len(found.pairs) == 3
    assert "scratch has not run" in found.gaps[0]


@pytest.mark.parametrize("field", ["ledger", "subset", "data"])
def test_pairs_on_unequal_terms_are_refused(field: str) -> None:
    """Another budget, subset or data fingerprint in one arm stops the comparison."""
    from dataclasses import replace

    trials, rows = study(3, [0.1] * 3, [0.2] * 3)
    value = {"ledger": {"steps": 99}, "subset": "other", "data": {"emg@1": "0" * 16}}[field]
    rows[trials[1].key] = replace(rows[trials[1].key], **{field: value})
    with pytest.raises(ComparisonError, match=field):
        cells(trials, rows)


def test_runs_that_never_converge_are_not_dropped() -> None:
    """The published trap: half the scratch runs never arrive, and transfer must come out faster."""
    from dataclasses import replace

    trials, rows = study(6, [0.5] * 6, [0.5] * 6)
    grid = [0.0, 160.0, 320.0, 640.0]
    for trial in trials:
        if trial.reuse:
            score = [0.1, 0.2, 0.9, 0.9]
        else:
            score = [0.1, 0.9, 0.9, 0.9] if trial.repeat % 2 else [0.1, 0.1, 0.1, 0.1]
        rows[trial.key] = replace(rows[trial.key], curve={"samples": grid, "score": score})
    c = compare(cells(trials, rows))[0].convergence
    assert c is not None
    assert c.reached[0] < 1
    assert c.reached[1] == 1
    assert c.saved > 0


def test_a_baseline_at_chance_is_flagged() -> None:
    """Scratch scores around the best constant make a note."""
    c = compare(cells(*study(4, [0.05, 0.06, 0.04, 0.05], [0.5] * 4)))[0]
    assert any("no valid baseline" in note for note in c.notes)
