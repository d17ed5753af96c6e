"""Forest plot: the difference of each comparison with its interval, beside 0 and the margin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from tsxfer import metrics
from tsxfer.core.sizes import as_written
from tsxfer.report.build import Report
from tsxfer.report.columns import MARKS, model
from tsxfer.report.figures.picture import OfStudy, Picture, ink, slug
from tsxfer.report.vega import Spec
from tsxfer.stats.compare import Comparison

MOST = 40  # comparisons that one picture can show so that a reader finds them
WORDS = 38  # characters of a line beside the plot
INDEX = 5  # characters that keep two comparisons of one name apart


def draw(report: Report) -> Iterator[Picture]:
    """One picture for each metric, or for each target too where there are many comparisons."""
    by_metric = _groups(report.comparisons, lambda c: c.metric)
    for metric, group in by_metric.items():
        if len(group) <= MOST:
            yield _picture(group, metric, "")
            continue
        for target, part in _groups(group, lambda c: c.trial.dataset).items():
            yield _picture(part, metric, target)


def _groups(comparisons: Sequence[Comparison], by: Any) -> dict[str, list[Comparison]]:
    found: dict[str, list[Comparison]] = {}
    for c in comparisons:
        found.setdefault(by(c), []).append(c)
    return found


def _picture(group: list[Comparison], metric: str, target: str) -> Picture:
    shown = sorted(group, key=lambda c: 1.0 if c.p is None else c.p)[:MOST]
    shown = [c for c in group if c in shown]
    caption = (
        "Mean paired difference with the 95 % interval that the verdict stands on; the grey band "
        "is the margin: smaller differences do not matter in practice."
    )
    if len(shown) < len(group):
        caption += (
            f" The {MOST} of {len(group)} comparisons with the smallest p; the table has all."
        )
    if any(c.stated[0] is None for c in shown):
        caption += " A dot without a bar has no such interval: see the table for why."
    title = f"Differences in {metrics.get(metric).title}"
    return Picture(
        slug("differences", target, metric),
        f"{title}, target {target}" if target else title,
        caption,
        spec(shown),
    )


def spec(comparisons: Sequence[Comparison]) -> Spec:
    """Whiskers of comparisons that share a metric."""
    rows = [_row(i, c) for i, c in enumerate(comparisons)]
    lines = max(row["name"].count("\n") + 1 for row in rows)
    y = {
        "field": "name",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {
            "labelExpr": f"split(slice(datum.label, {INDEX}), '\\n')",
            "ticks": False,
            "domain": False,
            "labelPadding": 8,
            "labelLineHeight": 14,
            "labelOffset": -7 * (lines - 1),
        },
        "scale": {"padding": 0},
    }
    axis = f"difference in {metrics.get(comparisons[0].metric).title}: transfer worse ← 0 → better"
    x: Spec = {"type": "quantitative", "title": axis}
    tint = {"field": "ink", "type": "nominal", "scale": None}
    return {
        "width": 340,
        "height": {"step": 14 * lines + 8},
        "data": {"values": rows},
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "bar", "color": "#ececec", "height": {"band": 1}},
                "encoding": {"x": {**x, "field": "below"}, "x2": {"field": "margin"}},
            },
            {
                "mark": {"type": "rule", "strokeDash": [3, 3]},
                "encoding": {"x": {"datum": 0}, "y": None},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2.5},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": tint},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {"x": {**x, "field": "difference"}, "color": tint},
            },
        ],
    }


def _row(index: int, c: Comparison) -> Spec:
    words = (
        f"{c.source} → {c.trial.dataset}",
        f"{model(c)}, {as_written(c.trial.size)}: {MARKS[c.verdict]} {c.verdict}",
    )
    return {
        "name": f"{index:0{INDEX}d}" + "\n".join(line for t in words for line in wrap(t, WORDS)),
        "difference": c.difference,
        "low": c.stated[0],
        "high": c.stated[1],
        "margin": c.margin,
        "below": -c.margin,
        "ink": ink(c.verdict),
    }


FIGURE = OfStudy("Paired differences", 20, draw)
