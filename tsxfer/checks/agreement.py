"""Whether two rows of one trial say the same, and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tsxfer.core.results import Result

Verdict = Literal["identical", "within tolerance", "differs"]
SHARE = 0.1  # of the smallest difference that matters in practice


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two rows of one trial side by side.

    Attributes:
        verdict: ``identical`` when all scores and the whole curve are the same numbers; ``within
            tolerance`` when the primary score and every point of the curve are that near.
        score: Distance of the primary test scores; None where one has none.
        curve: Largest distance of the validation curves where both have a point.
        tolerance: See `tolerance`.
        causes: What differs in how they were made, e.g. ``torch 2.9.0, then 2.10.0``.
    """

    verdict: Verdict
    score: float | None
    curve: float
    tolerance: float
    causes: tuple[str, ...]

    @property
    def largest(self) -> float | None:
        """The larger of both distances."""
        return None if self.score is None else max(self.score, self.curve)


def tolerance(row: Result) -> float:
    """A tenth of the margin of practical interest; without a margin, a millionth of the score."""
    if row.margin > 0:
        return SHARE * row.margin
    return 1e-6 * max(1.0, abs(row.scores.get(row.metric, 0.0)))


def agreement(old: Result, new: Result, allowed: float | None = None) -> Agreement:
    """Compare a row with another of the same trial."""
    bound = tolerance(old) if allowed is None else allowed
    curve = _curve_distance(old, new)
    causes = _causes(old, new)
    if new.status == "failed":
        return Agreement("differs", None, curve, bound, (*causes, f"it failed: {new.error}"))
    score = abs(old.scores[old.metric] - new.scores[new.metric])
    same_grid = old.curve.get("samples") == new.curve.get("samples")
    if old.scores == new.scores and old.curve == new.curve:
        return Agreement("identical", score, curve, bound, causes)
    near = same_grid and score <= bound and curve <= bound
    if not same_grid:
        causes = (*causes, "training stopped at another evaluation")
    return Agreement("within tolerance" if near else "differs", score, curve, bound, causes)


def spread(rows: Sequence[Result]) -> float:
    """Largest distance between any two rows of one trial: their floor of nondeterminism."""
    found = [agreement(a, b).largest for i, a in enumerate(rows) for b in rows[:i]]
    return max((value if value is not None else float("inf") for value in found), default=0.0)


def _curve_distance(old: Result, new: Result) -> float:
    a, b = (
        dict(zip(r.curve.get("samples", ()), r.curve.get("score", ()), strict=False))
        for r in (old, new)
    )
    return max((abs(a[at] - b[at]) for at in a.keys() & b.keys()), default=0.0)


def _causes(old: Result, new: Result) -> tuple[str, ...]:
    then = old.environment | {"device": str(old.cost.get("device", ""))}
    now = new.environment | {"device": str(new.cost.get("device", ""))}
    names = [n for n in (*now, *then) if then.get(n) and then.get(n) != now.get(n)]
    return tuple(f"{n} {then[n]}, now {now.get(n) or 'none'}" for n in dict.fromkeys(names))
