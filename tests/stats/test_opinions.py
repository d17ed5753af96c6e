"""Ranks, probabilities and running times against scipy, published examples and baycomp."""

import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rows import matrix
from tsxfer.stats import bayes, ranks
from tsxfer.stats.cells import cells
from tsxfer.stats.compare import compare
from tsxfer.stats.convergence import running_time

# Demšar (2006), table 6: AUC of C4.5, with and without cf and m tuned, on 14 data sets.
DEMSAR = np.array([
    [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
])  # fmt: skip
NEWER = int(scipy.__version__.split(".")[1]) >= 15  # scipy 1.15 renamed the method
ASYMPTOTIC = "asymptotic" if NEWER else "approx"
GAINS = [0.031, 0.012, -0.004, 0.022, 0.009, 0.015, -0.011, 0.027, 0.006, 0.018, 0.002, 0.013]


def test_friedman_is_demsars_example() -> None:
    """Average ranks 3.143, 2.000, 2.893, 1.964, and scipy's p with its correction for ties."""
    of = np.mean([ranks.average_ranks(-row) for row in DEMSAR], axis=0)
    assert of == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    chi = scipy.stats.friedmanchisquare(*DEMSAR.T).statistic
    f = 13 * chi / (14 * 3 - chi)
    assert ranks.friedman(DEMSAR) == pytest.approx(scipy.stats.f.sf(f, 3, 39))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(4, 12), st.integers(3, 6), st.booleans())
def test_friedman_and_wilcoxon_are_scipys(seed: int, n: int, k: int, ties: bool) -> None:
    """P agree with scipy, with ties and without."""
    table = np.random.default_rng(seed).normal(size=(n, k)) + np.arange(k) * 0.3
    table = np.round(table) if ties else table
    chi = scipy.stats.friedmanchisquare(*table.T).statistic
    if np.isfinite(chi) and chi < n * (k - 1) - 1e-9:
        f = (n - 1) * chi / (n * (k - 1) - chi)
        assert ranks.friedman(table) == pytest.approx(scipy.stats.f.sf(f, k - 1, (k - 1) * (n - 1)))
    d = table[:, 0] - table[:, 1]
    if not ties:
        assert ranks.wilcoxon(d) == pytest.approx(scipy.stats.wilcoxon(d).pvalue)
    elif len(np.unique(np.abs(d[d != 0]))) < np.count_nonzero(d):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # older scipy: few differences
            oracle = scipy.stats.wilcoxon(d[d != 0], method=ASYMPTOTIC, correction=False)
        assert ranks.wilcoxon(d) == pytest.approx(oracle.pvalue)


def test_cliques_are_runs_that_nothing_tells_apart() -> None:
    """Of a, b, c, d with a told from c and d, and b from d: ab, bc and cd."""
    told = {frozenset(p) for p in (("a", "c"), ("a", "d"), ("b", "d"))}
    assert ranks.cliques("abcd", told) == ((0, 1), (1, 2), (2, 3))
    assert ranks.cliques("abc", set()) == ((0, 2),)


def test_a_clear_source_leads_and_a_square_table_is_ranked_all_the_same() -> None:
    """Scratch is a treatment too; a source that is never its own target is compared in pairs."""
    gains = np.zeros((3, 6, 1, 7))
    gains[0] = 4.0
    names = [f"t{i}@1" for i in range(6)]
    table = compare(cells(*matrix(["a@1", "b@1", "c@1"], names, gains, spread=0.3)))
    found = ranks.ranks(table)
    assert found is not None
    assert found.names[0] == "a@1"
    assert found.blocks == 6
    assert {d.first for d in found.duels if "a@1" in (d.first, d.second)} <= {"scratch", "a@1"}
    square = [c for c in table if (c.source, c.trial.dataset) not in {("a@1", "t0@1")}]
    assert ranks.ranks(square) is not None
    duels = ranks.ranks(square).duels  # type: ignore[union-attr]
    duel = next(d for d in duels if (d.first, d.second) == ("scratch", "a@1"))
    assert (duel.blocks, duel.losses) == (5, 5)


def test_the_signed_rank_posterior_is_baycomps() -> None:
    """Baycomp 1.0.3, 200,000 draws, rope 0.01: 0.659 better, 0.341 within, 0.000 worse."""
    found = bayes.signed_rank(np.array(GAINS), 0.01)
    assert found.better == pytest.approx(0.659, abs=0.012)
    assert found.same == pytest.approx(0.341, abs=0.012)
    assert found.worse < 0.001


def test_practical_probabilities_are_students() -> None:
    """The three regions of scipy's t add up to 1."""
    found = bayes.practical(0.012, 0.004, 6, 0.01)
    posterior = scipy.stats.t(6, 0.012, 0.004)
    assert found.better == pytest.approx(posterior.sf(0.01))
    assert found.worse == pytest.approx(posterior.cdf(-0.01))
    assert found.better + found.same + found.worse == pytest.approx(1)


def test_false_sign_rates_are_honest() -> None:
    """Of effects with rates below 0.2, no larger share has the wrong sign; noise shrinks to 0."""
    rng = np.random.default_rng(5)
    truth = np.where(rng.random(3000) < 0.4, rng.normal(0, 3, 3000), 0.0)
    seen = truth + rng.normal(size=3000)
    found = bayes.shrunken(seen, np.ones(3000))
    rate = np.array([one.false_sign for one in found])
    mean = np.array([one.mean for one in found])
    wrong = np.sign(mean) != np.sign(truth)
    assert wrong[rate < 0.2].mean() <= rate[rate < 0.2].mean() + 0.03
    assert (rate < 0.05).sum() > 200
    assert np.mean((mean - truth) ** 2) < 0.7 * np.mean((seen - truth) ** 2)
    noise = bayes.shrunken(rng.normal(size=500), np.ones(500))
    assert max(abs(one.mean) for one in noise) < 0.5


def test_expected_running_time_pays_for_failures() -> None:
    """Two runs reach it after 40 and 60, two use up 100: 300 samples for 2 successes."""
    assert running_time(np.array([40.0, 60.0, 100.0, 100.0]), 0.5) == 150
    assert running_time(np.array([100.0]), 0.0) is None
