"""Boards rank sources and models over targets, and say how sure that is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.exchange.made import CHANNELS, STUDY, made
from tsxfer.exchange.board import _drawn, boards
from tsxfer.exchange.words import board_markdown


def test_the_better_source_stands_first(tmp_path):
    """Sources are ordered by the mean share of error that they take away, with their controls."""
    study = replace(STUDY, sources=("speech@1", "uci_emg@1"), channels=CHANNELS)
    gain = {"speech@1": 0.10, "uci_emg@1": 0.02}

    def score(trial):
        more = gain[trial.reuse.source.dataset] if trial.reuse and not trial.control else 0.0
        return 0.5 + more + 0.001 * trial.repeat * (1 + bool(trial.reuse))

    sources, strategies, models = boards(made(tmp_path, study=study, of=score))
    assert [entry.name for entry in sources.entries] == ["speech@1", "uci_emg@1"]
    assert sources.entries[0].mean == pytest.approx(0.10 / 0.5, abs=0.01)
    assert sources.entries[0].beyond["untrained"] == pytest.approx(0.2, abs=0.02)
    assert [entry.name for entry in strategies.entries] == ["copy"]
    assert [entry.name for entry in models.entries] == ["convnetquake"]
    assert sources.entries[0].low is None  # one target
    assert "no interval" in board_markdown(sources)
    assert "nothing to rank" in board_markdown(models)


def test_ranks_are_sure_where_targets_agree_and_wide_where_they_do_not():
    """Of two names, one always ahead has the rank interval 1 to 1; coin flips have 1 to 2."""
    flips = np.tile([0.1, -0.1], 4)
    for table, last in (
        (np.array([np.full(8, 0.1), np.zeros(8)]), 1),
        (np.array([flips, -flips]), 2),
    ):
        _, ranks = _drawn(table, "test")
        assert np.nanquantile(ranks[:, 0], (0.025, 0.975), method="nearest").tolist() == [1, last]


def test_a_name_without_a_target_is_ranked_on_the_others():
    """A source is never its own target: its mean is over the targets that it has."""
    table = np.array([[np.nan, 0.2, 0.2], [0.1, 0.1, np.nan]])
    means, ranks = _drawn(table, "test")
    assert np.nanmax(np.abs(means - [0.2, 0.1])) < 1e-9
    assert set(ranks[np.isfinite(ranks)].tolist()) <= {1.0, 2.0}
