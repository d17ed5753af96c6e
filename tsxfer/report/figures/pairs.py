"""Paired scores: both arms of each repeat, joined, beside the best trivial prediction."""

from __future__ import annotations

from tsxfer import metrics
from tsxfer.report.build import Report
from tsxfer.report.cards import scored
from tsxfer.report.columns import model
from tsxfer.report.figures.picture import ARM_INK, OfComparison, Picture, of, slug
from tsxfer.report.section import name
from tsxfer.report.vega import Spec


def draw(report: Report, index: int) -> Picture:
    """Test scores of the repeats of a comparison."""
    c = report.comparisons[index]
    rows = [
        {"repeat": repeat, "arm": arm, "score": score}
        for arm, scores in zip(ARM_INK, (c.scratch, c.transfer), strict=True)
        for repeat, score in zip(c.repeats, scores, strict=True)
    ]
    return Picture(
        slug("scores", of(c, model(c))),
        f"{name(c)}: test scores",
        f"Test {metrics.get(c.metric).title} of each repeat; a line joins a pair. Dashed: the best "
        "answer that does not look at the window.",
        _spec(rows, scored(report, c), c.chance),
    )


def _spec(rows: list[Spec], axis: str, chance: float | None) -> Spec:
    y = {"field": "score", "type": "quantitative", "title": axis, "scale": {"zero": False}}
    arms = {"domain": list(ARM_INK), "range": list(ARM_INK.values())}
    layers: list[Spec] = [
        {
            "mark": {"type": "line", "color": "#999999"},
            "encoding": {"detail": {"field": "repeat", "type": "nominal"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
            "encoding": {
                "color": {"field": "arm", "type": "nominal", "scale": arms, "legend": None},
                "shape": {"field": "arm", "type": "nominal", "legend": None},
            },
        },
    ]
    if chance is not None:
        rule = {"type": "rule", "strokeDash": [4, 4], "color": "#555555"}
        layers.append({"mark": rule, "encoding": {"x": None, "y": {"datum": chance}}})
    x = {
        "field": "arm",
        "type": "nominal",
        "sort": None,
        "title": "first weights",
        "axis": {"labelAngle": 0},
        "scale": {"padding": 0.6},
    }
    return {
        "width": 400,
        "height": 190,
        "data": {"values": rows},
        "encoding": {"x": x, "y": y},
        "layer": layers,
    }


FIGURE = OfComparison(10, draw)
