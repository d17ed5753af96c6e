"""What stands beside the result table, in its order, defined once for every format.

A section is a function from a report to a titled table, or to several; a new one is a line here.
"""

from __future__ import annotations

from collections.abc import Callable

from tsxfer.report.build import Report
from tsxfer.report.section import Section
from tsxfer.report.tables import (
    averages,
    beside,
    inside,
    opinions,
    placebos,
    protocols,
    record,
    speed,
    statistics,
    whom,
)

Made = Section | list[Section] | None
SECTIONS: tuple[Callable[[Report], Made], ...] = (
    averages.headline,
    averages.summary,
    averages.best,
    placebos.controls,
    beside.baselines,
    beside.against_baselines,
    beside.ways,
    protocols.under_protocols,
    statistics.asked,
    speed.convergence,
    speed.worth,
    whom.worse,
    whom.power,
    whom.undecided,
    whom.new_groups,
    averages.matrix,
    opinions.opinions,
    inside.inside,
    speed.running,
    record.reproduced,
    record.declared,
    record.missing,
    record.verified,
)


def sections(report: Report) -> list[Section]:
    """Everything that this report has something to say in."""
    made = [section(report) for section in SECTIONS]
    several = [one for found in made for one in (found if isinstance(found, list) else [found])]
    return [section for section in several if section is not None and section.rows]
