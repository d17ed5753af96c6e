"""Confusion matrices of both arms, with the F1 of each class, from kept predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tsxfer import metrics
from tsxfer.report.build import Report
from tsxfer.report.cards import class_names
from tsxfer.report.columns import model
from tsxfer.report.figures.picture import OfComparison, Picture, of, slug
from tsxfer.report.section import name
from tsxfer.report.vega import Spec
from tsxfer.stats.testset import predictions
from tsxfer.store.predictions import PREDICTIONS

MOST = 15  # classes that a reader can tell apart
Counts = NDArray[np.int64]


def draw(report: Report, index: int) -> Picture | None:
    """Both arms of a classification, repeats added up; None without predictions of all repeats."""
    c = report.comparisons[index]
    if report.folder is None or metrics.get(c.metric).task != "classification":
        return None
    kept = predictions(report.cells[index], report.folder / PREDICTIONS)
    if kept is None:
        return None
    truth, _, predicted = kept
    classes = 1 + int(max(truth.max(), *(p.max() for p in predicted)))
    if classes > MOST or truth.min() < 0:
        return None
    arms = [_counts(truth, predicted[arm::2], classes) for arm in (0, 1)]
    names = class_names(report, c.trial.dataset, classes)
    rows = [
        row
        for arm, k in zip(("scratch", "transfer"), arms, strict=True)
        for row in _rows(arm, k, names)
    ]
    return Picture(
        slug("confusion", of(c, model(c))),
        f"{name(c)}: confusion",
        "Share of each true class (a row) that was predicted as each class, test windows of all "
        "repeats together; beside the class its F1 in that arm.",
        _spec(rows),
    )


def _counts(truth: NDArray[np.generic], predicted: Sequence[NDArray[np.float64]], n: int) -> Counts:
    """Windows by true and predicted class, ``(n, n)``."""
    codes = truth.astype(np.int64)
    cells = np.concatenate([codes * n + p.astype(np.int64) for p in predicted])
    return np.bincount(cells, minlength=n * n).reshape(n, n)


def _rows(arm: str, counts: Counts, names: Sequence[str]) -> list[Spec]:
    real, claimed = counts.sum(axis=1), counts.sum(axis=0)
    f1 = 2 * np.diagonal(counts) / np.maximum(real + claimed, 1)
    shares = counts / np.maximum(real, 1)[:, None]
    return [
        {
            "arm": arm,
            "truth": f"{names[i]} (F1 {f1[i]:.2f})",
            "predicted": names[j],
            "share": float(shares[i, j]),
            "text": f"{100 * shares[i, j]:.0f}",
            "ink": "white" if shares[i, j] > 0.55 else "black",
        }
        for i in range(len(names))
        if real[i]
        for j in range(len(names))
    ]


def _spec(rows: list[Spec]) -> Spec:
    return {
        "hconcat": [
            _one([row for row in rows if row["arm"] == arm], arm) for arm in ("scratch", "transfer")
        ]
    }


def _one(rows: list[Spec], arm: str) -> Spec:
    names: Spec = {"type": "nominal", "sort": None}
    share = {
        "field": "share",
        "type": "quantitative",
        "legend": None,
        "scale": {"scheme": "blues", "domain": [0, 1]},
    }
    return {
        "title": {"text": arm, "fontWeight": "normal", "frame": "group"},
        "width": {"step": 34},
        "height": {"step": 24},
        "data": {"values": rows},
        "encoding": {
            "x": {
                **names,
                "field": "predicted",
                "title": "predicted (%)",
                "axis": {"labelAngle": -35},
            },
            "y": {**names, "field": "truth", "title": "true class"},
        },
        "layer": [
            {"mark": "rect", "encoding": {"color": share}},
            {
                "mark": {"type": "text", "fontSize": 11, "color": {"expr": "datum.ink"}},
                "encoding": {"text": {"field": "text"}},
            },
        ],
    }


FIGURE = OfComparison(50, draw)
