"""Score against label budget: what more labels give, with and without pretraining."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tsxfer.report.build import Report
from tsxfer.report.cards import scored
from tsxfer.report.columns import model
from tsxfer.report.figures.picture import OfStudy, Picture, slug
from tsxfer.report.vega import INKS, Spec
from tsxfer.stats.compare import Comparison
from tsxfer.stats.tests import interval, plain_spread

LINES = 6  # sources and ways that one picture can tell apart, beside scratch
MOST = 12  # pictures of a page


def draw(report: Report) -> Iterator[Picture]:
    """A picture for each target and model that was run at several sizes."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for i, c in enumerate(report.comparisons):
        groups.setdefault((c.trial.dataset, c.trial.model, c.metric), []).append(i)
    several = {
        key: inside
        for key, inside in groups.items()
        if len({_budget(report, i) for i in inside}) > 1
    }
    for (target, network, metric), inside in list(several.items())[:MOST]:
        shown = _shown([report.comparisons[i] for i in inside])
        rows = [row for i in inside for row in _rows(report, i, shown)]
        yield Picture(
            slug("score-by-labels", target, network, metric),
            f"{target}, {network}: score by label budget",
            "Mean test score over the labels that training and selection saw; bands are 95 % "
            f"intervals of the mean over repeats, on these test instances. Of several ways "
            f"at most {LINES} are shown, those of the table first.",
            _spec(rows, scored(report, report.comparisons[inside[0]])),
        )


def _budget(report: Report, index: int) -> int:
    sizes = report.cells[index].pairs[0][0].sizes
    return sizes.get("train", 0) + sizes.get("validation", 0)


def _way(c: Comparison) -> str:
    return f"{c.source}{model(c).removeprefix(c.trial.model)}"


def _shown(group: Sequence[Comparison]) -> list[str]:
    return list(dict.fromkeys(_way(c) for c in group))[:LINES]


def _rows(report: Report, index: int, shown: Sequence[str]) -> list[Spec]:
    c, labels = report.comparisons[index], _budget(report, index)
    if _way(c) not in shown:
        return []
    return [
        {
            "way": way,
            "labels": labels,
            "mean": float(np.mean(scores)),
            **_ends(scores),
        }
        for way, scores in (("scratch", c.scratch), (_way(c), c.transfer))
    ]


def _ends(scores: Sequence[float]) -> Spec:
    """Student's interval of the mean; the mean itself of one repeat."""
    values = np.array(scores)
    if len(values) < 2:
        return {"low": scores[0], "high": scores[0]}
    low, high = interval(values, plain_spread(values))
    return {"low": low, "high": high}


def _spec(rows: list[Spec], axis: str) -> Spec:
    ways = list(dict.fromkeys(row["way"] for row in rows))
    tint = {
        "field": "way",
        "type": "nominal",
        "scale": {"domain": ways, "range": ["#D55E00", *(i for i in INKS if i != "#D55E00")]},
        "legend": {"columns": 2, "symbolType": "stroke", "symbolOpacity": 1},
    }
    x = {
        "field": "labels",
        "type": "quantitative",
        "scale": {"type": "log", "nice": False},
        "title": "labels of the target (training and selection)",
        "axis": {"values": sorted({row["labels"] for row in rows}), "format": ",d"},
    }
    y: Spec = {"type": "quantitative", "title": axis, "scale": {"zero": False}}
    return {
        "width": 400,
        "height": 220,
        "data": {"values": rows},
        "encoding": {"x": x, "color": tint},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.12},
                "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"y": {**y, "field": "mean"}}},
        ],
    }


FIGURE = OfStudy("Score by label budget", 30, draw)
