"""The table as Markdown and CSV, each with its own escaping."""

from __future__ import annotations

import csv
import io

from tsxfer.errors import printable as plain
from tsxfer.report.answer import answer, clearest
from tsxfer.report.build import Report
from tsxfer.report.caveats import of_comparison
from tsxfer.report.columns import CAPTION, COLUMNS, SCOPES, scoped
from tsxfer.report.headline import warnings
from tsxfer.report.sections import sections
from tsxfer.stats.cells import first_arm
from tsxfer.stats.compare import Comparison
from tsxfer.stats.protocols import ProtocolEffect


def markdown(report: Report) -> str:
    """A GitHub-flavoured table with headline and warnings."""
    lines = [f"# {_md(report.name)}{' (simulated)' if report.simulated else ''}", ""]
    lines += [f"> **{_md(line)}**" for line in warnings(report)]
    lines += ["", _md(answer(report)), ""]
    lines += [f"- {_md(line)}" for line in clearest(report)]
    lines.append("")
    lines.append("| " + " | ".join(column.title for column in COLUMNS) + " |")
    lines.append("|" + "|".join("--:" if column.numeric else "---" for column in COLUMNS) + "|")
    for c in report.comparisons:
        lines.append("| " + " | ".join(_md(column.text(c)) for column in COLUMNS) + " |")
    lines += ["", CAPTION, ""]
    for section in sections(report):
        lines += [f"## {_md(section.title)}", "", _md(section.told), ""]
        lines.append("| " + " | ".join(_md(title) for title in section.header) + " |")
        lines.append("|" + "---|" * len(section.header))
        lines += ["| " + " | ".join(_md(cell) for cell in row) + " |" for row in section.rows]
        lines.append("")
    return "\n".join(lines)


def _md(text: str) -> str:
    special = "\\|`*_<>[]#"
    return "".join(f"\\{c}" if c in special else c for c in plain(text))


def table_csv(report: Report) -> str:
    """Numbers in full precision, one line a comparison; then controls, baselines, other protocols.

    Controls are named in their source. ``against`` names the first arm: scratch, or a baseline
    whose scores then stand under ``scratch_mean``, with scratch itself or a transfer as the second
    arm.
    ``caveats`` are those of a comparison in words, ``study_caveats`` those of the whole study, in
    each line, since lines are cut out and passed on.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows([[_cell(v) for v in record.values()] for record in records(report)])
    return out.getvalue()


def records(report: Report) -> list[dict[str, object]]:
    """The lines of `table_csv` by column, as values."""
    study = " | ".join(warnings(report))
    compared = (*report.comparisons, *report.placebos, *report.beside)
    lines = [[*_record(c, study), *_protocol(None)] for c in compared]
    lines += [[*_record(e.other, study), *_protocol(e)] for e in report.protocols]
    return [dict(zip(_HEADER, line, strict=True)) for line in lines]


_HEADER = (
    "source",
    "target",
    "model",
    "size",
    "profile",
    "rate_multiplier",
    "frozen",
    "strategy",
    "metric",
    "n",
    "scratch_mean",
    "transfer_mean",
    "difference",
    "low",
    "high",
    "p",
    "p_corrected",
    "p_sign_flip",
    "p_not_worse",
    "p_equivalent",
    "margin",
    "hedges_g",
    "improvement",
    "samples_saved",
    "samples_saved_low",
    "samples_saved_high",
    "convergence_p",
    "verdict",
    "chance",
    "labels",
    "notes",
    "scratch_keys",
    "transfer_keys",
    "against",
    "gaps",
    "caveats",
    "study_caveats",
    *SCOPES,
    "minus_first_protocol",
    "minus_first_protocol_low",
    "minus_first_protocol_high",
)


def _record(c: Comparison, study: str) -> list[object]:
    reuse, speed = c.trial.reuse, c.convergence
    return [
        c.source,
        c.trial.dataset,
        c.trial.model,
        c.trial.size,
        c.trial.profile,
        reuse.rate_multiplier if reuse else "",
        reuse.frozen if reuse else "",
        reuse.strategy.words or "copy" if reuse else "",
        c.metric,
        len(c.scratch),
        sum(c.scratch) / len(c.scratch),
        sum(c.transfer) / len(c.transfer),
        c.difference,
        c.low,
        c.high,
        c.p,
        c.p_corrected,
        c.p_sign_flip,
        c.p_not_worse,
        c.p_equivalent,
        c.margin,
        c.effect[0] if c.effect else None,
        c.improvement,
        speed.saved if speed else None,
        speed.low if speed else None,
        speed.high if speed else None,
        speed.p if speed else None,
        c.verdict,
        c.chance,
        "; ".join(c.labels),
        "; ".join(c.notes),
        " ".join(k for k, _ in c.keys),
        " ".join(k for _, k in c.keys),
        first_arm(c.against),
        "; ".join(c.gaps),
        of_comparison(c),
        study,
        *scoped(c).values(),
    ]


def _protocol(effect: ProtocolEffect | None) -> list[object]:
    """Gain under this line's protocol minus the one under the first."""
    return [effect.difference, effect.low, effect.high] if effect else [None] * 3


def _cell(value: object) -> object:
    """Text that a spreadsheet would run as a formula gets a quote in front."""
    if isinstance(value, str):
        value = plain(value)
        # Some programs cut spaces off first, and some take full-width signs for signs.
        return f"'{value}" if value.lstrip()[:1] in tuple("=+-@＝＋－＠") else value
    return "" if value is None else value
