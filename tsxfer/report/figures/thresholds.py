"""Samples saved over the choice of threshold: what the answer on speed hangs on."""

from __future__ import annotations

from tsxfer.report.build import Report
from tsxfer.report.columns import model
from tsxfer.report.figures.picture import OfComparison, Picture, of, slug
from tsxfer.report.section import name
from tsxfer.report.vega import BLUE, Spec
from tsxfer.stats.convergence import CLOSED


def draw(report: Report, index: int) -> Picture | None:
    """Samples saved at each threshold of a comparison; the declared one is filled."""
    c = report.comparisons[index]
    if c.convergence is None:
        return None
    rows = [
        {
            "closed": f"{100 * closed:.0f} %",
            "saved": saved,
            "low": low,
            "high": high,
            "fill": BLUE if closed == CLOSED else "white",
        }
        for closed, saved, low, high in c.convergence.sweep
    ]
    return Picture(
        slug("samples-saved", of(c, model(c))),
        f"{name(c)}: samples saved by threshold",
        "Training samples saved by transfer (above the dashed line), with 95 % intervals, for "
        "other thresholds; the filled one was declared.",
        _spec(rows),
    )


def _spec(rows: list[Spec]) -> Spec:
    y: Spec = {
        "type": "quantitative",
        "title": "training samples saved",
        "axis": {"format": ",.0f"},
    }
    x = {
        "field": "closed",
        "type": "nominal",
        "sort": None,
        "axis": {"labelAngle": 0},
        "title": "threshold, as share of scratch's way from its first to its best score",
    }
    return {
        "width": 400,
        "height": 190,
        "data": {"values": rows},
        "encoding": {"x": x},
        "layer": [
            {
                "mark": {"type": "rule", "strokeDash": [3, 3]},
                "encoding": {"x": None, "y": {"datum": 0}},
            },
            {
                "mark": {"type": "rule", "color": BLUE, "strokeWidth": 2},
                "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "mark": {
                    "type": "point",
                    "size": 80,
                    "opacity": 1,
                    "stroke": BLUE,
                    "strokeWidth": 2,
                },
                "encoding": {
                    "y": {**y, "field": "saved"},
                    "fill": {"field": "fill", "type": "nominal", "scale": None},
                },
            },
        ],
    }


FIGURE = OfComparison(40, draw)
