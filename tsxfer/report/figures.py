"""Figures as inline SVG: forest plot, paired dots, learning curves. Colours are Okabe–Ito's."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as _html
from textwrap import wrap

import numpy as np

from tsxfer.errors import printable
from tsxfer.report.columns import MARKS, model, number, signed
from tsxfer.stats.cells import Cell
from tsxfer.stats.compare import Comparison
from tsxfer.stats.convergence import CLOSED

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
INK = {"better": BLUE, "worse": ORANGE, "equivalent": GREY, "not worse": BLUE, "undecided": GREY}
WIDTH = 640


def escape(text: str) -> str:
    """Text inside SVG, which knows no control characters."""
    return _html(printable(text), quote=True)


def _svg(height: float, body: Sequence[str], label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'font-family="system-ui, sans-serif" role="img" '
        f'aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>{''.join(body)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 13) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="{size}">{escape(text)}</text>'


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.5, dash: str = ""
) -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"{dashed}/>'
    )


def forest(comparisons: Sequence[Comparison]) -> str:
    """Difference with interval for the comparisons of one metric; 0 and the margin are drawn."""
    ends = [
        v
        for c in comparisons
        for v in (c.low, c.high, c.difference, c.margin, -c.margin)
        if v is not None
    ]
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    pad = 0.06 * (high - low or 1)
    low, high = low - pad, high + pad
    names = [_names(c) for c in comparisons]
    left, right, step = 270.0, WIDTH - 16.0, 12 + 14 * max(map(len, names))

    def at(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    height, body = step * len(comparisons) + 46, []
    margin = comparisons[0].margin
    body.append(
        f'<rect x="{at(-margin):.1f}" y="6" width="{at(margin) - at(-margin):.1f}" '
        f'height="{height - 40:.0f}" fill="#eeeeee"/>'
    )
    body.append(_line(at(0), 6, at(0), height - 34, "#000", 1, "3 3"))
    for i, c in enumerate(comparisons):
        y, ink = i * step + 26, INK[c.verdict]
        body += [_text(2, y - 3 + 15 * k, line, size=12) for k, line in enumerate(names[i])]
        if c.low is not None and c.high is not None:
            body.append(_line(at(c.low), y, at(c.high), y, ink, 2.5))
        body.append(f'<circle cx="{at(c.difference):.1f}" cy="{y}" r="5" fill="{ink}"/>')
    ticks = (low + pad, 0.0, high - pad)
    body += [_text(at(value), height - 20, signed(value), "middle", 12) for value in ticks]
    body.append(
        _text(
            (left + right) / 2,
            height - 4,
            "worse with transfer  ←  0  →  better with transfer",
            "middle",
            12,
        )
    )
    return _svg(height, body, "Forest plot of paired differences; grey band: margin")


def _names(c: Comparison) -> list[str]:
    """What a comparison is called, in lines as short as the space beside a forest plot."""
    words = (
        f"{c.source} → {c.trial.dataset}",
        f"{model(c)}, {c.trial.size}: {MARKS[c.verdict]} {c.verdict}",
    )
    return [line for text in words for line in wrap(text, 42)]


def dots(c: Comparison) -> str:
    """Both arms of each repeat, joined; a rising line means a larger score, not a better one."""
    values = [*c.scratch, *c.transfer]
    low, high = min(values), max(values)
    spread = high - low or 1.0

    def at(value: float) -> float:
        return 150 - (value - low) / spread * 120

    body = [_text(180, 176, "scratch", "middle"), _text(460, 176, "transfer", "middle")]
    body += [_text(70, at(v) + 4, number(v), "end", 12) for v in (low, high)]
    for a, b in zip(c.scratch, c.transfer, strict=True):
        body.append(_line(180, at(a), 460, at(b), "#999999"))
        body.append(f'<circle cx="180" cy="{at(a):.1f}" r="4.5" fill="{ORANGE}"/>')
        body.append(f'<rect x="455.5" y="{at(b) - 4.5:.1f}" width="9" height="9" fill="{BLUE}"/>')
    return _svg(184, body, f"{c.metric} of each repeat, scratch and transfer")


def curves(cell: Cell, c: Comparison) -> str:
    """Validation score over samples seen: mean and range of the runs of each arm."""
    pairs = [pair for pair in cell.pairs if pair[0].curve and pair[1].curve]
    arms = [[pair[side].curve for pair in pairs] for side in (0, 1)]
    end = max(curve["samples"][-1] for arm in arms for curve in arm)
    grid = np.unique(np.concatenate([curve["samples"] for arm in arms for curve in arm]))
    # A stopped run keeps its last score: it would not have been trained on.
    bands = [np.array([np.interp(grid, k["samples"], k["score"]) for k in arm]) for arm in arms]
    low = float(np.percentile(np.concatenate(bands), 1))
    high = float(np.percentile(np.concatenate(bands), 99))

    def x_at(value: float) -> float:
        return 60 + value / end * (WIDTH - 76)

    def y_at(value: float) -> float:
        return 190 - (min(max(value, low), high) - low) / (high - low or 1) * 170

    body = [_line(60, 190, WIDTH - 16, 190, "#000", 1), _line(60, 20, 60, 190, "#000", 1)]
    for band, ink, dash in zip(bands, (ORANGE, BLUE), ("6 3", ""), strict=True):
        outline = [(x_at(g), y_at(v)) for g, v in zip(grid, band.min(axis=0), strict=True)]
        outline += [
            (x_at(g), y_at(v)) for g, v in zip(grid[::-1], band.max(axis=0)[::-1], strict=True)
        ]
        body.append(f'<polygon points="{_points(outline)}" fill="{ink}" opacity="0.15"/>')
        mean = [(x_at(g), y_at(v)) for g, v in zip(grid, band.mean(axis=0), strict=True)]
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        body.append(
            f'<polyline points="{_points(mean)}" fill="none" stroke="{ink}" '
            f'stroke-width="2"{dashed}/>'
        )
    body += [_text(56, y_at(v) + 4, number(v), "end", 12) for v in (low, high)]
    body.append(_text(WIDTH - 16, 206, f"{end:,.0f} samples seen", "end", 12))
    body.append(_text(WIDTH - 16, 14, "- - scratch   — transfer", "end", 12))
    if c.convergence:
        y = y_at(c.convergence.threshold)
        body.append(_line(60, y, WIDTH - 16, y, "#000", 1, "2 4"))
    return _svg(212, body, f"validation {c.metric} over training samples; dotted: threshold")


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def survival(c: Comparison) -> str:
    """Kaplan–Meier curves of both arms: share of runs that have reached the threshold."""
    if c.convergence is None:
        return ""
    end = max(c.convergence.scratch, c.convergence.transfer, 1.0)
    end = max([end, *(t for arm in c.convergence.survival for t in arm.samples)]) * 1.05

    def x_at(value: float) -> float:
        return 60 + value / end * (WIDTH - 76)

    def y_at(share: float) -> float:
        return 190 - share * 160

    body = [_line(60, 190, WIDTH - 16, 190, "#000", 1), _line(60, 24, 60, 190, "#000", 1)]
    for arm, ink, dash in zip(c.convergence.survival, (ORANGE, BLUE), ("6 3", ""), strict=True):
        points = [(x_at(0.0), y_at(0.0))]
        for moment, share in zip(arm.samples, arm.share, strict=True):
            points += [(x_at(moment), points[-1][1]), (x_at(moment), y_at(1 - share))]
        points.append((x_at(end), points[-1][1]))
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        body.append(
            f'<polyline points="{_points(points)}" fill="none" stroke="{ink}" '
            f'stroke-width="2.5"{dashed}/>'
        )
    body += [_text(54, y_at(v) + 4, f"{100 * v:.0f} %", "end", 12) for v in (0.0, 0.5, 1.0)]
    body.append(_text(WIDTH - 16, 206, f"{end:,.0f} samples seen", "end", 12))
    body.append(_text(WIDTH - 16, 14, "- - scratch   — transfer", "end", 12))
    return _svg(212, body, "Kaplan-Meier: share of runs that reached the threshold")


def sweep(c: Comparison) -> str:
    """Samples saved over the choice of threshold; the primary one is filled."""
    if c.convergence is None:
        return ""
    rows = c.convergence.sweep
    values = [v for row in rows for v in row[1:] if v is not None]
    low, high = min([*values, 0.0]), max([*values, 0.0])

    def x_at(closed: float) -> float:
        return 90 + (closed - rows[0][0]) / (rows[-1][0] - rows[0][0]) * (WIDTH - 120)

    def y_at(value: float) -> float:
        return 180 - (value - low) / (high - low or 1) * 150

    body = [_line(80, y_at(0), WIDTH - 16, y_at(0), "#000", 1, "3 3")]
    for closed, mean, bottom, top in rows:
        x, primary = x_at(closed), closed == CLOSED
        if bottom is not None and top is not None:
            body.append(_line(x, y_at(bottom), x, y_at(top), BLUE, 2.5 if primary else 1.5))
        fill = BLUE if primary else "#fff"
        body.append(
            f'<circle cx="{x:.1f}" cy="{y_at(mean):.1f}" r="5" fill="{fill}" '
            f'stroke="{BLUE}" stroke-width="2"/>'
        )
        body.append(_text(x, 200, f"{100 * closed:.0f} %", "middle", 12))
    body += [
        _text(74, y_at(v) + 4, f"{v:,.0f}", "end", 12) for v in dict.fromkeys((low, 0.0, high))
    ]
    return _svg(208, body, "samples saved over the threshold, as share of scratch's way")
