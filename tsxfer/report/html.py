"""One offline HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from tsxfer.errors import printable as plain
from tsxfer.report import figures
from tsxfer.report.build import Report
from tsxfer.report.columns import CAPTION, COLUMNS
from tsxfer.report.figures.picture import Picture, mark
from tsxfer.report.headline import headline, warnings
from tsxfer.report.section import name
from tsxfer.report.sections import sections, verdict_matrix

DETAILED = 1000  # comparisons with details of their own
PICTURED = 50  # of them with figures, which take 40 KB and a tenth of a second each


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
    warning, pictured = mark(report), _pictured(report)

    def drawn(pictures: Sequence[Picture]) -> list[tuple[Markup, str]]:
        return [(Markup(p.svg(warning)), p.caption) for p in pictures]  # noqa: S704 escaped in vega

    page = template.render(
        report=report,
        headline=headline(report),
        warnings=warnings(report),
        columns=COLUMNS,
        caption=CAPTION,
        studied=[(heading, drawn(pictures)) for heading, pictures in figures.of_study(report)],
        matrix=verdict_matrix(report.comparisons),
        sections=sections(report),
        named=name,
        pictured=len(pictured),
        details=[
            (c, drawn(figures.of_comparison(report, i) if i in pictured else []))
            for i, c in enumerate(report.comparisons[:DETAILED])
        ],
    )
    return "\n".join(plain(line) for line in page.splitlines()) + "\n"


def _pictured(report: Report) -> set[int]:
    """Indices of the comparisons that get figures: where there are too many, the smallest p."""
    ps = [1.0 if c.p is None else c.p for c in report.comparisons[:DETAILED]]
    ranked = sorted(range(len(ps)), key=ps.__getitem__)
    return set(ranked[:PICTURED])
