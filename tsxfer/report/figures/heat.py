"""Heat map: what each source does for each target, in margins, one map for each label budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tsxfer.core.sizes import as_written, in_words
from tsxfer.report.build import Report
from tsxfer.report.figures.picture import OfStudy, Picture, slug
from tsxfer.report.vega import Spec
from tsxfer.stats.compare import Comparison

FEWEST = 4  # cells below which a forest plot says more
DEEPEST = 5.0  # margins from which the colour stays


def draw(report: Report) -> Iterator[Picture]:
    """A map for each label budget, over comparisons with a valid baseline and a margin."""
    by_size: dict[str, list[Comparison]] = {}
    for c in report.comparisons:
        if c.valid and c.margin > 0:
            by_size.setdefault(as_written(c.trial.size), []).append(c)
    for size, group in by_size.items():
        if len({(c.source, c.trial.dataset) for c in group}) >= FEWEST:
            yield _picture(size, group)


def _picture(size: str, group: Sequence[Comparison]) -> Picture:
    return Picture(
        slug("gain-by-source-and-target", size),
        f"Gain in margins, {in_words(size)}",
        "Mean difference in units of the margin (blue: transfer better), over models and ways of "
        "transfer where there are several; below it, how many verdicts are better (▲) and worse "
        f"(▼) of all. Colours stay from {DEEPEST:g} margins on; cells without a valid baseline are "
        "left out.",
        _spec(_rows(group)),
    )


def _rows(group: Sequence[Comparison]) -> list[Spec]:
    cells: dict[tuple[str, str], list[Comparison]] = {}
    for c in group:
        cells.setdefault((c.source, c.trial.dataset), []).append(c)
    return [_row(source, target, inside) for (source, target), inside in cells.items()]


def _row(source: str, target: str, inside: Sequence[Comparison]) -> Spec:
    gain = float(np.mean([c.difference / c.margin for c in inside]))
    better, worse = (sum(c.verdict == v for c in inside) for v in ("better", "worse"))
    return {
        "source": source,
        "target": target,
        "gain": gain,
        "text": f"{gain:+.1f}\n{better}▲ {worse}▼ of {len(inside)}",
        "ink": "white" if abs(gain) > 0.6 * DEEPEST else "black",
    }


def _spec(rows: list[Spec]) -> Spec:
    colour = {
        "field": "gain",
        "type": "quantitative",
        "scale": {
            "scheme": "blueorange",
            "reverse": True,
            "domain": [-DEEPEST, DEEPEST],
            "domainMid": 0,
            "clamp": True,
        },
        "legend": {"title": "gain (margins)", "orient": "right"},
    }
    names: Spec = {"type": "nominal", "sort": None}
    return {
        "width": {"step": 92},
        "height": {"step": 44},
        "data": {"values": rows},
        "encoding": {
            "x": {**names, "field": "target", "title": "target", "axis": {"labelAngle": -25}},
            "y": {**names, "field": "source", "title": "source"},
        },
        "layer": [
            {"mark": {"type": "rect", "stroke": "white"}, "encoding": {"color": colour}},
            {
                "mark": {
                    "type": "text",
                    "lineBreak": "\n",
                    "dy": -6,
                    "color": {"expr": "datum.ink"},
                },
                "encoding": {"text": {"field": "text"}},
            },
        ],
    }


FIGURE = OfStudy("Gain by source and target", 10, draw)
