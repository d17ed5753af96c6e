"""Whether scratch has learned anything: a baseline that failed makes no comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsxfer import metrics
from tsxfer.core.specs import Result

FAILED = "scratch does not beat the best trivial prediction by the margin: no valid baseline"


def above_chance(rows: Sequence[Result]) -> float | None:
    """Mean distance of the rows' scores to the best trivial prediction; positive is better.

    None where no row knows that answer.
    """
    metric = rows[0].metric
    known = [row for row in rows if metric in row.chance]
    if not known:
        return None
    sign = metrics.get(metric).sign
    return float(np.mean([sign * (row.scores[metric] - row.chance[metric]) for row in known]))


def beats_chance(rows: Sequence[Result], margin: float) -> bool:
    """Whether rows beat the best trivial prediction by the margin, on average.

    Rows that carry no such answer (of an early version, or imported) count as valid.
    """
    above = above_chance(rows)
    return above is None or (above > 0 and above >= margin)
