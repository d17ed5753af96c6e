"""Facts of a data set as one offline HTML page: examples of each class, counts, spectrum, hints."""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from tsxfer.data.prepare import Prepared
from tsxfer.inspection.facts import MANY, Facts
from tsxfer.inspection.hints import hints
from tsxfer.inspection.text import short
from tsxfer.report.vega import Spec, svg

POINTS = 600  # of a drawn window: more than a screen shows
GROUPS = 40  # bars of groups


def page(made: Prepared, facts: Facts) -> str:
    """One page that needs nothing beside itself."""
    from jinja2 import Environment

    text = files("tsxfer.inspection").joinpath("page.html.j2").read_text(encoding="utf-8")
    template = Environment(autoescape=True).from_string(text)
    return template.render(
        card=made.card,
        lines=short(made, facts),
        hints=hints(made, facts),
        figures=[(title, _drawn(spec, title)) for title, spec in figures(made, facts)],
    )


def figures(made: Prepared, facts: Facts) -> list[tuple[str, Spec]]:
    """Titles and Vega-Lite specs of what the page draws."""
    found = [("Example windows", _examples(made, facts))]
    if facts.classes:
        found.append(("Windows of each class", _bars(facts.classes, made.card.label)))
    else:
        found.append((f"Distribution of {made.card.label}", _histogram(made)))
    if len(facts.groups) < facts.windows:
        found.append(_of_groups(made, facts))
    return [*found, ("Mean power spectrum", _spectrum(made, facts))]


def _of_groups(made: Prepared, facts: Facts) -> tuple[str, Spec]:
    """The largest groups."""
    shown = dict(list(facts.groups.items())[:GROUPS])
    which = f"the largest {GROUPS} of {len(facts.groups)}" if len(facts.groups) > GROUPS else "all"
    return f"Windows of each {made.card.group} ({which})", _bars(shown, made.card.group)


def _examples(made: Prepared, facts: Facts) -> Spec:
    x, y, card = made.array("x"), made.array("y"), made.card
    step = max(1, card.length // POINTS)
    known = card.rate_hz != 1
    values = [
        {
            "time": at / card.rate_hz,
            "value": float(x[row, channel, at]),
            "channel": name,
            "example": f"{number + 1}",
            "of": label or f"{card.label} {float(y[row]):.4g}",
        }
        for label, rows in facts.examples.items()
        for number, row in enumerate(rows)
        for channel, name in enumerate(card.channels[:MANY])
        for at in range(0, card.length, step)
    ]
    return {
        "data": {"values": values},
        "mark": {"type": "line", "strokeWidth": 0.8},
        "width": 240,
        "height": 70,
        "encoding": {
            "x": _axis("time", "time (s)" if known else "sample") | {"axis": {"tickCount": 4}},
            "y": _axis("value", "value"),
            "color": {"field": "channel", "type": "nominal", "sort": None},
            "column": {"field": "example", "type": "nominal", "title": "example"},
            "row": {"field": "of", "type": "nominal", "sort": None, "title": card.label},
        },
        "resolve": {"scale": {"y": "independent"}},
    }


def _axis(field: str, title: str) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, "scale": {"zero": False}}


def _bars(counted: dict[str, int], what: str) -> Spec:
    values = [{"name": name, "windows": count} for name, count in counted.items()]
    return {
        "data": {"values": values},
        "mark": "bar",
        "width": 600,
        "height": {"step": 16},
        "encoding": {
            "y": {"field": "name", "type": "nominal", "sort": None, "title": what},
            "x": {"field": "windows", "type": "quantitative", "title": "windows"},
        },
    }


def _histogram(made: Prepared) -> Spec:
    counts, edges = np.histogram(np.asarray(made.array("y"), np.float64), bins=40)
    values = [
        {"from": float(low), "to": float(high), "windows": int(count)}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    unit = f" ({made.card.unit})" if made.card.unit else ""
    return {
        "data": {"values": values},
        "mark": "bar",
        "width": 600,
        "height": 160,
        "encoding": {
            "x": {"field": "from", "type": "quantitative", "title": f"{made.card.label}{unit}"},
            "x2": {"field": "to"},
            "y": {"field": "windows", "type": "quantitative", "title": "windows"},
        },
    }


def _spectrum(made: Prepared, facts: Facts) -> Spec:
    card, step = made.card, max(1, len(facts.frequency) // POINTS)
    values = [
        {
            "frequency": float(facts.frequency[at]),
            "share": float(row[at : at + step].sum()),
            "channel": name,
        }
        for name, row in zip(card.channels[:MANY], facts.power, strict=False)
        for at in range(1, len(facts.frequency), step)
        if row[at : at + step].sum() > 0
    ]
    unit = "Hz" if card.rate_hz != 1 else "cycles a sample"
    return {
        "data": {"values": values},
        "mark": {"type": "line", "strokeWidth": 1},
        "width": 600,
        "height": 200,
        "encoding": {
            "x": _axis("frequency", f"frequency ({unit})"),
            "y": {
                "field": "share",
                "type": "quantitative",
                "scale": {"type": "log"},
                "title": "share of the power (log)",
            },
            "color": {"field": "channel", "type": "nominal", "sort": None},
        },
    }


def _drawn(spec: Spec, title: str) -> str:
    from markupsafe import Markup

    return Markup(svg(spec, title))  # noqa: S704  (texts of a spec are escaped by the writer)
