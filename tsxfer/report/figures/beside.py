"""Controls, ways and baselines beside the transfer: every score of one target and budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tsxfer.core.sizes import as_written, in_words
from tsxfer.report.build import Report
from tsxfer.report.cards import scored
from tsxfer.report.columns import model
from tsxfer.report.figures.picture import OfStudy, Picture, slug
from tsxfer.report.vega import BLUE, GREEN, GREY, ORANGE, Spec
from tsxfer.stats.compare import Comparison

MOST = 12  # pictures of a page
LINES = 40  # scores that one picture can show
KINDS = {"scratch": ORANGE, "transfer": BLUE, "control": GREY, "baseline": GREEN}
Place = tuple[str, str, str, str]  # target, model, size, metric


def draw(report: Report) -> Iterator[Picture]:
    """A picture for each target, model and budget with controls or baselines."""
    groups: dict[Place, list[Comparison]] = {}
    for c in report.comparisons:
        groups.setdefault(_place(c), []).append(c)
    drawn = 0
    for place, group in groups.items():
        more = _beside(report, place)
        if more and drawn < MOST:
            drawn += 1
            yield _picture(report, group, [*_own(group), *more])


def _place(c: Comparison) -> Place:
    return c.trial.dataset, c.trial.model, c.trial.size, c.metric


def _picture(report: Report, group: Sequence[Comparison], rows: Sequence[Spec]) -> Picture:
    target, network, size, metric = _place(group[0])
    labels = as_written(size)
    return Picture(
        slug("scores-beside", target, network, labels, metric),
        f"{target}, {network}, {in_words(size)}: all scores",
        "Mean test score with the range over repeats: scratch, each transfer, its controls and the "
        "baselines on the same subset and test.",
        _spec(list(rows)[:LINES], scored(report, group[0])),
    )


def _own(group: Sequence[Comparison]) -> Iterator[Spec]:
    yield _row("scratch", "scratch", group[0].scratch)
    for c in group:
        way = model(c).removeprefix(c.trial.model)
        yield _row(f"{c.source}{way}", "transfer", c.transfer)


def _beside(report: Report, place: Place) -> list[Spec]:
    controls = [
        _row(c.source, "control", c.transfer) for c in report.placebos if _place(c) == place
    ]
    baselines = {
        c.against.baseline: _row(c.against.baseline, "baseline", c.scratch)
        for c in report.beside
        if c.against and c.against.baseline and _place(c) == place
    }
    return [*controls, *baselines.values()]


def _row(name: str, kind: str, scores: Sequence[float]) -> Spec:
    return {
        "name": name,
        "kind": kind,
        "mean": float(np.mean(scores)),
        "low": min(scores),
        "high": max(scores),
    }


def _spec(rows: list[Spec], axis: str) -> Spec:
    tint = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": list(KINDS), "range": list(KINDS.values())},
    }
    x: Spec = {"type": "quantitative", "title": axis, "scale": {"zero": False}}
    y = {"field": "name", "type": "nominal", "sort": None, "title": None}
    return {
        "width": 380,
        "height": {"step": 22},
        "data": {"values": rows},
        "encoding": {"y": y, "color": tint},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2.5},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {"x": {**x, "field": "mean"}},
            },
        ],
    }


FIGURE = OfStudy("Beside controls and baselines", 40, draw)
