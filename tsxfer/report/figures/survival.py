"""Kaplan-Meier curves: the share of runs that have reached the threshold, by arm."""

from __future__ import annotations

from tsxfer.report.build import Report
from tsxfer.report.columns import model
from tsxfer.report.figures.picture import ARM_INK, OfComparison, Picture, of, slug
from tsxfer.report.section import name
from tsxfer.report.vega import Spec
from tsxfer.stats.convergence import Survival


def draw(report: Report, index: int) -> Picture | None:
    """Both arms of a comparison; where they coincide, the thin one lies on the broad one."""
    c = report.comparisons[index]
    if c.convergence is None:
        return None
    curves = c.convergence.survival
    end = 1.05 * max(
        [
            c.convergence.scratch,
            c.convergence.transfer,
            1.0,
            *(s for k in curves for s in k.samples),
        ]
    )
    return Picture(
        slug("reached", of(c, model(c))),
        f"{name(c)}: runs that reached the threshold",
        "Share of runs that have reached the threshold (Kaplan-Meier). Where both arms coincide, "
        "the thin line of transfer lies on the broad one of scratch; a curve that ends below 100 % "
        "has runs that never did.",
        _spec([row for arm, k in zip(ARM_INK, curves, strict=True) for row in _rows(arm, k, end)]),
    )


def _rows(arm: str, curve: Survival, end: float) -> list[Spec]:
    steps = [
        (0.0, 0.0),
        *((s, 1 - left) for s, left in zip(curve.samples, curve.share, strict=True)),
    ]
    return [
        {"arm": arm, "samples": samples, "reached": reached}
        for samples, reached in (*steps, (end, steps[-1][1]))
    ]


def _spec(rows: list[Spec]) -> Spec:
    arms = list(ARM_INK)
    widths = {"domain": arms, "range": [7, 2]}
    # The broad line is pale, so that the thin one is seen on it.
    tints = {"domain": arms, "range": ["#F0A878", ARM_INK["transfer"]]}
    y = {
        "field": "reached",
        "type": "quantitative",
        "title": "runs that reached the threshold",
        "scale": {"domain": [0, 1]},
        "axis": {"format": "%", "tickCount": 5},
    }
    return {
        "width": 400,
        "height": 190,
        "data": {"values": rows},
        "mark": {"type": "line", "interpolate": "step-after", "clip": False},
        "encoding": {
            "x": {"field": "samples", "type": "quantitative", "title": "training samples seen"},
            "y": y,
            "color": {"field": "arm", "type": "nominal", "scale": tints},
            "strokeWidth": {"field": "arm", "type": "nominal", "scale": widths},
        },
    }


FIGURE = OfComparison(30, draw)
