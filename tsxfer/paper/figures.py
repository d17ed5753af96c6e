"""Small figures as SVG text: the repeat at chance, the broken multipliers, the counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tsxfer.paper.claims import Evidence
from tsxfer.paper.effects import log_gains
from tsxfer.paper.forest import forest
from tsxfer.paper.grid import Grid, good, shared, sign
from tsxfer.paper.ink import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    WIDTH,
    Scale,
    dot,
    log_scale,
    polyline,
    svg,
    write,
)
from tsxfer.paper.method import main_table
from tsxfer.paper.select import Rule, choose
from tsxfer.paper.tables import TITLES

INKS = (BLUE, ORANGE, GREEN, PINK, "#000000")
DASHES = ("", "", "6 3", "2 3", "8 2 2 2")
Bar = tuple[str, int, int, int]  # label, better, neither, worse


def draw(found: Evidence) -> dict[str, str]:
    """SVG text by file name."""
    return {
        "repeats.svg": repeats(found.grid),
        "multipliers.svg": multipliers(found),
        "counts.svg": counts(found),
        "forest.svg": forest(found),
    }


def repeats(grid: Grid) -> str:
    """How many times as bad as the median of the other repeats each scratch run scores."""
    ratios: dict[int, list[float]] = {}
    for runs in grid.scratch.values():
        for repeat, row in runs.items():
            others = float(np.median([abs(good(r)) for i, r in runs.items() if i != repeat]))
            ratio = abs(good(row)) / others
            ratios.setdefault(repeat, []).append(1 / ratio if sign(row) > 0 else ratio)
    every = [value for values in ratios.values() for value in values]
    low, high = min([*every, 0.5]) / 1.15, max([*every, 1.0]) * 1.15
    y_at = log_scale(low, high, 232, 34)
    body = _axis([0.5, 1, 2, 5, 10, 20], y_at, lambda v: f"×{v:g}", low, high)
    body.append(write(8, 18, "Scratch score, times as bad as the median of the other repeats"))
    for i, (repeat, values) in enumerate(sorted(ratios.items())):
        x = 80 + (WIDTH - 110) * (i + 0.5) / len(ratios)
        ink = ORANGE if float(np.median(values)) > 1.5 else BLUE
        spread = np.linspace(-22, 22, len(values)) if len(values) > 1 else np.zeros(1)
        body += [dot(x + dx, y_at(v), ink) for dx, v in zip(spread, values, strict=True)]
        body.append(write(x, 254, f"repeat {repeat}", "middle", 12))
    return svg(264, body, "Scratch scores of every repeat against the other repeats")


def multipliers(found: Evidence) -> str:
    """Mean score of each model over the grid against its score at 1, valid repeats only."""
    lines = {m: _over_grid(found.grid, m, found.gates.drop) for m in found.grid.models}
    lines = {model: line for model, line in lines.items() if line}
    values = [ratio for line in lines.values() for ratio in line.values()]
    x_values = sorted({m for line in lines.values() for m in line})
    low, high = min([*values, 0.5]) / 1.15, max([*values, 1.0]) * 1.15
    x_at, y_at = (
        log_scale(x_values[0], x_values[-1], 70, WIDTH - 24),
        log_scale(low, high, 222, 34),
    )
    body = _axis([0.3, 0.5, 0.7, 1, 1.5], y_at, lambda v: f"×{v:g}", low, high)
    body.append(write(8, 18, "Score by multiplier, relative to multiplier 1 (up is better)"))
    for line, ink, dash in zip(lines.values(), INKS, DASHES, strict=False):
        points = [(x_at(m), y_at(ratio)) for m, ratio in line.items()]
        body.append(polyline(points, ink, dash))
        body += [dot(x, y, ink) for x, y in points]
    body += [write(x_at(m), 240, f"{m:g}", "middle", 11) for m in x_values if m not in (0.75, 1.25)]
    body += _legend([TITLES.get(model, model) for model in lines], 262)
    return svg(274, body, "Mean score over the grid of multipliers, by model")


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


def counts(found: Evidence) -> str:
    """Pairs of source and target better and worse, from the published way to this package's."""
    drop = found.gates.drop
    dropped = f" without repeat {', '.join(map(str, drop))}" if drop else ""
    bars = [
        _study_bar(found.grid, "study: best of ten on test", "best", ()),
        _study_bar(found.grid, f"the same{dropped}", "best", drop),
        _study_bar(found.grid, "multiplier leave-one-out", "leave-one-out", drop),
        _study_bar(found.grid, "multiplier 1", 1.0, drop),
    ]
    for view in found.views:
        signs = [e.test.sign for e in view.effects]
        label = view.name.replace("multiplier", "valid pairs,")
        bars.append(_bar(label, signs.count("better"), signs.count("worse"), len(signs)))
    return _bars(bars)


def _study_bar(grid: Grid, label: str, rule: Rule, drop: Sequence[int]) -> Bar:
    marks = [entry.mark for entry in main_table(choose(grid, rule, drop=drop), "performance")]
    return _bar(label, marks.count("▲"), marks.count("▼"), len(marks))


def _bar(label: str, better: int, worse: int, of: int) -> Bar:
    return label, better, of - better - worse, worse


def _bars(bars: Sequence[Bar]) -> str:
    most = max(sum(bar[1:]) for bar in bars)
    body = [
        write(8, 18, "Pairs of source and target: significantly better, undecided, worse"),
        write(8, 40, "the study's test", size=11),
        write(8, 176, "this package's test, pairs with a valid baseline", size=11),
    ]
    for i, (label, *parts) in enumerate(bars):
        x, y = 216.0, 48 + 29 * i + (20 if i >= len(bars) - 2 else 0)
        body.append(write(206, y + 16, label, "end", 12))
        for count, ink in zip(parts, (BLUE, GREY, ORANGE), strict=True):
            width = count / most * (WIDTH - 240)
            body.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="22" fill="{ink}"/>')
            if count:
                colour = "#000" if ink == GREY else "#fff"
                body.append(write(x + width / 2, y + 16, str(count), "middle", 12, colour))
            x += width
    return svg(60 + 29 * len(bars) + 20, body, "Counts of pairs better, undecided and worse")


def _axis(
    ticks: Sequence[float], y_at: Scale, text: Callable[[float], str], low: float, high: float
) -> list[str]:
    body = []
    for tick in ticks:
        if low <= tick <= high:
            y = y_at(tick)
            body.append(write(48, y + 4, text(tick), "end", 12))
            ink = "#000000" if tick == 1 else "#dddddd"
            body.append(
                f'<line x1="56" y1="{y:.1f}" x2="{WIDTH - 16}" y2="{y:.1f}" stroke="{ink}"/>'
            )
    return body


def _legend(names: Sequence[str], y: float) -> list[str]:
    body = []
    for i, (name, ink, dash) in enumerate(zip(names, INKS, DASHES, strict=False)):
        x = 70 + i * 140
        body.append(polyline([(x, y - 4), (x + 28, y - 4)], ink, dash))
        body.append(write(x + 34, y, name, size=12))
    return body
