"""One offline HTML page."""

from __future__ import annotations

from importlib.resources import files

from tsxfer.report import figures
from tsxfer.report.build import Report
from tsxfer.report.columns import CAPTION, COLUMNS
from tsxfer.report.headline import headline, warnings
from tsxfer.report.text import plain


def render(report: Report) -> str:
    """The page as text; everything from rows is escaped, and nothing is fetched."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(
        files(__package__).joinpath("page.html.j2").read_text("utf-8")
    )
    by_metric = {
        c.metric: [d for d in report.comparisons if d.metric == c.metric]
        for c in report.comparisons
    }
    page = template.render(
        report=report,
        headline=headline(report),
        warnings=warnings(report),
        columns=COLUMNS,
        caption=CAPTION,
        forests={name: Markup(figures.forest(group)) for name, group in by_metric.items()},  # noqa: S704
        details=[
            (c, Markup(figures.dots(c)), Markup(figures.curves(cell, c)))  # noqa: S704
            for c, cell in zip(report.comparisons, report.cells, strict=True)
        ],
    )
    return "\n".join(plain(line) for line in page.splitlines()) + "\n"
