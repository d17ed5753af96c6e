"""What a study of so many repeats can find: smallest paired effects at 80 % power, by family."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import nctdtr, stdtrit

from tsxfer.stats.sequential import at_last
from tsxfer.stats.tests import MODERATED_FROM

POWER = 0.8
REAL = 0.3  # share of the cells assumed to differ when a level under Benjamini–Hochberg is foreseen
RARE = 0.05  # another share, for which the power at the same effect is stated
PRIOR_DF = 6.0  # degrees of freedom that moderation lends, as simulated in the design


@dataclass(frozen=True, slots=True)
class Reach:
    """What one family of tests can find.

    Attributes:
        family: ``primary`` (the table), ``overall``, ``sizes`` or ``pairs`` (headline contrasts).
        tests: Hypotheses in it.
        correction: How its p are corrected.
        level: Two-sided level that a single test must meet, as foreseen; after looks, the last one.
        effect: Smallest mean difference found with 80 % power, in standard deviations of one
            paired difference; None where the test cannot reject at all.
        rare: Power at that effect where a share of `RARE` differs instead of `REAL`, which makes
            Benjamini-Hochberg stricter; None where the share does not matter.
    """

    family: str
    tests: int
    correction: str
    level: float
    effect: float | None
    rare: float | None = None


def reach(
    repeats: int,
    cells: int,
    sizes: int,
    pairs: int,
    level: float = 0.05,
    looks: tuple[int, ...] = (),
) -> tuple[Reach, ...]:
    """The families of a study; a family of no test is left out.

    Args:
        repeats: Planned.
        cells: Comparisons.
        sizes: Label budgets.
        pairs: Of source and target.
        level: Of each family.
        looks: Declared numbers of repeats at which the study may be judged before all are in; what
            they spend is missing at the end, where power is stated: a look before only adds to it.
    """

    def left(a: float) -> float:
        return at_last(a, looks, repeats)

    families = (
        ("primary", cells, "Benjamini-Hochberg", expected_level(cells, level)),
        ("overall", 1, "Holm", level),
        ("sizes", sizes if sizes > 1 else 0, "Holm", level / max(1, sizes)),
        ("pairs", pairs if pairs > 1 else 0, "Holm", level / max(1, pairs)),
    )
    extra = {"primary": PRIOR_DF if cells >= MODERATED_FROM else 0.0}
    return tuple(
        Reach(
            family=name,
            tests=tests,
            correction=how,
            level=left(a),
            effect=effect,
            rare=_rare(name, tests, repeats, effect, level, lent, left),
        )
        for name, tests, how, a in families
        for lent in (extra.get(name, 0.0),)
        for effect in (detectable(repeats, left(a), lent),)
        if tests
    )


def _rare(
    family: str,
    tests: int,
    repeats: int,
    effect: float | None,
    level: float,
    lent: float,
    left: Callable[[float], float],
) -> float | None:
    if family != "primary" or tests < 2 or effect is None:
        return None
    df = repeats - 1 + lent

    def found(a: float) -> float:
        return power_of(effect, repeats, df, float(stdtrit(df, 1 - left(a) / 2)))

    return power_if(RARE, tests, level, found)


def power_if(real: float, tests: int, level: float, found: Callable[[float], float]) -> float:
    """Power under Benjamini-Hochberg when a share `real` of the tests differs by the same effect.

    Args:
        real: Share of the tests.
        tests: In the family.
        level: Of the family.
        found: Power of one test at a level.
    """
    power, others = POWER, tests - 1
    at = level / tests
    for _ in range(200):  # until the level and the power that it gives agree
        # The test that is found counts among the rejected; of the others, these are expected.
        rejected = 1 + others * (real * power + (1 - real) * at)
        at = min(level, level * rejected / tests)
        power = found(at)
    return power


def expected_level(tests: int, level: float, real: float = REAL, power: float = POWER) -> float:
    """Level of a single test at which Benjamini–Hochberg settles when `real` of the tests differ.

    The largest p rejected, a, meets a = level · (real · power + (1 - real) · a); one test alone is
    tested at `level`, and no family is stricter than Bonferroni.
    """
    settled = level * real * power / (1 - level * (1 - real))
    return level if tests == 1 else max(settled, level / tests)


@lru_cache
def detectable(
    repeats: int, level: float, prior_df: float = 0.0, power: float = POWER
) -> float | None:
    """Smallest standardised mean difference found with `power` by a two-sided t test, by bisection.

    None with fewer than two repeats.
    """
    if repeats < 2:
        return None
    df = repeats - 1 + prior_df
    critical = float(stdtrit(df, 1 - level / 2))
    return smallest(lambda effect: power_of(effect, repeats, df, critical), 1.0, power)


def smallest(found: Callable[[float], float], start: float, power: float = POWER) -> float:
    """Smallest effect that is found with `power`, by bisection from above `start`."""
    low, high = 0.0, start
    while found(high) < power:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= power else (middle, high)
    return high


def power_of(effect: float, repeats: int, df: float, critical: float) -> float:
    """P(|T| > critical) for a standardised mean difference over `repeats` pairs."""
    return exceeds(effect * math.sqrt(repeats), df, critical)


def exceeds(shift: float, df: float, critical: float) -> float:
    """P(|T| > critical) of a noncentral t, its noncentrality in standard errors."""
    upper = float(nctdtr(df, shift, critical))
    lower = float(nctdtr(df, shift, -critical))
    # Far in the tail scipy gives NaN; the normal limit is exact to the eye there.
    if np.isnan(upper):
        return 1.0 if shift > critical else 0.0
    return 1 - upper + (0.0 if np.isnan(lower) else lower)


def exact_floor(repeats: int) -> float:
    """Smallest two-sided p of an exact sign-flip or signed-rank test."""
    return float(2.0 ** (1 - repeats))


def floor_warning(repeats: int, cells: int, level: float = 0.05) -> str | None:
    """A sentence where exact tests cannot reject at all with Holm over `cells`, else None."""
    floor = exact_floor(repeats)
    most = int(level / floor)
    if cells <= most:
        return None
    needed = next(n for n in range(2, 64) if exact_floor(n) * cells <= level)
    holm = f"with Holm over more than {most} comparisons it cannot reject, and there are {cells}"
    return (
        f"an exact sign-flip or Wilcoxon test with {repeats} repeats has p >= {floor:.3g}: "
        f"{holm if most else 'it cannot reject'}; {needed} repeats would do. Tables use t tests "
        "with Benjamini-Hochberg."
    )
