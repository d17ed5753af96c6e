"""The terms of the published study (Otović et al. 2022), for who imports or repeats it."""

from __future__ import annotations

from tsxfer.core.specs import Recipe

# Section 3.2: the budget and schedule of every training, pretraining included.
RECIPE = Recipe(
    rate=1e-3,
    batch=32,
    epochs=250,
    patience=10,
    plateau_factor=0.2,
    plateau_patience=4,
    min_rate=5e-7,
    plateau_delta=1e-4,
)
# Section 3.1: the grid of rates of the copied layers.
MULTIPLIERS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
