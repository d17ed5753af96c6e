"""Learning curves: validation score over training samples, mean and range of each arm."""

from __future__ import annotations

import numpy as np

from tsxfer import metrics
from tsxfer.report.build import Report
from tsxfer.report.cards import scored
from tsxfer.report.columns import model
from tsxfer.report.figures.picture import ARM_INK, OfComparison, Picture, of, slug
from tsxfer.report.section import name
from tsxfer.report.vega import Spec
from tsxfer.stats.cells import Cell

POINTS = 80  # of a curve that a picture shows; a reader sees no more


def draw(report: Report, index: int) -> Picture | None:
    """Validation curves of the repeats of a comparison, with the threshold."""
    c = report.comparisons[index]
    if c.convergence is None:
        return None
    return Picture(
        slug("learning-curves", of(c, model(c))),
        f"{name(c)}: learning curves",
        f"Validation {metrics.get(c.metric).title}: mean and range over repeats, cut where they "
        "leave the middle 98 % of all values; dotted: the threshold that scratch sets. A run that "
        "stopped keeps its last score.",
        _spec(_rows(report.cells[index]), scored(report, c), c.convergence.threshold),
    )


def _rows(cell: Cell) -> list[Spec]:
    pairs = [pair for pair in cell.pairs if pair[0].curve and pair[1].curve]
    arms = [[pair[side].curve for pair in pairs] for side in (0, 1)]
    grid = np.unique(np.concatenate([curve["samples"] for arm in arms for curve in arm]))
    grid = grid[np.unique(np.linspace(0, len(grid) - 1, POINTS).astype(int))]
    # A stopped run keeps its last score: it would not have been trained on.
    bands = [np.array([np.interp(grid, k["samples"], k["score"]) for k in arm]) for arm in arms]
    low, high = np.percentile(np.concatenate(bands), [1, 99])  # one burst hides no curve
    rows = []
    for arm, band in zip(ARM_INK, bands, strict=True):
        cut = np.clip([band.min(axis=0), band.mean(axis=0), band.max(axis=0)], low, high)
        rows += [
            {"arm": arm, "samples": s, "low": a, "mean": m, "high": b}
            for s, (a, m, b) in zip(grid.tolist(), cut.T.tolist(), strict=True)
        ]
    return rows


def _spec(rows: list[Spec], axis: str, threshold: float) -> Spec:
    arms = list(ARM_INK)
    tint = {
        "field": "arm",
        "type": "nominal",
        "scale": {"domain": arms, "range": list(ARM_INK.values())},
    }
    dash = {"field": "arm", "type": "nominal", "scale": {"domain": arms, "range": [[6, 3], [1, 0]]}}
    x = {"field": "samples", "type": "quantitative", "title": "training samples seen"}
    y: Spec = {"type": "quantitative", "scale": {"zero": False}, "title": f"validation {axis}"}
    return {
        "width": 400,
        "height": 190,
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.15},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "low"},
                    "y2": {"field": "high"},
                    "color": tint,
                },
            },
            {
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "mean"},
                    "color": tint,
                    "strokeDash": dash,
                },
            },
            {
                "mark": {"type": "rule", "strokeDash": [2, 4]},
                "encoding": {"y": {"datum": threshold}},
            },
        ],
    }


FIGURE = OfComparison(20, draw)
