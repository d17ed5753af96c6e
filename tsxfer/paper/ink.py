"""What the figures of this room are drawn with. Colours are Okabe and Ito's.

A light background is drawn, so that dark pages show the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from tsxfer.errors import printable

BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#BBBBBB"
WIDTH = 640.0
Scale = Callable[[float], float]


def log_scale(low: float, high: float, start: float, end: float) -> Scale:
    """Values from ``low`` to ``high`` onto ``start`` to ``end``, by their logarithm."""

    def at(value: float) -> float:
        return float(start + np.log(value / low) / np.log(high / low) * (end - start))

    return at


def svg(height: float, body: Sequence[str], label: str) -> str:
    """A whole figure of a height, with its name for readers of screens."""
    lines = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        f'width="{WIDTH:.0f}" height="{height:.0f}" font-family="sans-serif" role="img">\n'
        f"<title>{escape(printable(label))}</title>\n"
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        f"{lines}\n</svg>\n"
    )


def write(
    x: float, y: float, text: str, anchor: str = "start", size: int = 13, colour: str = "#000"
) -> str:
    """A line of text; its anchor is start, middle or end."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{colour}">{escape(printable(text))}</text>'
    )


def dot(x: float, y: float, ink: str) -> str:
    """A small dot."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{ink}"/>'


def polyline(points: Sequence[tuple[float, float]], ink: str, dash: str) -> str:
    """A line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2"{dashed}/>'


def stroke(x1: float, y1: float, x2: float, y2: float, ink: str, width: float) -> str:
    """A straight line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{ink}" '
        f'stroke-width="{width:g}"/>'
    )
