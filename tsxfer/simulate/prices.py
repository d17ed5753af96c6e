"""Index closes: volatility clustering, heavy tails, and a stated amount of trend by regime."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsxfer.data.series import Series

WINDOW, DAY, YEAR = 50, 86400.0, 252
OMEGA, ALPHA, BETA, TAIL = 1e-6, 0.08, 0.91, 5.0  # GARCH(1,1) (Bollerslev 1986), Student t 5 df
DRIFT = (0.3, 1.5)  # size of the slow drift beside a day's shock: quiet and trending regime
MEMORY = 0.95  # share of the drift that recurs the next day
STAY = 0.99  # daily probability to stay in a regime


def index_closes(count: int, rng: np.random.Generator) -> Series:
    """Fifty closes and the next: 1 × 50 samples a trading day; a group is a year of 252 days.

    Real indices trend far less than the trending regime here; without it nothing but "no change"
    could be learned.
    """
    closes = _closes(count + WINDOW, rng)
    x = np.lib.stride_tricks.sliding_window_view(closes, WINDOW)[:count].astype(np.float32)
    day = np.arange(count)
    start = (day * DAY).astype(np.float64)
    return Series(
        x=x[:, None, :],
        y=closes[WINDOW:].astype(np.float32),
        group=np.char.add("year-", ((day + WINDOW) // YEAR).astype(str)),
        uid=np.char.add("day-", (day + WINDOW).astype(str)),
        rate_hz=1 / DAY,
        time_start=start,
        time_end=(start + WINDOW * DAY).astype(np.float64),
    )


def _closes(days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    shocks = rng.standard_t(TAIL, days) * np.sqrt((TAIL - 2) / TAIL)
    switch = rng.random(days) > STAY
    returns = np.empty(days)
    steps = rng.normal(size=days) * np.sqrt(1 - MEMORY**2)
    variance, drift, shock, trending = OMEGA / (1 - ALPHA - BETA), 0.0, 0.0, 0
    for day in range(days):
        trending = 1 - trending if switch[day] else trending
        variance = OMEGA + ALPHA * shock**2 + BETA * variance
        shock = float(np.sqrt(variance) * shocks[day])
        drift = MEMORY * drift + steps[day]
        returns[day] = 2e-4 + DRIFT[trending] * np.sqrt(variance) * drift + shock
    # A slow pull to a rising level keeps fifty years within a range of index points.
    level = np.cumsum(returns)
    trend = 1.5e-4 * np.arange(days)
    pulled = level - level * np.linspace(0, 1, days) + trend
    return 100 * np.exp(pulled)
