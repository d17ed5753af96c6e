"""A row without nesting, for the tables that travel: parquet of sets and of reports."""

from __future__ import annotations

from typing import Any

from tsxfer.core.results import Result


def measured(row: Result) -> dict[str, Any]:
    """What a trial gave, by column; `None` where the row has none, as a failed one has no score.

    ``score`` and ``chance`` are on the sealed test, in units of ``metric``; ``curve_score`` is on
    validation.
    """
    return {
        "metric": row.metric,
        "score": row.scores.get(row.metric),
        "chance": row.chance.get(row.metric),
        "margin": row.margin,
        "seconds": row.cost.get("seconds"),
        "samples": row.cost.get("samples"),
        "curve_samples": row.curve.get("samples"),
        "curve_score": row.curve.get("score"),
        "labels": "; ".join(row.labels),
        "origin": row.origin,
    }
