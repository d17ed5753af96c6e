"""One offline HTML page: the answer, one picture, the table, then everything else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from tsxfer import metrics
from tsxfer.errors import printable as plain
from tsxfer.report import figures
from tsxfer.report.answer import answer, clearest
from tsxfer.report.build import Report
from tsxfer.report.caveats import Caveat, caveats
from tsxfer.report.columns import CAPTION, COLUMNS, MARKS
from tsxfer.report.figures.picture import Picture, mark
from tsxfer.report.section import Section, name
from tsxfer.report.sections import sections
from tsxfer.report.tables.marks import verdict_matrix

if TYPE_CHECKING:
    from markupsafe import Markup

DETAILED = 1000  # comparisons with details of their own
PICTURED = 50  # of them with figures, which take 40 KB and a tenth of a second each
PLACES = 20  # comparisons that a caveat names
Drawn = list[tuple["Markup", str]]


def render(report: Report) -> str:
    """The page as text; everything from rows is escaped, and nothing is fetched."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_text("page.html.j2"))
    titles = [column.title for column in COLUMNS]
    script = _text("page.js").strip()
    pictured = _pictured(report)
    studied = [(heading, _drawn(p, report)) for heading, p in figures.of_study(report)]
    lead, rest = _led(studied)
    tables = sections(report)
    page = template.render(
        report=report,
        answer=answer(report),
        clearest=clearest(report),
        caveats=caveats(report),
        places=_places,
        contents=_contents(report, rest, tables),
        lead=lead,
        verdicts=list(dict.fromkeys(c.verdict for c in report.comparisons)),
        verdict_at=titles.index("verdict") + 1,
        difference_at=titles.index("difference") + 1,
        columns=COLUMNS,
        caption=CAPTION,
        marks=", ".join(f"{sign} {verdict}" for verdict, sign in MARKS.items()),
        matrix=verdict_matrix(report.comparisons),
        studied=rest,
        sections=tables,
        named=name,
        metric=lambda c: metrics.get(c.metric).title,
        pictured=len(pictured),
        details=[
            (c, _drawn(figures.of_comparison(report, i) if i in pictured else [], report))
            for i, c in enumerate(report.comparisons[:DETAILED])
        ],
        script=Markup(script),  # noqa: S704 our own file
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )
    return "\n".join(plain(line) for line in page.splitlines()) + "\n"


def _text(file: str) -> str:
    return files(__package__).joinpath(file).read_text("utf-8")


def _drawn(pictures: Sequence[Picture], report: Report) -> Drawn:
    from markupsafe import Markup

    warning = mark(report)
    return [(Markup(p.svg(warning)), p.caption) for p in pictures]  # noqa: S704 escaped in vega


def _led(
    studied: list[tuple[str, Drawn]],
) -> tuple[tuple[Markup, str] | None, list[tuple[str, str, Drawn]]]:
    """The picture below the answer, and the others with the marks of their headings."""
    if not studied:
        return None, []
    (heading, first), *others = studied
    rest = [(heading, first[1:])] if first[1:] else []
    return first[0], [(f"f{i}", head, drawn) for i, (head, drawn) in enumerate([*rest, *others])]


def _contents(
    report: Report, studied: Sequence[tuple[str, str, Drawn]], tables: Sequence[Section]
) -> list[tuple[str, str]]:
    """Mark and title of every part of the page."""
    several = [("verdicts", "Verdicts")] if len(report.comparisons) > 1 else []
    return [
        ("results", "Results"),
        *several,
        *((mark, heading) for mark, heading, _ in studied),
        *((f"s{i}", section.title) for i, section in enumerate(tables, 1)),
        ("each", "Each comparison"),
        ("splits", "Split proofs"),
        ("environment", "Environment"),
    ]


def _places(caveat: Caveat) -> str:
    """The comparisons that a caveat concerns, in brackets."""
    if not caveat.where:
        return ""
    more = len(caveat.where) - PLACES
    return f" ({'; '.join(caveat.where[:PLACES])}{f'; and {more} more' if more > 0 else ''})"


def _pictured(report: Report) -> set[int]:
    """Indices of the comparisons that get figures: where there are too many, the smallest p."""
    ps = [1.0 if c.p is None else c.p for c in report.comparisons[:DETAILED]]
    ranked = sorted(range(len(ps)), key=ps.__getitem__)
    return set(ranked[:PICTURED])
