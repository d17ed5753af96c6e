"""Index closes: volatility clustering, heavy tails, and a stated amount of momentum by regime."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.series import Series

WINDOW, DAY, YEAR = 50, 86400.0, 252
OMEGA, ALPHA, BETA, TAIL = 1e-6, 0.08, 0.91, 5.0  # GARCH(1,1) (Bollerslev 1986), Student t 5 df
MOMENTUM = (0.0, 0.45)  # share of yesterday's return that recurs: quiet and trending regime
STAY = 0.99  # daily probability to stay in a regime


def index_closes(count: int, rng: np.random.Generator) -> Series:
    """Fifty closes and the next: 1 × 50 samples a trading day; a group is a year of 252 days.

    Real indices hold far less momentum than the trending regime here; without it nothing but
    "no change" could be learned.
    """
    closes = _closes(count + WINDOW, rng)
    x = np.lib.stride_tricks.sliding_window_view(closes, WINDOW)[:count].astype(np.float32)
    day = np.arange(count)
    start = (day * DAY).astype(np.float64)
    return Series(
        x[:, None, :],
        closes[WINDOW:].astype(np.float32),
        np.char.add("year-", ((day + WINDOW) // YEAR).astype(str)),
        np.char.add("day-", (day + WINDOW).astype(str)),
        1 / DAY,
        start,
        (start + WINDOW * DAY).astype(np.float64),
    )


def _closes(days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    shocks = rng.standard_t(TAIL, days) * np.sqrt((TAIL - 2) / TAIL)
    switch = rng.random(days) > STAY
    returns = np.empty(days)
    variance, last, shock, trending = OMEGA / (1 - ALPHA - BETA), 0.0, 0.0, 0
    for day in range(days):
        trending = 1 - trending if switch[day] else trending
        variance = OMEGA + ALPHA * shock**2 + BETA * variance
        shock = float(np.sqrt(variance) * shocks[day])
        last = 2e-4 * (1 - MOMENTUM[trending]) + MOMENTUM[trending] * last + shock
        returns[day] = last
    # A slow pull to a rising level keeps fifty years within a range of index points.
    level = np.cumsum(returns)
    trend = 1.5e-4 * np.arange(days)
    pulled = level - level * np.linspace(0, 1, days) + trend
    return 100 * np.exp(pulled)
