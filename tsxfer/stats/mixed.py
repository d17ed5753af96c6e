"""The whole matrix at once: how much sources, targets, pairs and models vary, and the mean gain.

A linear mixed model by restricted likelihood through statsmodels where it can be fitted; components
at zero are dropped one by one, and where nothing fits, a two-way cluster bootstrap takes over and
says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsxfer.keys import stream
from tsxfer.stats.compare import Comparison
from tsxfer.stats.gain import gains as removed

FEWEST = 3  # sources, and targets: below, their variance is a guess
DRAWS = 2000
MOST = 2000  # comparisons of a mixed model: its time grows with their cube, to minutes here
NOTHING, LITTLE = 0.001, 0.15  # standard deviations, relative to the residual's
FLAT = 0.1  # of the log-likelihood: optimisers stop so far from the best; evidence of nothing
COMPONENTS: dict[str, Callable[[Comparison], str]] = {
    "source": lambda c: c.source,
    "target": lambda c: c.trial.dataset,
    "source and target": lambda c: f"{c.source} {c.trial.dataset}",
    "model": lambda c: c.trial.model,
}


@dataclass(frozen=True, slots=True)
class Matrix:
    """Mean gain of a source × target matrix beyond its data sets, as in `gain.gains`.

    Attributes:
        method: ``mixed model`` or ``two-way cluster bootstrap``.
        mean: Gain of an average comparison.
        low: Lower end of the 95 % interval for new sources and targets.
        high: Upper end.
        components: Standard deviation by component, residual included; 0 where it was dropped.
        notes: What had to be left out, and how far the statement reaches.
    """

    method: str
    mean: float
    low: float
    high: float
    components: dict[str, float]
    notes: tuple[str, ...]


def matrix(comparisons: Sequence[Comparison]) -> Matrix | None:
    """Fit the mean gains of all comparisons; None below three sources or three targets."""
    usable = [c for c in comparisons if c.valid and not c.trial.zero_shot]
    sources, targets = {c.source for c in usable}, {c.trial.dataset for c in usable}
    if min(len(sources), len(targets)) < FEWEST:
        return None
    gains = np.array([removed(c).mean() for c in usable])
    notes = [
        f"inference from {len(sources)} sources and {len(targets)} targets to new ones is weak"
    ]
    if len(usable) > MOST:
        notes.append(f"{len(usable):,} comparisons are too many for the mixed model")
        return _bootstrap(usable, gains, notes)
    levels = {name: [of(c) for c in usable] for name, of in COMPONENTS.items()}
    kept = [n for n, v in levels.items() if 1 < len(set(v)) < len(v)]
    while kept:
        fitted = _fit(gains, {n: levels[n] for n in kept})
        if fitted is None:
            notes.append("the mixed model cannot be fitted")
            break
        empty = _idle(gains, {n: levels[n] for n in kept}, fitted)
        if fitted.sound and not empty:
            half = 1.96 * fitted.error
            spread = dict.fromkeys(COMPONENTS, 0.0) | fitted.components
            mean = fitted.mean
            return Matrix("mixed model", mean, mean - half, mean + half, spread, tuple(notes))
        smallest = min(kept, key=lambda n: fitted.components[n])
        kept.remove(smallest)
        why = "no variance was found" if empty else "the fit did not converge with a component"
        notes.append(f"{why} for {smallest}: it is dropped")
    return _bootstrap(usable, gains, notes)


def _idle(gains: NDArray[np.float64], levels: dict[str, list[str]], fitted: _Fitted) -> list[str]:
    """Components at zero, and small ones without which the likelihood is the same."""
    sizes = {name: fitted.components[name] / fitted.components["residual"] for name in levels}
    found = [name for name, size in sizes.items() if size < NOTHING]
    if found:
        return found
    for name in [name for name, size in sizes.items() if size < LITTLE]:
        without = _likelihood(gains, {n: v for n, v in levels.items() if n != name})
        if without > fitted.likelihood - FLAT:
            found.append(name)
    return found


def _likelihood(gains: NDArray[np.float64], levels: dict[str, list[str]]) -> float:
    """Restricted log-likelihood, that of independent gains where no component is left."""
    if levels:
        fitted = _fit(gains, levels)
        return -np.inf if fitted is None else fitted.likelihood
    free = len(gains) - 1
    scale = gains.var(ddof=1)
    return float(-free / 2 * (np.log(2 * np.pi * scale) + 1) - np.log(len(gains)) / 2)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Mean, its standard error, standard deviations by component, and whether to believe them."""

    mean: float
    error: float
    components: dict[str, float]
    likelihood: float
    sound: bool


def _fit(gains: NDArray[np.float64], levels: dict[str, list[str]]) -> _Fitted | None:
    """Restricted likelihood through statsmodels; None where it gives no numbers at all."""
    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM

    names = list(levels)
    frame = pd.DataFrame({f"v{i}": levels[name] for i, name in enumerate(names)})
    frame["gain"] = gains
    parts = {f"v{i}": f"0 + C(v{i})" for i in range(len(names))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is in `sound` and the components
        try:
            model = MixedLM.from_formula(
                "gain ~ 1", groups=np.ones(len(frame)), vc_formula=parts, data=frame
            )
            result: Any = model.fit(reml=True)
            error = float(result.bse_fe.iloc[0])
        except (np.linalg.LinAlgError, ValueError):
            return None
    order = list(model.exog_vc.names)
    found = {
        name: float(np.sqrt(max(0.0, result.vcomp[order.index(f"v{i}")])))
        for i, name in enumerate(names)
    }
    found["residual"] = float(np.sqrt(result.scale))
    sound = bool(result.converged and np.isfinite(error))
    return _Fitted(float(result.fe_params.iloc[0]), error, found, float(result.llf), sound)


def _bootstrap(
    comparisons: Sequence[Comparison], gains: NDArray[np.float64], notes: list[str]
) -> Matrix:
    """Sources and targets are drawn again, each with all its comparisons (pigeonhole bootstrap)."""
    draw = stream("matrix", len(comparisons))
    drawn, members = [], []
    for name in ("source", "target"):
        _, member = np.unique([COMPONENTS[name](c) for c in comparisons], return_inverse=True)
        count = int(member.max()) + 1
        drawn.append(draw.multinomial(count, np.full(count, 1 / count), size=DRAWS))
        members.append(member)
    table = np.zeros((2, drawn[0].shape[1], drawn[1].shape[1]))  # count and sum of every pair
    for part, values in zip(table, (np.ones(len(gains)), gains), strict=True):
        np.add.at(part, tuple(members), values)
    whole, sums = (((drawn[0] @ part) * drawn[1]).sum(axis=1) for part in table)
    means = sums[whole > 0] / whole[whole > 0]
    low, high = np.quantile(means, (0.025, 0.975))
    notes.append("interval from a two-way cluster bootstrap over sources and targets")
    return Matrix(
        "two-way cluster bootstrap", float(gains.mean()), float(low), float(high), {}, tuple(notes)
    )
