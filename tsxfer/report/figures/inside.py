"""Layers of a transfer beside those of scratch: what training left of the start, and travel."""

from __future__ import annotations

from collections.abc import Iterator

from tsxfer.core.sizes import as_written
from tsxfer.report.build import Report
from tsxfer.report.columns import model
from tsxfer.report.figures.picture import OfStudy, Picture, slug
from tsxfer.report.vega import BLUE, GREEN, ORANGE, Spec
from tsxfer.stats.why import Explained, Why

MOST = 12  # pictures of a page
LINES = {
    "source, transfer's end": GREEN,
    "transfer's start, end": BLUE,
    "scratch start, end": ORANGE,
}
TRAVELS = {"transfer": BLUE, "scratch": ORANGE}


def draw(report: Report) -> Iterator[Picture]:
    """A picture for each comparison that was looked into."""
    for e in report.explained[:MOST]:
        yield picture(e)


def picture(e: Explained) -> Picture:
    """The layers of one transfer and its twin."""
    c = e.comparison
    size = as_written(c.trial.size)
    return Picture(
        slug("inside", c.source, "to", c.trial.dataset, model(c), size),
        f"{c.source} → {c.trial.dataset}, {model(c)}, {size}: inside the network",
        f"Repeat {e.why.repeat}, on {e.why.windows} training windows. Above: likeness of layers "
        "(debiased linear CKA), from the input to the features. Below: how far weights went, "
        "relative to their size at the start.",
        _spec(e.why),
    )


def _spec(why: Why) -> Spec:
    order = [layer.name for layer in why.layers]
    x: Spec = {
        "field": "layer",
        "type": "nominal",
        "sort": order,
        "title": "layer, from the input",
        "axis": {"labelAngle": -40},
    }
    alike = {"type": "quantitative", "title": "likeness (CKA)", "scale": {"domain": [-0.05, 1]}}
    far = {"type": "quantitative", "title": "travel of weights"}
    return {
        "vconcat": [
            _lines(_likeness(why), {**x, "title": None}, alike, LINES),
            _lines(_travels(why), x, far, TRAVELS),
        ],
        "resolve": {"scale": {"color": "independent"}},
    }


def _lines(rows: list[Spec], x: Spec, y: Spec, inks: dict[str, str]) -> Spec:
    tint = {
        "field": "what",
        "type": "nominal",
        "scale": {"domain": list(inks), "range": list(inks.values())},
    }
    return {
        "width": 440,
        "height": 160,
        "data": {"values": rows},
        "mark": {"type": "line", "point": {"size": 60}, "strokeWidth": 2},
        "encoding": {"x": x, "y": {**y, "field": "value"}, "color": tint},
    }


def _likeness(why: Why) -> list[Spec]:
    rows = []
    for layer in why.layers:
        values = (layer.source_end, layer.start_end, layer.scratch)
        rows += [
            {"layer": layer.name, "what": what, "value": value}
            for what, value in zip(LINES, values, strict=True)
            if value is not None
        ]
    return rows


def _travels(why: Why) -> list[Spec]:
    return [
        {"layer": layer.name, "what": what, "value": value}
        for layer in why.layers
        for what, value in zip(TRAVELS, (layer.travel, layer.scratch_travel), strict=True)
        if value is not None
    ]


FIGURE = OfStudy("Inside the network", 55, draw)
