"""Critical difference diagram: average ranks, with bars over what cannot be told apart."""

from __future__ import annotations

from collections.abc import Iterator

from tsxfer.report.build import Report
from tsxfer.report.figures.picture import OfStudy, Picture
from tsxfer.report.vega import BLUE, Spec
from tsxfer.stats.ranks import FEWEST as FEWEST_BLOCKS
from tsxfer.stats.ranks import Ranks, ranks

FEWEST = 3  # treatments below which ranks are a comparison of two


def draw(report: Report) -> Iterator[Picture]:
    """One picture of all treatments that stand in the same blocks."""
    found = ranks(report.comparisons)
    if found and len(found.names) >= FEWEST and found.blocks >= FEWEST_BLOCKS:
        yield Picture(
            "average-ranks",
            f"Average ranks over {found.blocks} blocks",
            "Average rank of each treatment over targets, models and sizes that have all of them "
            "(1 is best). Treatments under one black bar cannot be told apart (Wilcoxon, Holm).",
            _spec(found),
        )


def _spec(found: Ranks) -> Spec:
    rows = [
        {"name": name, "rank": rank} for name, rank in zip(found.names, found.ranks, strict=True)
    ]
    bars = [
        {"bar": f"group {chr(97 + i % 26)}", "low": found.ranks[a], "high": found.ranks[b]}
        for i, (a, b) in enumerate(found.cliques)
    ]
    scale = {"domain": [1, max(2, len(rows))]}
    x: Spec = {"type": "quantitative", "title": "average rank (1 is best)", "scale": scale}
    names: Spec = {"type": "nominal", "sort": None, "title": None}
    dots = {
        "width": 400,
        "height": {"step": 22},
        "data": {"values": rows},
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "color": BLUE},
        "encoding": {"x": {**x, "field": "rank"}, "y": {**names, "field": "name"}},
    }
    lines = {
        "width": 400,
        "height": {"step": 14},
        "data": {"values": bars},
        "mark": {"type": "rule", "strokeWidth": 5, "color": "black"},
        "encoding": {
            "x": {**x, "field": "low", "axis": None},
            "x2": {"field": "high"},
            "y": {**names, "field": "bar"},
        },
    }
    return {"vconcat": [*([lines] if bars else []), dots], "spacing": 4}


FIGURE = OfStudy("Average ranks", 60, draw)
