"""The four figures of README.md here: Vega-Lite specs, drawn as those of every report are."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np

from tsxfer.paper.effects import Effect, log_gains, view
from tsxfer.paper.evidence import Evidence
from tsxfer.paper.grid import Grid, good, shared, sign
from tsxfer.paper.method import main_table
from tsxfer.paper.select import Rule, choose, parse
from tsxfer.paper.tables import TITLES, short
from tsxfer.report.columns import MARKS
from tsxfer.report.vega import BLUE, GREY, INKS, ORANGE, Spec, svg, titled

LOCAL = ("stead", "lendb")
NAMES = {
    "stead": "STEAD (local)", "lendb": "LEN-DB (local)", "lomax": "LOMAX (global)",
    "speech": "speech", "emg": "EMG", "sp500": "S&P 500",
}  # fmt: skip
SIGNS = {"better": BLUE, "undecided": "#BBBBBB", "worse": ORANGE}
Bar = tuple[str, str, int, int, int]  # whose test, label, better, neither, worse


def draw(found: Evidence) -> dict[str, str]:
    """SVG text by file name."""
    drawn = {
        "repeats.svg": (repeats(found.grid), "Scratch scores of every repeat"),
        "multipliers.svg": (multipliers(found), "Score by rate multiplier of the copied layers"),
        "counts.svg": (counts(found), "Pairs of source and target, by significance"),
        "forest.svg": (
            forest(found),
            "Pretraining elsewhere, for local earthquakes at 1,500 labels",
        ),
    }
    return {name: svg(titled(spec, title), title) + "\n" for name, (spec, title) in drawn.items()}


def repeats(grid: Grid) -> Spec:
    """How many times as bad as the median of the other repeats each scratch run scores."""
    ratios: dict[int, list[float]] = {}
    for runs in grid.scratch.values():
        for repeat, row in runs.items():
            others = float(np.median([abs(good(r)) for i, r in runs.items() if i != repeat]))
            ratio = abs(good(row)) / others
            ratios.setdefault(repeat, []).append(1 / ratio if sign(row) > 0 else ratio)
    rows = [
        {"repeat": repeat, "ratio": value, "aside": float(aside),
         "ink": ORANGE if float(np.median(values)) > 1.5 else BLUE}
        for repeat, values in sorted(ratios.items())
        for value, aside in zip(values, np.linspace(-1, 1, len(values)), strict=True)
    ]  # fmt: skip
    title = "scratch score, times as bad as the median of the other repeats"
    y = _times("ratio", title.replace(", ", ",\n").split("\n"), [0.5, 1, 2, 5, 10, 20])
    return {
        "width": 520,
        "height": 220,
        "data": {"values": rows},
        "encoding": {"y": y},
        "layer": [
            _one("y"),
            {
                "mark": {"type": "point", "filled": True, "size": 28, "opacity": 1},
                "encoding": {
                    "x": {
                        "field": "repeat", "type": "ordinal", "title": "repeat",
                        "axis": {"labelAngle": 0},
                    },
                    "xOffset": {"field": "aside", "type": "quantitative",
                                "scale": {"domain": [-1.6, 1.6]}},
                    "color": {"field": "ink", "type": "nominal", "scale": None},
                },
            },
        ],
    }  # fmt: skip


def multipliers(found: Evidence) -> Spec:
    """Mean score of each model over the grid against its score at 1, valid repeats only."""
    rows = [
        {"model": TITLES.get(model, model), "multiplier": m, "ratio": ratio}
        for model in found.grid.models
        for m, ratio in _over_grid(found.grid, model, found.gates.drop).items()
    ]
    names = list(dict.fromkeys(row["model"] for row in rows))
    dashes = [[1, 0], [1, 0], [6, 3], [2, 3], [8, 2, 2, 2]][: len(names)]
    x = {
        "field": "multiplier", "type": "quantitative", "scale": {"type": "log", "nice": False},
        "title": "rate multiplier of the copied layers",
        "axis": {"values": sorted({row["multiplier"] for row in rows} - {0.75, 1.25})},
    }  # fmt: skip
    y = _times("ratio", "score relative to multiplier 1 (up is better)", [0.3, 0.5, 0.7, 1, 1.5])
    hue = {"field": "model", "type": "nominal"}
    tint = {
        **hue, "scale": {"domain": names, "range": list(INKS[: len(names)])},
        "legend": {"symbolType": "stroke", "symbolFillColor": "transparent", "symbolSize": 400},
    }  # fmt: skip
    return {
        "width": 520,
        "height": 220,
        "data": {"values": rows},
        "encoding": {"y": y},
        "layer": [
            _one("y"),
            {
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {
                    "x": x,
                    "color": tint,
                    "strokeDash": {**hue, "scale": {"domain": names, "range": dashes}},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 28, "opacity": 1},
                "encoding": {"x": x, "color": tint},
            },
        ],
    }


def _over_grid(grid: Grid, model: str, drop: Sequence[int]) -> dict[float, float]:
    """Geometric mean of the score over that at multiplier 1, by multiplier."""
    options = [
        o
        for place, runs in grid.tuned.items()
        if place.model == model
        for repeat, o in runs.items()
        if repeat not in drop and 1.0 in o
    ]
    return {
        m: float(np.exp(np.mean(log_gains([(o[1.0], o[m]) for o in options]))))
        for m in shared(options)
    }


def counts(found: Evidence) -> Spec:
    """Pairs of source and target better and worse, from the published way to this package's."""
    drop = found.gates.drop
    dropped = f" without repeat {', '.join(map(str, drop))}" if drop else ""
    bars = [
        _study_bar(found.grid, "best of ten on test", "best", ()),
        _study_bar(found.grid, f"the same{dropped}", "best", drop),
        _study_bar(found.grid, "multiplier leave-one-out", "leave-one-out", drop),
        _study_bar(found.grid, "multiplier 1", 1.0, drop),
    ]
    for seen in found.views:
        signs = [e.test.sign for e in seen.effects]
        whose = "this package's test, valid pairs"
        bars.append(_bar(whose, seen.name, signs.count("better"), signs.count("worse"), len(signs)))
    return _bars(bars)


