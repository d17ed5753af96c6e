"""The figure of what pretraining elsewhere did for local earthquakes in the published rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tsxfer.paper.claims import Evidence
from tsxfer.paper.effects import Effect, view
from tsxfer.paper.ink import BLUE, ORANGE, WIDTH, Scale, log_scale, stroke, svg, write
from tsxfer.paper.select import parse
from tsxfer.paper.tables import short

MARKS = {"better": "▲", "worse": "▼", "undecided": "?"}  # as in every report
LOCAL = ("stead", "lendb")
NAMES = {
    "stead": "STEAD (local)",
    "lendb": "LEN-DB (local)",
    "lomax": "LOMAX (global)",
    "speech": "speech",
    "emg": "EMG",
    "sp500": "S&P 500",
}


def forest(found: Evidence) -> str:
    """What each source did for local earthquakes at 1,500 labels, the four models together."""
    gates, rule = found.gates, parse("leave-one-out")
    seen = view(found.grid, rule, drop=gates.drop, trusted=gates.trusted, invalid=gates.invalid)
    groups = [
        sorted(
            (e for e in seen.effects if short(e.target) == target and e.size == "n=1500"),
            key=lambda e: -e.test.mean,
        )
        for target in LOCAL
    ]
    ends = [end for group in groups for e in group for end in (e.test.low, e.test.high)]
    low, high = math.exp(min([*ends, 0.0])) / 1.01, math.exp(max([*ends, 0.0])) * 1.01
    x_at = log_scale(low, high, 190, WIDTH - 110)
    bottom = 44.0 + sum(36 + 24 * len(group) for group in groups)
    return svg(
        bottom + 44,
        [*_ruler(low, high, x_at, bottom), *_groups(groups, x_at)],
        "Pretraining elsewhere and local earthquakes: scratch error over transfer error",
    )


def _ruler(low: float, high: float, x_at: Scale, bottom: float) -> list[str]:
    body = [write(8, 20, "Error from scratch over error with transfer, 95 % intervals")]
    for tick in (0.7, 0.8, 0.9, 1.0, 1.1, 1.2):
        if low <= tick <= high:
            x, ink = x_at(tick), "#000000" if tick == 1 else "#dddddd"
            body.append(stroke(x, 34, x, bottom, ink, 1))
            body.append(write(x, bottom + 16, f"×{tick:g}", "middle", 12))
    body.append(write(x_at(1) - 12, bottom + 34, "← worse with transfer", "end", 12))
    return [*body, write(x_at(1) + 12, bottom + 34, "better with transfer →", size=12)]


def _groups(groups: Sequence[Sequence[Effect]], x_at: Scale) -> list[str]:
    body, y = [], 24.0
    for target, group in zip(LOCAL, groups, strict=True):
        y += 30
        body.append(write(8, y, f"target {NAMES[target]}, 1,500 labels", size=12, colour="#444"))
        for effect in group:
            y += 24
            body += _whisker(effect, x_at, y)
        y += 6
    return body


def _whisker(effect: Effect, x_at: Scale, y: float) -> list[str]:
    test, source = effect.test, short(effect.source)
    ink = {"better": BLUE, "worse": ORANGE, "undecided": "#666666"}[test.sign]
    left, middle, right = (x_at(math.exp(v)) for v in (test.low, test.mean, test.high))
    return [
        write(20, y, NAMES.get(source, source)),
        stroke(left, y - 4, right, y - 4, ink, 2.5),
        f'<circle cx="{middle:.1f}" cy="{y - 4:.1f}" r="5" fill="{ink}"/>',
        write(WIDTH - 98, y, f"{MARKS[test.sign]} {test.sign}", colour=ink),
    ]
