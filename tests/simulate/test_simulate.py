"""Physics that the simulated data must show, measured without the simulators' code."""

import numpy as np
import pytest

from tsxfer.data import catalogue
from tsxfer.data.series import Series
from tsxfer.testing import check_dataset

NAMES = ("global_eq", "local_eq", "local_eq_ir", "speech", "emg", "finance")


def _make(name: str, count: int = 600) -> Series:
    dataset = catalogue.find(f"{name}+sim")
    assert dataset.simulate is not None
    return dataset.simulate(count, np.random.default_rng(7))


@pytest.mark.parametrize("name", NAMES)
def test_simulators_keep_the_contract(name: str) -> None:
    """Cards, shapes, rates, groups and determinism pass the check that users run."""
    dataset = catalogue.find(f"{name}+sim")
    block = check_dataset(dataset)[0]
    assert block.x.shape[1:] == (len(dataset.card.channels), dataset.card.length)
    assert dataset.card.simulated


def _centroid(x: np.ndarray, rate: float) -> np.ndarray:
    power = np.abs(np.fft.rfft(x)) ** 2
    return (power * np.fft.rfftfreq(x.shape[-1], 1 / rate)).sum(-1) / power.sum(-1)


@pytest.mark.parametrize("name", ["global_eq", "local_eq", "local_eq_ir"])
def test_larger_earthquakes_are_larger_and_lower(name: str) -> None:
    """Magnitude raises the logarithm of the peak and lowers the dominant frequency."""
    s = _make(name)
    peak = np.log10(np.abs(s.x).max(axis=(1, 2)))
    assert np.corrcoef(peak, s.y)[0, 1] > 0.3
    assert np.corrcoef(_centroid(s.x[:, 2], s.rate_hz), s.y)[0, 1] < -0.15


def test_only_one_local_set_is_in_counts() -> None:
    """Counts are integers of thousands; ground motion is a tiny velocity."""
    counts, ground = _make("local_eq").x, _make("local_eq_ir").x
    assert np.array_equal(counts, np.round(counts))
    assert np.median(np.abs(counts).max(axis=(1, 2))) > 100
    assert np.abs(ground).max() < 1


@pytest.mark.parametrize("name", ["local_eq", "local_eq_ir"])
def test_s_shakes_the_horizontals_more_than_p(name: str) -> None:
    """Horizontal over vertical energy is larger late in strong records than right after P."""
    s = _make(name)
    big = s.x[s.y > np.quantile(s.y, 0.7)]
    rate = int(s.rate_hz)
    early, late = big[:, :, 3 * rate : 4 * rate], big[:, :, 6 * rate : 14 * rate]
    ratio = [
        np.median((w[:, :2] ** 2).sum((1, 2)) / (2 * (w[:, 2] ** 2).sum(1))) for w in (early, late)
    ]
    assert ratio[1] > ratio[0]


def test_magnitudes_follow_gutenberg_and_richter() -> None:
    """Small earthquakes outnumber large ones, exponentially within noise."""
    s = _make("local_eq_ir", 4000)
    _, first = np.unique(s.group, return_index=True)
    counts = np.histogram(s.y[first], bins=[2.0, 3.0, 4.0, 5.0])[0]
    assert counts[0] > counts[1] > counts[2] > 0


def test_voices_have_human_pitch() -> None:
    """Autocorrelation of the loudest part finds a period between 75 and 300 Hz in most words."""
    s = _make("speech", 200)
    found = []
    for wave in s.x[:, 0]:
        middle = wave[500:900] - wave[500:900].mean()
        acf = np.correlate(middle, middle, "full")[len(middle) - 1 :]
        lags = np.arange(int(s.rate_hz / 300), int(s.rate_hz / 75))
        found.append(acf[lags].max() / acf[0])
    assert np.mean(np.array(found) > 0.5) > 0.5


def test_words_keep_their_spectrum_across_speakers() -> None:
    """The nearest mean spectrum of half of the speakers names words of the other half."""
    s = _make("speech", 2400)
    bands = np.array_split(np.abs(np.fft.rfft(s.x[:, 0])) ** 2, 24, axis=1)
    level = np.log(np.stack([band.sum(1) for band in bands], 1) + 1e-9)
    level -= level.mean(1, keepdims=True)
    words, speakers = np.unique(s.y), np.unique(s.group)
    known = np.isin(s.group, speakers[::2])
    centres = np.stack([level[known & (s.y == word)].mean(0) for word in words])
    distance = ((level[~known, None] - centres) ** 2).sum(-1)
    right = np.mean(words[distance.argmin(1)] == s.y[~known])
    assert 1.5 / len(words) < right < 0.9


def test_emg_patterns_belong_to_subject_and_gesture() -> None:
    """The electrode pattern of a gesture varies less within a subject than between subjects."""
    s = _make("emg", 4000)
    level = np.log(s.x.std(axis=2) + 0.5)
    level -= level.mean(axis=1, keepdims=True)
    one = level[s.y == "Pinch1"]
    groups = s.group[s.y == "Pinch1"]
    within = np.mean([one[groups == g].var(axis=0).mean() for g in np.unique(groups)])
    assert within < one.var(axis=0).mean()


def test_prices_cluster_and_have_heavy_tails() -> None:
    """Daily returns have excess kurtosis, and their sizes are correlated for weeks."""
    s = _make("finance", 8000)
    r = np.diff(np.log(s.x[:, 0, -1].astype(float)))
    size = np.abs(r) - np.abs(r).mean()
    assert ((r - r.mean()) ** 4).mean() / r.var() ** 2 > 4
    assert np.mean([np.corrcoef(size[:-k], size[k:])[0, 1] for k in range(1, 15)]) > 0.05