def _study_bar(grid: Grid, label: str, rule: Rule, drop: Sequence[int]) -> Bar:
    marks = [entry.mark for entry in main_table(choose(grid, rule, drop=drop), "performance")]
    return _bar("the study's test", label, marks.count("▲"), marks.count("▼"), len(marks))


def _bar(whose: str, label: str, better: int, worse: int, of: int) -> Bar:
    return whose, label, better, of - better - worse, worse


def _bars(bars: Sequence[Bar]) -> Spec:
    rows = []
    for whose, label, *parts in bars:
        start = 0
        for what, count in zip(SIGNS, parts, strict=True):
            rows.append(
                {"test": whose, "rule": label, "what": what, "count": count or None,
                 "from": start, "to": start + count, "middle": start + count / 2}
            )  # fmt: skip
            start += count
    x: Spec = {"type": "quantitative", "title": "pairs of source and target"}
    hue = {"field": "what", "type": "nominal", "sort": None,
           "scale": {"domain": list(SIGNS), "range": list(SIGNS.values())}}  # fmt: skip
    shade = "datum.what == 'undecided' ? 'black' : 'white'"
    layers = [
        {"mark": {"type": "bar", "height": {"band": 0.8}},
         "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}, "color": hue}},
        {"mark": {"type": "text", "color": {"expr": shade}},
         "encoding": {"x": {**x, "field": "middle"}, "text": {"field": "count"}}},
    ]  # fmt: skip
    y = {"field": "rule", "type": "nominal", "sort": None, "title": None}
    tests = list(dict.fromkeys(row["test"] for row in rows))
    parts = [
        {"title": {"text": test, "fontSize": 12, "fontWeight": "normal",
                  "frame": "group", "color": "#444444"},
         "width": 420, "height": {"step": 26},
         "data": {"values": [row for row in rows if row["test"] == test]},
         "encoding": {"y": y}, "layer": layers}
        for test in tests
    ]  # fmt: skip
    shared_scales = {"x": "shared", "color": "shared"}
    return {"vconcat": parts, "resolve": {"scale": {**shared_scales, "y": "independent"}}}


def forest(found: Evidence) -> Spec:
    """What each source did for local earthquakes at 1,500 labels, the four models together."""
    gates, rule = found.gates, parse("leave-one-out")
    seen = view(found.grid, rule, drop=gates.drop, trusted=gates.trusted, invalid=gates.invalid)
    rows = [
        _whisker(e)
        for e in sorted(seen.effects, key=lambda e: -e.test.mean)
        if short(e.target) in LOCAL and e.size == "n=1500"
    ]
    parts = [
        _whiskers([row for row in rows if row["target"] == target], f"target {NAMES[target]}")
        for target in LOCAL
    ]
    return {"vconcat": parts, "resolve": {"scale": {"x": "shared", "y": "independent"}}}


def _whisker(e: Effect) -> Spec:
    source = short(e.source)
    return {
        "target": short(e.target),
        "source": f"{NAMES.get(source, source)}   {MARKS[e.test.sign]} {e.test.sign}",
        "low": exp(e.test.low), "ratio": exp(e.test.mean), "high": exp(e.test.high),
        "ink": {"better": BLUE, "worse": ORANGE}.get(e.test.sign, GREY),
    }  # fmt: skip


def _whiskers(rows: Sequence[Spec], title: str) -> Spec:
    axis = "error from scratch over error with transfer, 95 % intervals: worse ← ×1 → better"
    x = _times("ratio", axis, [0.7, 0.8, 0.9, 1, 1.1, 1.2])
    tint = {"field": "ink", "type": "nominal", "scale": None}
    return {
        "title": {"text": title, "fontSize": 12, "fontWeight": "normal",
                  "frame": "group", "color": "#444444"},
        "width": 420,
        "height": {"step": 26},
        "data": {"values": list(rows)},
        "encoding": {"y": {"field": "source", "type": "nominal", "sort": None, "title": None}},
        "layer": [
            {**_one("x"), "encoding": {"x": {"datum": 1}, "y": None}},
            {"mark": {"type": "rule", "strokeWidth": 2.5},
             "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": tint}},
            {"mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
             "encoding": {"x": x, "color": tint}},
        ],
    }  # fmt: skip


def _times(field: str, title: str | list[str], ticks: Sequence[float]) -> Spec:
    """A logarithmic axis of ratios."""
    axis = {"values": list(ticks), "labelExpr": "'×' + datum.label", "format": "~g"}
    scale = {"type": "log", "nice": False, "padding": 8}
    return {"field": field, "type": "quantitative", "scale": scale, "title": title, "axis": axis}


def _one(channel: str) -> Spec:
    return {"mark": {"type": "rule", "color": "black"}, "encoding": {channel: {"datum": 1}}}
