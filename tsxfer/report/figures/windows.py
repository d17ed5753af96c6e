"""Example windows of each domain: what the sources and targets look like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tsxfer.data import catalogue
from tsxfer.data.arrays import read_array
from tsxfer.errors import TsxferError
from tsxfer.report.build import Report
from tsxfer.report.figures.picture import OfStudy, Picture, slug
from tsxfer.report.vega import BLUE, Spec
from tsxfer.store.workspace import Workspace

EXAMPLES = 3  # windows of a data set, evenly spaced in its order
DAY = 86_400.0  # seconds
POINTS = 400  # of a window that a picture shows


def draw(report: Report) -> Iterator[Picture]:
    """A picture for each data set that lies prepared in the workspace of the study."""
    if report.folder is None:
        return
    place = Workspace(report.folder.parents[1])
    used = [report.cells[i].trial for i in range(len(report.cells))]
    names = [n for t in used for n in (t.dataset, t.reuse.source.dataset if t.reuse else t.dataset)]
    for name in dict.fromkeys(names):
        rows, channel, clock = _rows(name, place)
        if rows:
            yield Picture(
                slug("example-windows", name),
                f"{name}: example windows",
                f"{EXAMPLES} windows, evenly spaced in the order of the data, as they were "
                "prepared, before any scaling. First channel alone.",
                _spec(rows, channel, clock),
            )


def _rows(name: str, place: Workspace) -> tuple[list[Spec], str, str]:
    """Samples of the examples, names of their channel and clock; none where they are not here."""
    folder: Path = place.data(name)
    if not (folder / "x.npy").is_file():
        return [], "", ""
    try:
        card = catalogue.find(name, place).card
        x = read_array(folder / "x.npy", mend=f"tsxfer prepare {name}", mapped="r")
    except TsxferError:
        return [], "", ""
    if x.ndim != 3 or not len(x):
        return [], "", ""
    days = x.shape[2] / card.rate_hz > 2 * DAY
    unit = DAY if days else 1.0
    at = np.unique(np.linspace(0, x.shape[2] - 1, POINTS).astype(int))
    chosen = np.unique(np.linspace(0, len(x) - 1, EXAMPLES + 2).astype(int)[1:-1])
    rows = [
        {
            "window": f"window {i:,}",
            "time": float(t / card.rate_hz / unit),
            "value": float(x[i, 0, t]),
        }
        for i in chosen
        for t in at
    ]
    return (
        rows,
        card.channels[0] if card.channels else "first channel",
        ("time (days)" if days else "time (s)"),
    )


def _spec(rows: list[Spec], channel: str, clock: str) -> Spec:
    x = {
        "field": "time",
        "type": "quantitative",
        "title": clock,
        "axis": {"tickCount": 4},
        "scale": {"nice": False},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "title": f"{channel} (unit of the data)",
        "axis": {"tickCount": 4},
        "scale": {"zero": False},
    }
    order = list(dict.fromkeys(row["window"] for row in rows))
    return {
        "data": {"values": rows},
        "facet": {"column": {"field": "window", "type": "nominal", "sort": order, "title": None}},
        "spec": {
            "width": 180,
            "height": 100,
            "mark": {"type": "line", "strokeWidth": 1, "color": BLUE},
            "encoding": {"x": x, "y": y},
        },
        "resolve": {"scale": {"y": "independent"}},
    }


FIGURE = OfStudy("Example windows", 70, draw)
