r"""The report for a paper: long tables over pages with every caveat, ready for ``\input``.

Needs ``\usepackage{booktabs,longtable,array,amssymb}`` and text at least 16 cm wide.
"""

from __future__ import annotations

from collections.abc import Sequence

from tsxfer.core.sizes import as_written
from tsxfer.errors import printable as plain
from tsxfer.report.answer import answer
from tsxfer.report.build import Report
from tsxfer.report.caveats import of_comparison
from tsxfer.report.columns import (
    CAPTION,
    MARKS,
    arm,
    metric_text,
    model,
    number,
    p_text,
    stated,
)
from tsxfer.report.headline import warnings
from tsxfer.report.section import Section
from tsxfer.report.sections import sections
from tsxfer.stats.compare import Comparison

_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_\allowbreak{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "→": r"$\to$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "▲": r"$\blacktriangle$",
    "△": r"$\vartriangle$",
    "≈": r"$\approx$",
    "∅": r"$\emptyset$",
    "▼": r"$\blacktriangledown$",
    "<": r"$<$",
    ">": r"$>$",
    "…": r"\ldots{}",
    "–": "--",
    "−": "$-$",
    "←": r"$\gets$",
    "@": r"@\allowbreak{}",
    "�": "?",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",  # at the start of a row they would be options of \\\\
}
APART = (
    "These test instances and new groups",
    "Headline contrasts",
    "Controls",
    "Baselines",
    "Transfer against baselines",
    "Ways of transfer",
    "Under other protocols",
    "Missing and failed",
)  # tables of their own
# Title and width, in parts of the line.
RESULT = (
    ("source", 0.17),
    ("model", 0.12),
    ("labels", 0.06),
    ("n", 0.03),
    ("scratch", 0.115),
    ("transfer", 0.115),
    ("difference [95 %]", 0.18),
    ("p corr.", 0.055),
    ("verdict", 0.115),
    ("notes", 0.04),
)
LINE = 135  # characters of a line of 17 cm in the size of these tables
LONGEST = 60  # characters that a column asks room for


def render(report: Report) -> str:
    """The result table and those beside it, with notes below each."""
    notes = _notes(report.comparisons)
    mark = "Simulated data. " if report.simulated else ""
    lines = [
        "% made by tsxfer report --format latex; needs in the preamble:",
        r"% \usepackage[margin=2cm]{geometry} \usepackage{booktabs,longtable,array,amssymb}",
        r"\begingroup\scriptsize\setlength{\tabcolsep}{3pt}\setlength{\LTcapwidth}{\linewidth}",
        *_long(f"{mark}{answer(report)}", RESULT, _body(report.comparisons, notes)),
        *_below(report, notes),
    ]
    for section in sections(report):
        if section.title in APART:
            lines += _section(section, mark)
    return "\n".join([*lines, r"\endgroup", ""])


def _notes(comparisons: Sequence[Comparison]) -> dict[str, str]:
    """Caveats of comparisons with their letters, in order of appearance."""
    texts = dict.fromkeys(text for c in comparisons if (text := of_comparison(c)))
    return {text: _letter(i) for i, text in enumerate(texts)}


def _letter(index: int) -> str:
    """The letters a to z, then aa, ab and so on."""
    ahead, here = divmod(index, 26)
    return (_letter(ahead - 1) if ahead else "") + "abcdefghijklmnopqrstuvwxyz"[here]


def _body(comparisons: Sequence[Comparison], notes: dict[str, str]) -> list[str]:
    """Rows under a heading for each target and metric."""
    groups: dict[str, list[Comparison]] = {}
    for c in comparisons:
        heading = (
            f"{c.trial.dataset}: {metric_text(c)}, margin {number(c.margin)}, for {c.speaks_of}"
        )
        groups.setdefault(heading, []).append(c)
    lines = []
    for heading, group in groups.items():
        lines.append(
            rf"\multicolumn{{{len(RESULT)}}}{{l}}{{\textit{{{_tex(heading)}}}}} \\\nopagebreak"
        )
        lines += [_row(_cells(c, notes)) for c in group]
    return lines


def _cells(c: Comparison, notes: dict[str, str]) -> list[str]:
    return [
        c.source,
        model(c),
        as_written(c.trial.size),
        str(len(c.scratch)),
        arm(c.scratch),
        arm(c.transfer),
        stated(c),
        p_text(c.stated[2]),
        f"{MARKS[c.verdict]} {c.verdict}",
        notes.get(of_comparison(c), ""),
    ]


def _below(report: Report, notes: dict[str, str]) -> list[str]:
    """What a reader must know, below the table and with it."""
    texts = [*warnings(report), *(f"{letter}: {text}." for text, letter in notes.items()), CAPTION]
    return [rf"\noindent {_tex(text)}\par" for text in texts]


def _section(section: Section, mark: str) -> list[str]:
    columns = list(zip(section.header, _widths(section), strict=True))
    caption = f"{mark}{section.title}. {section.told}"
    return _long(caption, columns, [_row(row) for row in section.rows])


def _widths(section: Section) -> list[float]:
    """Parts of the line for each column: its longest word, then what its longest cell asks for."""
    columns = list(zip(section.header, *section.rows, strict=True))
    words = [max(len(w) for cell in column for w in (cell.split() or [""])) for column in columns]
    least = [1.15 * min(word, LONGEST // 2) + 1 for word in words]
    cells = [min(max(map(len, column)), LONGEST) for column in columns]
    more = [max(cell - need, 0) for cell, need in zip(cells, least, strict=True)]
    share = max(0, LINE - sum(least)) / max(1, sum(more))
    asked = [need + share * extra for need, extra in zip(least, more, strict=True)]
    return [width / sum(asked) for width in asked]


def _long(caption: str, columns: Sequence[tuple[str, float]], body: Sequence[str]) -> list[str]:
    """A table that runs over pages, its columns as wide as they say."""
    head = [r"\toprule", _row([title for title, _ in columns]), r"\midrule"]
    between = rf"\dimexpr\linewidth-{2 * (len(columns) - 1)}\tabcolsep\relax"
    spec = "".join(
        rf">{{\raggedright\arraybackslash}}p{{{0.999 * width:.4f}{between}}}"
        for _, width in columns
    )
    return [
        rf"\begin{{longtable}}{{@{{}}{spec}@{{}}}}",
        rf"\caption{{{_tex(caption)}}}\\",
        *head,
        r"\endfirsthead",
        *head,
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *body,
        r"\end{longtable}",
    ]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(_tex, cells)) + r" \\"


def _tex(text: str) -> str:
    return "".join(_TEX.get(c, c) for c in plain(text))
