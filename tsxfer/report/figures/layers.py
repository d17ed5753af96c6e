"""Layer curve: the gain over how many blocks of layers are copied (Yosinski et al. 2014)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tsxfer import metrics
from tsxfer.core.sizes import as_written
from tsxfer.core.strategy import Strategy
from tsxfer.report.build import Report
from tsxfer.report.figures.picture import OfStudy, Picture, slug
from tsxfer.report.vega import BLUE, ORANGE, Spec
from tsxfer.stats.compare import Comparison

MOST = 12  # pictures of a page
Place = tuple[str, str, str, str, str]


def draw(report: Report) -> Iterator[Picture]:
    """A picture for each source, target, model and budget with several ``first_K`` strategies."""
    groups: dict[Place, list[Comparison]] = {}
    for c in report.comparisons:
        if _blocks(c):
            place = (c.source, c.trial.dataset, c.trial.model, c.trial.size, c.metric)
            groups.setdefault(place, []).append(c)
    several = [(p, group) for p, group in groups.items() if len({_blocks(c) for c in group}) > 1]
    for (source, target, network, size, metric), group in several[:MOST]:
        labels = as_written(size)
        yield Picture(
            slug("gain-by-layers", source, "to", target, network, labels, metric),
            f"{source} → {target}, {network}, {labels}: gain by copied layers",
            "Mean paired difference, with the 95 % interval that the verdict stands on, over how "
            "many blocks of layers are copied, counted from the input; the rest begins anew.",
            _spec(group),
        )


def _blocks(c: Comparison) -> int:
    """Blocks that are copied where that is all that the strategy says; else 0."""
    strategy = c.trial.reuse.strategy if c.trial.reuse else Strategy()
    if strategy.learn not in ("tuned", "frozen"):
        return 0
    plain = replace(strategy, blocks=0, learn="tuned")
    return strategy.blocks if plain == Strategy() else 0


def _spec(group: Sequence[Comparison]) -> Spec:
    rows = [
        {
            "blocks": _blocks(c),
            "difference": c.difference,
            "low": c.stated[0],
            "high": c.stated[1],
            "learn": c.trial.reuse.strategy.learn if c.trial.reuse else "",
        }
        for c in sorted(group, key=_blocks)
    ]
    axis = f"difference in {metrics.get(group[0].metric).title} (above 0: transfer better)"
    y: Spec = {"type": "quantitative", "title": axis}
    tint = {
        "field": "learn",
        "type": "nominal",
        "scale": {"domain": ["tuned", "frozen"], "range": [BLUE, ORANGE]},
    }
    x = {
        "field": "blocks",
        "type": "ordinal",
        "title": "blocks of layers copied, from the input",
        "axis": {"labelAngle": 0},
    }
    aside = {"field": "learn", "type": "nominal", "sort": ["tuned", "frozen"]}
    return {
        "width": 400,
        "height": 200,
        "data": {"values": rows},
        "encoding": {"x": x, "color": tint},
        "layer": [
            {
                "mark": {"type": "rule", "strokeDash": [3, 3], "color": "black"},
                "encoding": {"x": None, "color": None, "y": {"datum": 0}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}, "xOffset": aside},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {"y": {**y, "field": "difference"}, "xOffset": aside},
            },
        ],
    }


FIGURE = OfStudy("Gain by copied layers", 50, draw)
