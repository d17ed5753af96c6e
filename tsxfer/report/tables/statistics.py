"""Statistics that were asked for: numbers of paired scores, which decide nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tsxfer import metrics
from tsxfer.report.build import Report
from tsxfer.report.section import Section, name
from tsxfer.stats import statistics
from tsxfer.stats.compare import Comparison


def asked(report: Report) -> Section | None:
    """Each statistic of each comparison, with its interval over repeats."""
    if not report.statistics:
        return None
    return Section(
        "Statistics",
        "Numbers of the paired scores, oriented so that larger is better, with 95 % percentile "
        "intervals over repeats. No verdict rests on them, and they are not corrected.",
        ("comparison", "statistic", "n", "value", "95 %", "note"),
        tuple(
            row
            for one in map(statistics.get, report.statistics)
            for c in (*report.comparisons, *report.beside)
            for row in _row(one, c)
        ),
        "They speak of these test instances.",
    )


def _row(one: statistics.Statistic, c: Comparison) -> Iterator[tuple[str, ...]]:
    sign = metrics.get(c.metric).sign
    scratch, transfer = (sign * np.asarray(scores, float) for scores in (c.scratch, c.transfer))
    found = statistics.state(one, scratch, transfer)
    value = "n/a" if found.value is None else f"{found.value:+.3g}"
    inside = "n/a" if found.low is None else f"{found.low:+.3g} to {found.high:+.3g}"
    first = f" against {c.against.baseline or 'the first way'}" if c.against else ""
    yield name(c) + first, one.title, str(len(scratch)), value, inside, found.fault
