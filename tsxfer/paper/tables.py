"""Tables in the digits and marks of the study: three significant digits, ▲ better, ▼ worse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

from tsxfer.core.names import DatasetName
from tsxfer.core.sizes import as_written
from tsxfer.errors import SpecError, nearest
from tsxfer.paper.method import Entry

Form: TypeAlias = Literal["terminal", "markdown"]
Row: TypeAlias = Sequence[str]
FORMS = ("terminal", "markdown")
TITLES = {"convnetquake": "ConvNet", "magnet": "MagNet", "mlstm_fcn": "MLSTM", "tcn": "TCN"}


def printed(value: float) -> str:
    """Three significant digits as the study prints them: 871, 24.2, 10.0, 0.0716, 6.2."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:.0f}" if 100 <= abs(rounded) < float("inf") else str(rounded)


def p_printed(p: float) -> str:
    """Three decimals without the leading zero: .018, 1.000."""
    return f"{p:.3f}".removeprefix("0")


def main_text(entry: Entry) -> str:
    """A cell of the main tables, e.g. ``8.21▲``."""
    return printed(entry.gain) + entry.mark


def model_text(entry: Entry) -> str:
    """A cell of the supplement, e.g. ``13.6 (.018)▲``."""
    return f"{printed(entry.gain)} ({p_printed(entry.p)}){entry.mark}"


def short(dataset: str) -> str:
    """Versioned name without version and stand-in."""
    return DatasetName.parse(dataset).base


def size_text(size: str) -> str:
    """``n=1500`` is 1k5, ``n=9000`` is 9k; other budgets stay."""
    count = as_written(size)
    if not count.isdecimal() or int(count) % 100 or int(count) < 1000:
        return count
    thousands, hundreds = divmod(int(count) // 100, 10)
    return f"{thousands}k{hundreds or ''}"


def rows(
    entries: Sequence[Entry],
    text: Callable[[Entry], str],
    *,
    sources: Sequence[str],
    columns: Sequence[tuple[str, str]],
) -> list[Row]:
    """Title row, and a row for each source and model that entries have; ``-`` where none is."""
    found = {(e.source, e.model, e.target, e.size): text(e) for e in entries}
    models = list(dict.fromkeys(e.model for e in entries))
    out: list[Row] = [["source", *(short(t) + size_text(size) for t, size in columns)]]
    for source in sources:
        for model in models:
            cells = [found.get((source, model, *column), "-") for column in columns]
            out.append([_label(source, model), *cells])
    return out


def _label(source: str, model: str) -> str:
    return f"{TITLES.get(model, model)} [{short(source)}]" if model else short(source)


def check_form(form: str) -> None:
    """Refuse a form that is not known.

    Raises:
        SpecError: If it is not.
    """
    if form not in FORMS:
        raise SpecError(f"unknown format {form!r}", mend=nearest(form, FORMS))


def render(table: Sequence[Row], form: str) -> str:
    """Aligned text, or a Markdown table."""
    if form == "markdown":
        return "\n".join(_markdown(table))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(_padded(row, widths)).rstrip() for row in table)


def _markdown(table: Sequence[Row]) -> Iterable[str]:
    for i, row in enumerate(table):
        yield "| " + " | ".join(row) + " |"
        if not i:
            yield "|---" + "|--:" * (len(row) - 1) + "|"


def _padded(row: Row, widths: Sequence[int]) -> Iterable[str]:
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.rjust(width) if i else cell.ljust(width)
