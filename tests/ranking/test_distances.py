"""Distances between windows against plain loops, and in the limits that are known."""

import numpy as np
import pytest

from tsxfer.ranking.distances import (
    _aligned_mean,
    barycentre,
    distances,
    dtw_prototypes,
    prototypes,
    spectral,
)

DRAW = np.random.default_rng(0)
SERIES = DRAW.normal(size=(9, 20))


def _dtw(a: np.ndarray, b: np.ndarray) -> float:
    """The recursion, cell by cell."""
    total = np.full((len(a) + 1, len(b) + 1), np.inf)
    total[0, 0] = 0
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            before = min(total[i - 1, j], total[i, j - 1], total[i - 1, j - 1])
            total[i, j] = (a[i - 1] - b[j - 1]) ** 2 + before
    return float(np.sqrt(total[-1, -1]))


def _waves(hertz: float, rate: float, count: int = 30, length: int = 200) -> np.ndarray:
    phase = DRAW.uniform(0, 2 * np.pi, (count, 1))
    time = np.arange(length) / rate
    clean = np.sin(2 * np.pi * hertz * time + phase)
    return (clean + 0.01 * DRAW.normal(size=clean.shape))[:, None]


def test_dtw_is_its_recursion() -> None:
    """All pairs at once equal the loop over cells, for equal and for unequal lengths."""
    a, b = SERIES[:4], SERIES[4:8, :13]
    expected = [_dtw(x, y) for x, y in zip(a, b, strict=True)]
    assert distances(a, b) == pytest.approx(expected)
    assert distances(a, a) == pytest.approx(0)


def test_a_barycentre_lies_nearer_than_any_member() -> None:
    """Each round lowers the summed squared distance; equal series are their own mean."""
    shifted = np.stack([np.sin(np.linspace(s, s + 6, 40)) for s in np.linspace(0, 1, 8)])
    mean = barycentre(shifted)

    def inertia(candidate: np.ndarray) -> float:
        return float(np.sum(distances(np.tile(candidate, (8, 1)), shifted) ** 2))

    assert inertia(mean) <= inertia(_aligned_mean(shifted[0], shifted)) + 1e-9
    assert inertia(mean) < min(inertia(one) for one in shifted)
    assert barycentre(np.tile(SERIES[0], (5, 1))) == pytest.approx(SERIES[0])


def test_an_aligned_mean_is_that_of_the_traced_paths() -> None:
    """One round equals the mean over samples aligned by a plain traceback."""
    mean, sums, counts = SERIES[0], np.zeros(20), np.zeros(20)
    for other in SERIES[1:]:
        total = np.full((21, 21), np.inf)
        total[0, 0] = 0
        for i in range(1, 21):
            for j in range(1, 21):
                before = min(total[i - 1, j], total[i, j - 1], total[i - 1, j - 1])
                total[i, j] = (mean[i - 1] - other[j - 1]) ** 2 + before
        i, j = 20, 20
        while i and j:
            sums[i - 1] += other[j - 1]
            counts[i - 1] += 1
            steps = {(i - 1, j - 1), (i - 1, j), (i, j - 1)}
            i, j = min(steps, key=lambda at: total[at])
    assert _aligned_mean(mean, SERIES[1:]) == pytest.approx(sums / counts)


def test_prototypes_of_a_set_and_itself_do_not_differ() -> None:
    """The distance is 0 to itself, and smaller to like waves than to unlike ones."""
    slow, fast = _waves(1, 100), _waves(9, 100)
    one, codes = np.zeros(30, np.int64), np.arange(30) % 2
    assert prototypes(slow, codes).shape == (2, 64)
    assert dtw_prototypes(slow, codes, slow, codes) == 0
    assert dtw_prototypes(slow, one, _waves(1.1, 100), one) < dtw_prototypes(slow, one, fast, one)
    mixed = np.concatenate([slow, fast])
    assert dtw_prototypes(mixed, np.repeat([0, 1], 30), fast, one) == pytest.approx(0)
    assert np.isfinite(dtw_prototypes(np.zeros((4, 2, 7)), one[:4], slow, one))


def test_spectra_are_compared_in_hertz() -> None:
    """The same wave at another rate, length, scale and channel count is near; another is far."""
    slow = _waves(5, 100)
    again = np.repeat(7 * _waves(5, 50, length=150), 3, axis=1)
    assert spectral(slow, slow, 100, 100) == 0
    assert spectral(slow, again, 100, 50) < 0.4 < 0.8 < spectral(slow, _waves(20, 100), 100, 100)
    assert spectral(slow, again, 100, 50) == pytest.approx(spectral(again, slow, 50, 100))
    assert spectral(slow, slow, 1, 1) == 0
    assert 0.8 < spectral(slow, again, 1, 1) <= 1  # 0.05 and 0.1 cycles a sample


def test_bands_that_do_not_meet_share_nothing() -> None:
    """Days against kilohertz: the largest distance, not an error; silence is no error either."""
    noise = DRAW.normal(size=(5, 1, 50))
    assert spectral(noise, noise, 8000, 1 / 86400) == 1
    assert 0 <= spectral(np.zeros((3, 1, 50)), noise, 10, 10) <= 1
    assert spectral(DRAW.normal(size=(300, 1, 64)), DRAW.normal(size=(300, 2, 64)), 9, 9) < 0.1
