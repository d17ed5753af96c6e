"""One offline HTML page."""

from __future__ import annotations

from importlib.resources import files

from tsxfer.errors import printable as plain
from tsxfer.report import figures
from tsxfer.report.build import Report
from tsxfer.report.columns import CAPTION, COLUMNS
from tsxfer.report.headline import headline, warnings
from tsxfer.report.section import name
from tsxfer.report.sections import sections, verdict_matrix
from tsxfer.stats.cells import Cell
from tsxfer.stats.compare import Comparison

DETAILED = 1000  # comparisons with figures of their own; each takes 10 KB of the page


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
        matrix=verdict_matrix(report.comparisons),
        sections=sections(report),
        named=name,
        details=[
            (c, [(Markup(svg), text) for svg, text in _figures(cell, c)])  # noqa: S704
            for c, cell in zip(report.comparisons[:DETAILED], report.cells, strict=False)
        ],
    )
    return "\n".join(plain(line) for line in page.splitlines()) + "\n"


def _figures(cell: Cell, c: Comparison) -> list[tuple[str, str]]:
    """Figures of one comparison with their captions."""
    found = [(figures.dots(c), f"Test {c.metric} of each repeat; a line joins a pair.")]
    if c.convergence is None:
        return found
    return [
        *found,
        (
            figures.curves(cell, c),
            f"Validation {c.metric}: mean and range over repeats; dotted, the threshold that "
            "scratch sets.",
        ),
        (
            figures.survival(c),
            "Share of runs that have reached the threshold (Kaplan-Meier); a curve that ends below "
            "100 % has runs that never did.",
        ),
        (
            figures.sweep(c),
            "Samples saved by transfer (above the dashed line) for other thresholds; the filled "
            "one was declared.",
        ),
    ]
