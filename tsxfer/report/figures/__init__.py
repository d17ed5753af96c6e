"""The figures of a report: one module each, and one tuple that page, files and tests read.

A module of this room with a ``FIGURE`` is a figure; nothing else has to name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from tsxfer.report.build import Report
from tsxfer.report.figures.picture import Figure, OfComparison, OfStudy, Picture


def _found() -> dict[str, Figure]:
    modules = {m.name: import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__)}
    figures: dict[str, Figure] = {n: m.FIGURE for n, m in modules.items() if hasattr(m, "FIGURE")}
    return dict(sorted(figures.items(), key=lambda item: item[1].place))


NAMED = _found()
FIGURES = tuple(NAMED.values())


def of_study(report: Report) -> list[tuple[str, list[Picture]]]:
    """Headings with the pictures below them that show many comparisons at once."""
    drawn = [(f.heading, list(f.draw(report))) for f in FIGURES if isinstance(f, OfStudy)]
    return [(heading, pictures) for heading, pictures in drawn if pictures]


def of_comparison(report: Report, index: int) -> list[Picture]:
    """Pictures of the comparison at this index."""
    drawn = [f.draw(report, index) for f in FIGURES if isinstance(f, OfComparison)]
    return [picture for picture in drawn if picture is not None]


def every(report: Report) -> Iterator[Picture]:
    """All pictures, each under a name of its own."""
    taken: set[str] = set()
    for picture in _every(report):
        name, copy = picture.name, 2
        while name in taken:
            name, copy = f"{picture.name}-{copy}", copy + 1
        taken.add(name)
        yield Picture(name, picture.title, picture.caption, picture.spec)


def _every(report: Report) -> Iterator[Picture]:
    for _, pictures in of_study(report):
        yield from pictures
    for index in range(len(report.comparisons)):
        yield from of_comparison(report, index)
