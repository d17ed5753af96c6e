"""Figures for notebooks: Vega-Lite that a notebook draws, a user styles, and files keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from tsxfer.errors import SpecError, nearest
from tsxfer.report import figures
from tsxfer.report.build import Report
from tsxfer.report.figures.picture import Figure, OfComparison, OfStudy, Picture, mark
from tsxfer.report.vega import CONFIG, Spec, svg, titled, whole
from tsxfer.store.files import put

FORMATS = (".svg", ".png", ".pdf", ".json", ".html")
SCALE = 3.0  # of PNG, so that a 480-unit figure prints sharply in a column


class Chart:
    """A Vega-Lite chart.

    A notebook draws it; ``altair.Chart.from_dict(chart.to_dict())`` makes an Altair chart of it;
    `styled` changes any of its properties, and `save` writes it.

    Args:
        spec: Whole Vega-Lite, with schema and configuration.
        caption: How to read it.
    """

    def __init__(self, spec: Spec, caption: str = "") -> None:
        self.spec, self.caption = spec, caption

    def to_dict(self) -> Spec:
        """The spec as a dictionary of the caller's own."""
        return deepcopy(self.spec)

    def styled(self, **properties: Any) -> Chart:
        """This chart with other top-level properties of Vega-Lite.

        Args:
            properties: E.g. ``width=600``, ``background="#eee"``,
                ``config={"font": "Times", "axis": {"labelFontSize": 16}}``; what a dictionary does
                not name stays.
        """
        spec = _merged(self.to_dict(), properties)
        font = spec["config"].get("font", "")
        if not font.endswith(CONFIG["font"]):  # a font that a machine lacks would draw no text
            spec["config"]["font"] = f"{font}, {CONFIG['font']}"
        return Chart(spec, self.caption)

    def save(self, path: str | Path) -> Path:
        """Write the chart; the ending says as what: .svg, .png, .pdf, .json or .html.

        Raises:
            SpecError: For another ending.
            StoreError: If the file cannot be written.
        """
        goal = Path(path)
        if goal.suffix.lower() not in FORMATS:
            raise SpecError(
                f"{goal.name} has no ending of a picture", mend=f"use one of {', '.join(FORMATS)}"
            )
        content = self._as(goal.suffix.lower())
        put(goal, content, "the chart", "name another file")
        return goal

    def _as(self, ending: str) -> bytes:
        import vl_convert

        if ending == ".json":
            return json.dumps(self.spec, indent=1).encode()
        if ending == ".html":
            return str(vl_convert.vegalite_to_html(self.spec)).encode()
        drawn = svg(self.spec, self.caption)
        if ending == ".svg":
            return drawn.encode()
        if ending == ".pdf":
            return bytes(vl_convert.svg_to_pdf(drawn))
        return bytes(vl_convert.svg_to_png(drawn, scale=SCALE))

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, object]:
        """What a notebook shows; a picture, so that every one of them shows the same."""
        del include, exclude
        return {"image/svg+xml": svg(self.spec, self.caption), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Chart: {self.caption}"


def _merged(old: Any, new: Any) -> Any:
    """Dictionaries merged at every depth; anything else is taken as it is."""
    if not (isinstance(old, dict) and isinstance(new, Mapping)):
        return new
    return old | {key: _merged(old.get(key), value) for key, value in new.items()}


def chart(report: Report, kind: str, comparison: int | None = None) -> Chart:
    """A figure of a report by its name.

    Args:
        report: What is drawn.
        kind: A module of `tsxfer.report.figures`.
        comparison: Index among the report's comparisons, for a figure of one.

    Raises:
        SpecError: For an unknown name or index, or a figure with nothing to show.
    """
    if kind not in figures.NAMED:
        raise SpecError(f"no figure is called {kind!r}", mend=nearest(kind, figures.NAMED))
    pictures = _pictures(report, kind, comparison)
    if not pictures:
        shown = [name for name, figure in figures.NAMED.items() if _shows(figure, report)]
        raise SpecError(
            f"{report.name} has nothing to show in {kind!r}",
            mend=f"figures that it has: {', '.join(shown) or 'none, no comparison is complete'}",
        )
    specs = [titled(p.spec, p.title, mark(report)) for p in pictures]
    spec = specs[0] if len(specs) == 1 else {"vconcat": specs}
    return Chart(whole(spec), " ".join(dict.fromkeys(p.caption for p in pictures)))


def _pictures(report: Report, kind: str, comparison: int | None) -> list[Picture]:
    figure = figures.NAMED[kind]
    if isinstance(figure, OfStudy):
        if comparison is not None:
            raise SpecError(
                f"{kind!r} shows all comparisons, not number {comparison}",
                mend="leave comparison out",
            )
        return list(figure.draw(report))
    count = len(report.comparisons)
    index = 0 if comparison is None and count < 2 else comparison
    if index is None or (count and not 0 <= index < count):
        raise SpecError(
            f"{kind!r} shows one comparison of {count}, and "
            + ("none is named" if index is None else f"number {index} is none"),
            mend=f"say comparison=0 to {count - 1}, the line of the table",
        )
    picture = figure.draw(report, index) if count else None
    return [picture] if picture is not None else []


def _shows(figure: Figure, report: Report) -> bool:
    if isinstance(figure, OfComparison):
        return bool(report.comparisons) and figure.draw(report, 0) is not None
    return next(iter(figure.draw(report)), None) is not None
