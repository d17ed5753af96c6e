"""A study for a notebook's cell: the answer, what must be known first, and the table."""

from __future__ import annotations

from html import escape

from tsxfer.errors import printable as plain
from tsxfer.report.answer import answer
from tsxfer.report.build import Report
from tsxfer.report.columns import COLUMNS, MARKS, p_text, stated
from tsxfer.report.headline import warnings
from tsxfer.stats.compare import Comparison

LINES = 30  # of the table; the rest is one attribute away
HEADER = ("", "source → target", "model", "labels", "scratch", "transfer", "difference", "p")
CELL = "text-align:left;padding:0.2em 0.7em"


def fragment(report: Report) -> str:
    """HTML without scripts; everything from rows is escaped."""
    said = [f"<p><strong>{_text(answer(report))}</strong></p>"]
    if warned := warnings(report):
        lines = "".join(f"<li>{_text(line)}</li>" for line in warned)
        said.append(
            f"<details open><summary>before the numbers</summary><ul>{lines}</ul></details>"
        )
    if report.comparisons:
        said.append(_table(report))
    return "<div class='tsxfer-study'>" + "".join(said) + "</div>"


def _table(report: Report) -> str:
    shown = report.comparisons[:LINES]
    head = "".join(f"<th style='{CELL}'>{title}</th>" for title in HEADER)
    body = "".join(f"<tr>{_line(c)}</tr>" for c in shown)
    more = len(report.comparisons) - len(shown)
    rest = f"<p>and {more} more: see <code>.table</code></p>" if more else ""
    mark = " (SIMULATED DATA)" if report.simulated else ""
    note = (
        "Difference in the metric, above 0 where transfer is better, with its 95 % interval for "
        "what the verdict speaks of; p is corrected."
    )
    caption = f"<caption>{_text(report.name)}{mark}. {note}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def _line(c: Comparison) -> str:
    return "".join(f"<td style='{CELL}'>{_text(cell)}</td>" for cell in _cells(c))


def _cells(c: Comparison) -> tuple[str, ...]:
    texts = {column.title: column.text(c) for column in COLUMNS}
    return (
        f"{MARKS[c.verdict]} {c.verdict} for {c.speaks_of}",
        f"{c.source} → {c.trial.dataset}",
        texts["model"],
        texts["size"],
        texts["scratch"],
        texts["transfer"],
        f"{stated(c)} {texts['metric']}",
        p_text(c.stated[2]),
    )


def _text(words: str) -> str:
    return escape(plain(words))
