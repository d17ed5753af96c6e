"""Vega-Lite specs as plain data become SVG text; one look for the page and for papers.

vl-convert runs Vega itself, so that neither a browser nor a system library is needed. Its SVG is
read as XML and written again: what stays is what draws, and every text is escaped by the writer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from textwrap import wrap
from typing import Any, TypeAlias
from xml.etree import ElementTree as Xml

from tsxfer.errors import printable

Spec: TypeAlias = dict[str, Any]

# Okabe and Ito's colours, which colour-blind readers tell apart.
BLUE, ORANGE, GREEN, PINK, SKY, GREY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#666666",
)
INKS = (BLUE, ORANGE, GREEN, PINK, SKY, "#000000", "#E69F00")
SVG = "http://www.w3.org/2000/svg"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
LINE = 62  # characters of a title's line at 420 units
CONFIG: Spec = {
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 0,
        "titleLimit": 0,
        "titlePadding": 8,
        "gridColor": "#e8e8e8",
        "domainColor": "#555555",
        "tickColor": "#555555",
        "labelColor": "#222222",
        "titleColor": "#222222",
        "labelFlush": False,
    },
    "axisQuantitative": {"labelSeparation": 8},  # else numbers touch and read as one
    "legend": {
        "orient": "top",
        "title": None,
        "labelFontSize": 12,
        "labelLimit": 0,
        "symbolSize": 90,
        "symbolStrokeWidth": 2.5,
        "titleFontWeight": "normal",
        "titleLimit": 0,
    },
    "title": {
        "anchor": "start",
        "frame": "bounds",
        "fontSize": 13,
        "subtitleFontSize": 12,
        "subtitleColor": ORANGE,
        "subtitleFontWeight": "bold",
        "limit": 0,
        "offset": 10,
    },
    "header": {"labelFontSize": 12, "labelLimit": 0, "title": None},
}
_FOR_READERS = {
    "class",
    "role",
    "aria-hidden",
    "aria-label",
    "aria-roledescription",
    "pointer-events",
}
_REFERENCE = re.compile(r"url\(#")


def titled(spec: Spec, title: str, warning: str = "") -> Spec:
    """A spec with its title above everything, and a warning in a line of its own below it."""
    text = [line for part in title.splitlines() for line in wrap(part, LINE)] or [""]
    return {**spec, "title": {"text": text, **({"subtitle": warning} if warning else {})}}


def svg(spec: Spec, label: str = "") -> str:
    """Draw a spec on white.

    Args:
        spec: Vega-Lite without schema, background and configuration.
        label: What the figure shows, for readers who do not see it.
    """
    return _drawn(json.dumps(whole(spec)), printable(label))


def whole(spec: Spec) -> Spec:
    """A spec that stands alone: with schema, background and configuration, as JSON can say it."""
    named = {"$schema": SCHEMA, "background": "white", "padding": 6, "config": CONFIG, **spec}
    plain: Spec = _plain(named)
    return plain


@lru_cache(maxsize=4096)
def _drawn(spec: str, label: str) -> str:
    """The page and the files of one command show the same figure, which is drawn once."""
    import vl_convert

    root = Xml.fromstring(vl_convert.vegalite_to_svg(spec))  # noqa: S314 Vega's own output
    _slim(root, f"v{sha256(spec.encode()).hexdigest()[:8]}-")
    for name in ("version", "class"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    if label:
        title = Xml.Element(f"{{{SVG}}}title")
        title.text = label
        root.insert(0, title)
    Xml.register_namespace("", SVG)
    return Xml.tostring(root, encoding="unicode")


def _slim(node: Xml.Element, prefix: str) -> None:
    """Leave out what draws nothing; names of clips and gradients become this figure's own."""
    for name in _FOR_READERS & set(node.attrib):
        del node.attrib[name]
    for name, value in node.attrib.items():
        if name == "id":
            node.set(name, prefix + value)
        elif value.startswith("url(#"):
            node.set(name, _REFERENCE.sub(f"url(#{prefix}", value))
    for child in list(node):
        _slim(child, prefix)
        if _empty(child):
            node.remove(child)


def _empty(node: Xml.Element) -> bool:
    tag = node.tag.rpartition("}")[2]
    nothing = tag == "path" and node.get("d", "") in ("", "M0,0h0v0h0Z")
    return nothing or (tag == "g" and not len(node))


def _plain(value: object) -> Any:
    """As JSON can say it: no control characters, no NaN or infinity."""
    if isinstance(value, str):
        return "\n".join(printable(line) for line in value.split("\n"))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
